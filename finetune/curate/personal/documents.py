"""Numbers and dates that only the words before them make personal.

Passports, driving licences, bank accounts, number plates, dates of birth, names.
"""

import re
from collections.abc import Iterator

from finetune.curate.personal.hit import Hit
from finetune.curate.personal.reading import Reading, codes

__all__ = [
    "bank_accounts",
    "birth_dates",
    "driving_licences",
    "japanese_plates",
    "names",
    "passports",
    "vehicle_plates",
]

_WINDOW = 70
_AND = re.compile(r" ?[,;/&]? ?(?:and|or|und|oder|et|ou|y|o|e|en|och|i|oraz)? ?")
_MONTH = r"[^\W\d_]{3,12}"
_BIRTH_DATE = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:[0-9]{4}|(?:昭和|平成|令和|大正)\ ?[0-9]{1,2})\ ?[-/.年]"
    r"\ ?[0-9]{1,2}\ ?[-/.月]\ ?[0-9]{1,2}日?"
    r"|[0-9]{1,2}\ ?[-/.\ ]\ ?[0-9]{1,2}\ ?[-/.\ ]\ ?(?:[0-9]{4}|[0-9]{2})"
    rf"|[0-9]{{1,2}}(?:\.|st|nd|rd|th|er|º|°|:e|-)?\ ?(?:de\ |of\ |den\ )?{_MONTH}\.?[,\-]?\ ?"
    r"(?:de\ |del\ |of\ )?[0-9]{2,4}"
    rf"|{_MONTH}\.?\ [0-9]{{1,2}}(?:st|nd|rd|th)?,?\ [0-9]{{4}}"
    r"|(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]))(?![A-Za-z0-9])(?![.\-/][0-9])"
)
_ACCOUNT = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z]{4}0[A-Za-z0-9]{6}"
    r"|(?:[A-Za-z]\ ?)?[0-9](?:(?!\. )[ \-./,]{0,2}[0-9]){3,27}(?:\ ?-?\ ?[A-Za-z])?)"
    r"(?![A-Za-z0-9])"
)
# Their numbers are short.
_SHORT = (
    "agência",
    "agencia",
    "conta",
    "clearing",
    "abi",
    "cab",
    "支店番号",
    "店番",
    "code banque",
)
_LONE_ACCOUNT = ("account", "acct", "compte", "conto", "konto", "cuenta")
_JAPANESE_PLATE = re.compile(
    r"[一-龥ぁ-ん]{1,4} ?[0-9]{2,3}[A-Z]? ?[ぁ-んA-Z] ?[0-9・·]{1,2}[- ]?[0-9]{1,2}(?![0-9])"
)
_NAME_WORD = r"(?:[A-ZÀ-ÖØ-ÞĀ-Ž][^\W\d_]*(?:['\u2019\-][^\W\d_]+)*|[A-Z]\.)"
_PARTICLE = r"(?:van|von|der|den|de|da|do|dos|das|di|del|la|bin|al|af|zu)"
_NAME = re.compile(
    rf"[\s:,=\"']{{0,4}}({_NAME_WORD}(?:\ (?:{_PARTICLE}\ ){{0,2}}{_NAME_WORD}){{0,3}})"
)
_JAPANESE_NAME = re.compile(
    r"(?:名前は|氏名は?[:\s]?)\s?(?P<a>[一-龠々ァ-ヶー]{2,10})|(?P<b>[一-龠々ァ-ヶー]{2,10})と(?:申し|いい)ます"
)


def passports(reading: Reading) -> Iterator[Hit]:
    """Yield passport numbers: six to twelve letters and digits after a word for a passport."""
    for cue in reading.ends.get("passport", ()):
        for start, end, value in _chain(reading, cue):
            digits = sum(c.isdigit() for c in value)
            if 6 <= len(value) <= 14 and (len(value) >= 7 or digits >= 6):
                yield Hit("passport", start, end)


