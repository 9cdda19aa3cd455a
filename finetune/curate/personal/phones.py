"""Telephone numbers, with `phonenumbers` where it is installed.

A number with a country code, or in a writing that only telephone numbers have, stands alone;
other numbers need a word that announces them. Without the library only international numbers
and those of North America are known, and `unsure` says where one may have been missed.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from finetune.curate.personal.hit import Hit
from finetune.curate.personal.reading import Reading

__all__ = ["Phones", "phone_library", "phones_near"]

_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.,:/#$€£=\-])(?:\+\ ?|\(\+?\ ?|\(00)?"
    r"[0-9](?:(?!\.\ )[ ().\-/]{0,3}[0-9]){6,14}(?![\-./]?[0-9])"
    r"(?:,?\ ?(?:ext|extension|x|durchwahl|dw)\.?\ ?[0-9]{1,5})?",
    re.IGNORECASE,
)
_INTERNATIONAL = re.compile(r"\(?(?:\+|00(?=[1-9][0-9 ]))")
_NORTH_AMERICAN = re.compile(
    r"(?:1[ .\-])?\(?[2-9][0-9]{2}\)?[ .\-]{1,2}[2-9][0-9]{2}[ .\-][0-9]{4}"
)
_TRUNK = re.compile(r"\(?0[1-9][0-9]{0,4}\)?[ \-/.]")
_BRAZILIAN = re.compile(r"\([1-9][0-9]\) ?9?[0-9]{4}[ \-][0-9]{4}")
_BRITISH_MOBILE = re.compile(r"07[0-9]{9}")
_NOT_A_PHONE = re.compile(
    r"[0-9]{4}[\-/.][0-9]{1,2}[\-/.][0-9]{1,2}(?:[ T][0-9: ]*)?"
    r"|[0-9]{1,2}[\-/.][0-9]{1,2}[\-/.][0-9]{4}(?: [0-9: ]*)?"
    r"|97[89][ \-]?[0-9\- ]{10,14}|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9]{1,3}(?:[.,][0-9]{3})+"
    r"|[0-9]{1,2}[.:][0-9]{2} ?- ?[0-9]{1,2}[.:][0-9]{2}"
    r"|[0-9]+\.[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})*-[0-9]{1,3}(?:\.[0-9]{3})*"
    r"|(?:19|20)[0-9]{2} ?[\-/] ?(?:19|20)[0-9]{2}"
)
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "BR", "IN", "SE", "PL", "JP")
_WITH_TRUNK = ("GB", "DE", "FR", "NL", "IN", "SE", "JP", "IT", "BR")
_EXTENSION = re.compile(r",? ?[a-zA-Z]")
_REST = re.compile(r"[0-9][ .\-/]")
_FEWEST, _FEWEST_ABROAD = 7, 8
_MOST_GROUPS_LEFT = 3
_BEFORE, _AFTER = 55, 40


class Phones(NamedTuple):
    """What was found near a run of digits."""

    hits: list[Hit]
    unsure: bool
    """A number may be one, and the library that could tell is missing."""


def phones_near(reading: Reading, start: int, end: int) -> Phones:
    """Return the telephone numbers in and around a run of digits."""
    text, hits, unsure = reading.text, list[Hit](), False
    at, stop = max(0, start - 3), min(len(text), end + 12)
    while match := _NUMBER.search(text, at, stop):
        first, at = match.start(), match.end()
        before = text[max(0, first - 2) : first]
        follows = bool(hits) and hits[-1].end >= first - 2
        if not follows and _REST.match(before) and text[first].isdigit():
            # The rest of a longer number.
            continue
        for span in _shorter(match.group()):
            known = _is_phone(reading, span, first, first + len(span))
            unsure = unsure or known is None
            if known:
                at = first + len(span)
                hits.append(Hit("phone", first, at))
                break
    return Phones(hits, unsure and not hits)


def _shorter(span: str) -> Iterator[str]:
    """Yield a number and what is left when the last groups belong to something else."""
    span = span.rstrip(" (-/.")
    for _ in range(_MOST_GROUPS_LEFT + 1):
        yield span
        span, space, _ = span.rpartition(" ")
        span = span.rstrip(" (-/.")
        if not space or sum(c.isdigit() for c in span) < _FEWEST:
            return


def _is_phone(reading: Reading, span: str, start: int, end: int) -> bool | None:
    """Say whether it is a telephone number; None where only the missing library could say."""
    first = span[0]
    announced = reading.is_announced("phone", start, end, _BEFORE, _AFTER)
    is_british = first == "0" and _BRITISH_MOBILE.fullmatch(span) is not None
    shape = _EXTENSION.split(span)[0] if announced or not span.isdigit() else span
    is_american = first not in "0+" and _NORTH_AMERICAN.fullmatch(shape) is not None
    is_marked = first in "+(" or (
        first == "0" and (span[1] == "0" or _TRUNK.match(span) is not None)
    )
    if not (announced or is_marked or is_american or is_british):
        return False
    if first != "+" and (
        reading.is_business_number(start, "phone")
        or (_NOT_A_PHONE.fullmatch(span) and not (announced and " " in span))
    ):
        return False
    library = phone_library()
    if _INTERNATIONAL.match(span) and sum(c.isdigit() for c in span) >= _FEWEST_ABROAD:
        number = "+" + re.sub(r"^\(?(?:\+|00)\)?", "", span).replace("(0)", "")
        return _is_possible(library, number)
    if is_american:
        return True if library is None or announced else _is_valid(library, span, ("US",))
    if not (announced or is_british or _TRUNK.match(span) or _BRAZILIAN.match(span)):
        return False
    if library is None:
        return None
    regions = _WITH_TRUNK if span.lstrip("(")[0] == "0" else _REGIONS
    return _is_valid(library, span, regions)


@cache
def phone_library() -> Any:
    """Return the module `phonenumbers`, or None where it is not installed."""
    try:
        import phonenumbers
    except ImportError:
        return None
    return phonenumbers


def _is_possible(library: Any, number: str) -> bool:
    if library is None:
        digits = re.sub(r"[^0-9]", "", number)
        return 8 <= len(digits) <= 15 and digits[0] != "0"
    try:
        return bool(library.is_possible_number(library.parse(number, None)))
    except library.NumberParseException:
        return False


def _is_valid(library: Any, number: str, regions: tuple[str, ...]) -> bool:
    for region in regions:
        try:
            parsed = library.parse(number, region)
        except library.NumberParseException:
            continue
        if library.is_valid_number_for_region(parsed, region):
            return True
    return False
