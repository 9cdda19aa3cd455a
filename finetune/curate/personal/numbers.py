"""Numbers that give themselves away: cards, IBANs, and identity numbers with check digits.

Weak numbers, such as nine digits that satisfy mod 11, count only where a word announces them.
"""

import re
import string
from collections.abc import Callable, Iterator

from finetune.curate.personal import checksums
from finetune.curate.personal.hit import Hit, Kind
from finetune.curate.personal.reading import Reading

__all__ = ["IBAN_LEAD", "announced_identities", "ibans_near", "numbers_in", "tax_codes"]

_IBAN_HEAD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?=[ \-]?[A-Za-z0-9])")
_GOES_ON = re.compile("-?[A-Za-z0-9]")
IBAN_LEAD = 14
"""How far before a run of digits an IBAN may begin: `MT84 MALT `, `IT60 X 05428`."""
_SHAPES = re.compile(
    r"""(?<![A-Za-z0-9])(?:
      (?P<card>[0-9]{13,19}
        | [0-9]{4}(?P<s1>[ \-.]{1,2})[0-9]{4}(?P=s1)[0-9]{4}(?P=s1)[0-9]{1,4}(?:(?P=s1)[0-9]{1,3})?
        | [0-9]{4}(?P<s2>[ \-.])[0-9]{6}(?P=s2)[0-9]{4,5})
    | (?P<ssn>[0-9]{3}(?P<s3>[ \-])[0-9]{2}(?P=s3)[0-9]{4})
    | (?P<cpf>[0-9]{3}\.[0-9]{3}\.[0-9]{3}[\-/.][0-9]{2})
    | (?P<aadhaar>[2-9][0-9]{3}(?P<s4>[ \-])[0-9]{4}(?P=s4)[0-9]{4})
    | (?P<personnummer>(?:18|19|20)?[0-9]{6}\ ?[\-+]\ ?[0-9]{4})
    | (?P<insee>[1278][ .]?[0-9]{2}[ .]?[0-9]{2}[ .]?[0-9][0-9ABab][ .]?[0-9]{3}[ .]?[0-9]{3}
        [ .\-]{0,3}[0-9]{2})
    | (?P<steuer>[0-9]{2}[ ][0-9]{3}[ ][0-9]{3}[ ][0-9]{3})
    | (?P<dni>(?:[0-9]{8}-?|[0-9]{2}\.[0-9]{3}\.[0-9]{3}\ ?-?)[A-Za-z]
        | [XYZxyz][ \-]?[0-9]{7}[ \-]?[A-Za-z])
    | (?P<nino>[A-Z]{2}[ \-]?[0-9]{2}[ \-]?[0-9]{2}[ \-]?[0-9]{2}[ \-]?[A-D])
    )(?![A-Za-z0-9])(?![.\-/][0-9])""",
    re.VERBOSE,
)
_CHECKS: dict[str, tuple[Kind, Callable[[str], bool]]] = {
    "card": ("payment_card", checksums.is_card),
    "ssn": ("us_ssn", checksums.is_ssn),
    "cpf": ("national_id", checksums.holds_cpf),
    "aadhaar": ("national_id", checksums.holds_aadhaar),
    "personnummer": ("national_id", checksums.holds_personnummer),
    "insee": ("national_id", checksums.holds_insee),
    "steuer": ("national_id", checksums.holds_steuer_id),
    "dni": ("national_id", checksums.holds_dni),
    "nino": ("national_id", checksums.holds_nino),
}
_TAX_CODE = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{3} ?[A-Za-z]{3} ?[0-9L-Vl-v]{2}[A-Ta-t][0-9L-Vl-v]{2} ?"
    r"[A-Za-z][0-9L-Vl-v]{3}[A-Za-z](?![A-Za-z0-9])"
)
_IDENTITY = re.compile(
    r"(?<![A-Za-z0-9])(?<![0-9][.\-/])(?:[XYZxyz][ \-]?(?=[0-9]))?"
    r"(?:[A-Za-z]{2}[ \-]?(?=[0-9]{2}))?"
    r"[0-9](?:(?!\. )[ .\-/+]{0,3}[0-9]|(?<=[0-9])[AaBb](?=[ .]?[0-9])){6,14}(?:[ \-]?[A-Za-z])?"
    r"(?![A-Za-z0-9])"
)
_ANNOUNCED = (
    checksums.holds_nhs,
    checksums.holds_nino,
    checksums.holds_steuer_id,
    checksums.holds_dni,
    checksums.holds_insee,
    checksums.holds_bsn,
    checksums.holds_cpf,
    checksums.holds_aadhaar,
    checksums.holds_personnummer,
    checksums.holds_pesel,
    checksums.holds_my_number,
    checksums.is_itin,
)
_DATE = re.compile(r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}(?: [0-9]{1,2})?")
_LETTERS = f"{string.ascii_letters} "
_SOCIAL = re.compile(r"(?<![a-z])ssn|social")
_BEFORE, _AFTER = 40, 70