def driving_licences(reading: Reading) -> Iterator[Hit]:
    """Yield the numbers of driving licences, whose shapes differ most of all documents."""
    for cue in reading.ends.get("licence", ()):
        for start, end, value in _chain(reading, cue):
            if 5 <= len(value) <= 24 and sum(c.isdigit() for c in value) >= 3:
                yield Hit("driving_licence", start, end)


def vehicle_plates(reading: Reading) -> Iterator[Hit]:
    """Yield number plates: up to ten letters and digits after a word for them."""
    for cue in reading.ends.get("plate", ()):
        for start, end, value in _chain(reading, cue):
            has_letter = any(c.isalpha() for c in value)
            if 4 <= len(value) <= 10 and has_letter and sum(c.isdigit() for c in value) <= 6:
                yield Hit("vehicle_plate", start, end)


def japanese_plates(text: str) -> Iterator[Hit]:
    """Yield Japanese number plates, which no other writing resembles."""
    return (Hit("vehicle_plate", *match.span()) for match in _JAPANESE_PLATE.finditer(text))


def _chain(reading: Reading, cue: int) -> Iterator[tuple[int, int, str]]:
    """Yield the first code after a word that is long enough, and those that follow closely."""
    last = None
    for start, end, value in codes(reading.text, cue, cue + _WINDOW):
        number = next(at for at in range(start, end) if reading.text[at].isdigit())
        if len(value) < 4 or reading.is_business_number(number):
            continue
        if last is not None and not _AND.fullmatch(reading.text[last:start]):
            return
        if not reading.is_one_clause(cue, start):
            return
        yield start, _whole(reading.text, end), value
        last = end


def _whole(text: str, end: int) -> int:
    """Return where a code ends that the window may have cut."""
    while end < len(text) and text[end].isascii() and text[end].isalnum():
        end += 1
    return end


def bank_accounts(reading: Reading) -> Iterator[Hit]:
    """Yield account, routing and branch numbers after words for them."""
    for cue in reading.ends.get("bank", ()):
        word = reading.low[max(0, cue - 12) : cue]
        last = None
        for match in _ACCOUNT.finditer(
            reading.text, cue, min(len(reading.text), cue + _WINDOW + 40)
        ):
            start = match.start()
            is_next = last is not None and _AND.fullmatch(reading.text[last:start])
            if (start > cue + 45 and not is_next) or (last is not None and not is_next):
                break
            if not reading.is_one_clause(cue, start):
                break
            digits = sum(c.isdigit() for c in match.group())
            least = 3 if word.endswith(_SHORT) else 7 if word.endswith(_LONE_ACCOUNT) else 6
            if digits < least and not match.group()[:4].isalpha():
                continue
            if _BIRTH_DATE.fullmatch(match.group()) and digits == 8 and "." in match.group():
                continue
            if reading.is_business_number(match.start()):
                continue
            yield Hit("bank_account", *match.span())
            last = match.end()


def birth_dates(reading: Reading) -> Iterator[Hit]:
    """Yield full dates next to a word for birth."""
    for cue in reading.ends.get("birth", ()):
        match = _BIRTH_DATE.search(reading.text, cue, min(len(reading.text), cue + _WINDOW))
        if match and reading.is_one_clause(cue, match.start()):
            # The window may have cut it off.
            match = _BIRTH_DATE.match(reading.text, match.start()) or match
            yield Hit("date_of_birth", *match.span())
            continue
        before = list(_BIRTH_DATE.finditer(reading.text, max(0, cue - 36), cue))
        if before and cue - before[-1].end() <= 14:
            yield Hit("date_of_birth", *before[-1].span())


def names(reading: Reading) -> Iterator[Hit]:
    """Yield the names that somebody gives as their own."""
    for cue in reading.ends.get("person", ()):
        if match := _NAME.match(reading.text, cue):
            yield Hit("person", *match.span(1))
    if not reading.text.isascii():
        for match in _JAPANESE_NAME.finditer(reading.text):
            yield Hit("person", *match.span(match.lastgroup or 0))
