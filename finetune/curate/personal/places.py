"""Street addresses, as they are written in twelve countries."""

import re
from collections.abc import Iterator

from finetune.curate.personal.hit import Hit
from finetune.curate.personal.reading import Reading

__all__ = ["STREET_ENDINGS", "addresses_at", "addresses_near", "japanese_addresses"]

_ENDINGS = """
straße strasse str. weg platz allee gasse ring damm ufer markt graben chaussee straat laan gracht
plein kade singel dijk gatan vägen gränd torget stigen allén backen
"""
STREET_ENDINGS = tuple(_ENDINGS.split())
"""How the names of streets end that are written in one word, before the number."""

_UP = r"A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĘĚŁŃŇÓŘŚŠŤŮŹŻŽ"
_WORD = rf"[{_UP}][\w'\u2019\-]{{0,30}}"
_SMALL = (
    r"(?:de|du|des|la|le|les|der|den|dem|am|an|im|zum|zur|van|von|het|ter|do|da|dos|das|di|del|della|"
    r"dei|degli|delle|y|e|i|w|na|el|los|las|of|the|and|al|St\.|sur|sous|aux|[ld]['\u2019])"
)
_NAME = rf"(?:{_SMALL}\s)?(?:{_SMALL}\s)?(?:[ld]['\u2019])?(?:[{_UP}0-9][\w.'\u2019\-]{{0,30}})"
_GAP = r"(?:,\s?|\s-\s|\s|\s?/\s?)"
_POSTCODE = (
    r"(?:[0-9]{5}-[0-9]{3}(?![0-9])|[A-Z]{2},?\s[0-9]{5}(?:-[0-9]{4})?"
    r"|[A-Z]{1,2}[0-9][A-Z0-9]?\s?[0-9][A-Z]{2}"
    r"|(?:[A-Z]{1,3}-)?[0-9]{5}(?:-[0-9]{3,4})?"
    r"|[0-9]{4}\s?[A-Z]{2}"
    r"|[0-9]{3}\s[0-9]{2,3}|[0-9]{2}-[0-9]{3}|[0-9]{6}|[0-9]{3}-[0-9]{4})(?![A-Za-z0-9]|-[0-9])"
)
_SEGMENT = (
    rf"(?:[{_UP}0-9º°ª#][\w.'\u2019º°ª/#\-]{{0,30}}|de|do|da|dos|di|del|la|el|en|upon|lgh|tr|m\.|"
    rf"piso|izquierda|derecha|izda\.?|dcha\.?|apto\.?|apt\.?|ap\.|bloco|casa|lote|sala|int\.|interno|bus|hs|bis|the|of|on|am|an|der|im|sur|le|les|{_SMALL})"
)
_CITY = rf"(?:[ ]{_WORD}(?:[ \-]{_WORD}|[ ](?:am|an|der|sur|de|di|do|upon|on)[ ]{_WORD}){{0,2}})?"
_PROVINCE = r"(?:\s?\([A-Z]{2}\)|\s?[/,\-]\s?[A-Z]{2}(?![A-Za-z]))?"
_TAIL = re.compile(rf"(?:{_GAP}{_SEGMENT}){{0,9}}?{_GAP}{_POSTCODE}(?:,?{_CITY}){_PROVINCE}")
_HOUSE = (
    r"[0-9]{1,6}(?:\s?[A-Za-z](?![A-Za-z0-9]|\.\s?[0-9]))?(?![A-Za-z0-9])"
    r"(?:\s?[\-/]\s?[0-9]{1,5}[A-Za-z]?(?![A-Za-z0-9]))?"
)
_UNIT = (
    r"(?:(?:Flat|Apt|Apartment|Unit|Suite|House|Plot|Door|Shop|H|D|Block)\.?\s?(?:No)?\.?\s?"
    r"[A-Z]?-?[0-9]{1,5}[A-Za-z]?(?:[/\-][0-9A-Z]{1,5})?,\s)"
)
_CLEAR = (
    r"Street|Avenue|Ave|Road|Rd|Lane|Boulevard|Blvd|Terrace|Crescent|Parkway|Pkwy|Highway|Hwy|"
    r"Marg|Nagar|Colony|Layout|Enclave|St|street|road|avenue|lane"
)
_VAGUE = (
    r"Ln|Drive|Dr|Court|Ct|Place|Pl|Way|Close|Gardens|Square|Sq|Circle|Trail|Grove|Mews|Hill|Walk|"
    r"Row|View|Rise|Cross|Phase|Sector|Chowk|Bazaar"
)
_ENGLISH = re.compile(
    rf"(?<![A-Za-z0-9.,/\-])(?:{_UNIT})?(?:No\.\s?)?{_HOUSE},?\s(?:[NSEW]{{1,2}}\.?\s)?"
    rf"(?:(?:[{_UP}][\w.'\u2019\-]{{0,30}}|[0-9]{{1,3}}(?:st|nd|rd|th)),?\s){{1,5}}?"
    rf"(?:(?P<clear>{_CLEAR})|{_VAGUE})(?!\w)\.?"
    r"(?:,?\s(?:Apt|Apartment|Suite|Ste|Unit|Flat|#|Floor)\.?\s?#?[0-9A-Za-z\-]{1,6})?"
)
_FRENCH = re.compile(
    r"(?<![A-Za-z0-9.,/\-])[0-9]{1,4}(?:\s?(?:bis|ter|quater|[A-D]))?,?\s"
    r"(?i:rue|avenue|av\.|boulevard|bd|place|allée|impasse|quai|chemin|cours|route|square|passage|"
    rf"faubourg|villa)(?:\s{_NAME}){{1,5}}",
)
_BEFORE_NUMBER = re.compile(
    r"(?<![\w.])(?i:calle|c/|avenida|avda\.?|av\.|plaza|pza\.?|paseo|camino|ronda|carrer|via|viale|"
    r"piazza|piazzale|corso|vicolo|largo|rua|r\.|travessa|alameda|praça|rodovia|estrada|ul\.|"
    r"ulica|ulicy|al\.|aleja|aleje|pl\.|plac|placu|os\.|osiedle)"
    rf"(?:\s?{_NAME})(?:\s{_NAME}){{0,5}}?,?\s(?:(?:n[º°.]{{1,2}}|nº|n|no\.|número)\s?)?{_HOUSE}"
    r"(?:\s(?:m\.|lok\.)\s?[0-9]{1,4})?",
)
_ONE_WORD = re.compile(
    rf"(?:{_WORD}(?:\s{_SMALL}){{0,2}}[\s\-]){{0,3}}[{_UP}a-zäöüåß][\wß.\-]{{0,40}}\s{_HOUSE}"
)
_ANY_NAME = re.compile(
    rf"{_WORD}(?:\s(?:{_SMALL}|{_WORD})){{0,4}}\s[0-9]{{1,4}}\s?[a-zA-Z]?(?![A-Za-z0-9])"
    r"(?:\s?[\-/]\s?[0-9]{1,4}[a-z]?)?(?:,\s?|\n|\s-\s)"
    rf"(?:[A-Z]{{1,2}}-)?(?:[0-9]{{5}}|[0-9]{{4}}\s?[A-Z]{{2}}|[0-9]{{3}}\s[0-9]{{2}}|"
    rf"[0-9]{{2}}-[0-9]{{3}})\s{_WORD}(?:[ \-]{_WORD}){{0,2}}"
)
_JAPANESE = re.compile(
    r"(?:〒?\s?[0-9]{3}-?[0-9]{4}\s*)?(?:東京都|北海道|京都府|大阪府|[一-龥]{2,3}県)"
    r"[一-龥々ぁ-んァ-ヶー\s]{1,30}?[0-9]{1,5}(?:(?:丁目|番地の?|番|号|-|の)[0-9]{0,4}){0,4}(?:号室)?"
    r"(?:\s?(?!電話|携帯|連絡)[一-龥々ァ-ヶー]{2,15}\s?[0-9]{2,4}(?:号室?)?)?"
)
_JAPANESE_POSTCODE = re.compile(r"〒\s?[0-9]{3}-?[0-9]{4}(?![0-9])")
_ROMAN_JAPANESE = re.compile(
    rf"(?<![A-Za-z0-9\-])[0-9]{{1,4}}-[0-9]{{1,4}}(?:-[0-9]{{1,4}})?,?\s{_WORD}(?:,?\s{_WORD}){{1,5}}?,?\s"
    r"[0-9]{3}-[0-9]{4}(?![0-9])"
)
_DIGIT = re.compile("[0-9]")
_LEAD, _REACH, _LONGEST_TAIL = 80, 90, 160