def _holds(value: str) -> bool:
    return any(holds(value) for holds in _ANNOUNCED)


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isalnum()).upper()


def numbers_in(reading: Reading, start: int, end: int) -> Iterator[Hit]:
    """Yield the cards and identity numbers in and around a run of digits."""
    text = reading.text
    for match in _SHAPES.finditer(text, max(0, start - 3), min(len(text), end + 18)):
        name = match.lastgroup or ""
        first, last = match.span()
        value = _plain(match.group())
        if match.end() == min(len(text), end + 18) and text[last : last + 1].isalnum():
            continue
        before = text[max(0, first - 2) : first]
        if len(before) == 2 and before[0].isdigit() and before[1] in ".-/":
            continue
        kind, holds = _CHECKS[name]
        if name == "ssn" and checksums.is_itin(value):
            yield Hit("national_id", first, last)
        elif holds(value) or (name == "card" and checksums.holds_insee(value)):
            goes_on = text[last : last + 1] in (" ", "-") and text[last + 1 : last + 2].isdigit()
            if (value == match.group() or goes_on) and reading.is_business_number(first):
                continue
            insee = name == "card" and not checksums.is_card(value)
            yield Hit("national_id" if insee else kind, first, last)


def ibans_near(text: str, start: int, end: int) -> Iterator[Hit]:
    """Yield the IBANs that a run of digits is a part of."""
    for head in _IBAN_HEAD.finditer(text, max(0, start - IBAN_LEAD), end):
        first = head.start()
        length = checksums.IBAN_LENGTHS.get(text[first : first + 2].upper())
        if length is None:
            continue
        at, value = first, ""
        while at < len(text) and len(value) < length:
            if text[at].isascii() and text[at].isalnum():
                value += text[at].upper()
            elif text[at] not in " -." or not text[at - 1].isalnum():
                break
            at += 1
        written = text[first:at]
        # Parts of a UUID may satisfy the check, too.
        is_even = "-" not in written or all(len(part) == 4 for part in written.split("-")[:-1])
        if is_even and not _GOES_ON.match(text, at) and checksums.holds_iban(value):
            yield Hit("iban", first, at)


def tax_codes(text: str) -> Iterator[Hit]:
    """Yield the Italian tax codes of a text, which hold letters more than digits."""
    for match in _TAX_CODE.finditer(text):
        if checksums.holds_codice_fiscale(_plain(match.group())):
            yield Hit("national_id", *match.span())


def announced_identities(reading: Reading) -> Iterator[Hit]:
    """Yield identity numbers of any writing whose check digits hold near a word for them."""
    text = reading.text
    for cue in reading.ends.get("identity", ()):
        low, high = max(0, cue - _BEFORE), min(len(text), cue + _AFTER)
        for found in _IDENTITY.finditer(text, low, high):
            # The window may have cut it off.
            match = _IDENTITY.match(text, found.start()) or found
            first, last = match.span()
            value = _plain(match.group())
            if text[last : last + 1].isalnum() and text[last].isascii():
                continue
            if not reading.is_one_clause(min(cue, last), max(cue, first)):
                continue
            if reading.is_business_number(first, "identity"):
                continue
            if not _holds(value):
                # Short words may stand right before and after the number.
                while not text[first].isdigit():
                    first += 1
                while not text[last - 1].isdigit():
                    last -= 1
                value = _plain(text[first:last])
            if _DATE.fullmatch(text[first:last].lstrip(_LETTERS)):
                continue
            is_social = _SOCIAL.search(reading.low, max(0, cue - 20), min(len(text), cue + 20))
            if is_social and checksums.is_ssn(value):
                yield Hit("us_ssn", first, last)
            elif _holds(value):
                yield Hit("national_id", first, last)
        for match in _TAX_CODE.finditer(text, low, high):
            if checksums.holds_codice_fiscale(_plain(match.group())):
                yield Hit("national_id", *match.span())