def addresses_near(reading: Reading) -> Iterator[Hit]:
    """Yield the addresses around words for streets that stand apart from the street's name."""
    text, done = reading.text, 0
    for cue in reading.ends.get("street", ()):
        if cue < done or not _DIGIT.search(text, max(0, cue - 50), cue + 60):
            continue
        low, high = max(done, cue - _LEAD), min(len(text), cue + _REACH)
        for pattern in (_ENGLISH, _FRENCH, _BEFORE_NUMBER, _ROMAN_JAPANESE):
            for found in pattern.finditer(text, low, high):
                # The window may have cut it off.
                match = pattern.match(text, found.start()) or found
                tail = _TAIL.match(text, match.end(), match.end() + _LONGEST_TAIL)
                is_clear = pattern is not _ENGLISH or match["clear"]
                if is_clear or tail:
                    end = tail.end() if tail else match.end()
                    yield Hit("street_address", match.start(), end)
                    done = max(done, end)


def addresses_at(text: str, number: int, end: int, *, is_street: bool) -> Iterator[Hit]:
    """Yield the address around a run of digits.

    Args:
        text: The text.
        number: Where the run starts.
        end: Where it ends.
        is_street: The word before it ends like a street; otherwise only a number that a
            postcode and a town follow makes an address.
    """
    low = max(0, number - _LEAD)
    if is_street:
        for match in _ONE_WORD.finditer(text, low, min(len(text), number + 16)):
            if match.end() > number:
                tail = _TAIL.match(text, match.end(), match.end() + _LONGEST_TAIL)
                yield Hit("street_address", match.start(), tail.end() if tail else match.end())
                return
    else:
        for found in _ANY_NAME.finditer(text, low, min(len(text), end + 50)):
            match = _ANY_NAME.match(text, found.start()) or found
            yield Hit("street_address", *match.span())


def japanese_addresses(text: str) -> Iterator[Hit]:
    """Yield addresses in Japanese script, and postcodes with their sign."""
    for pattern in (_JAPANESE, _JAPANESE_POSTCODE):
        yield from (Hit("street_address", *match.span()) for match in pattern.finditer(text))
