"""All recognisers over one text, each only where it may find something.

Most texts hold no personal data, so what is cheap comes first: is there an at-sign, which runs of
digits are there, and does any word announce something.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, cast

from finetune.curate.personal import documents, network, numbers
from finetune.curate.personal.hit import Hit, merged
from finetune.curate.personal.mail import emails, hidden_emails, urls_with_credentials
from finetune.curate.personal.phones import phones_near
from finetune.curate.personal.places import (
    STREET_ENDINGS,
    addresses_at,
    addresses_near,
    japanese_addresses,
)
from finetune.curate.personal.reading import Reading
from finetune.curate.personal.view import lowered, view_of
from finetune.curate.personal.words import Topic, cues, cues_in, japanese_cues

__all__ = ["Search", "find_personal_data", "search"]

_DIGITS = re.compile(r"[0-9](?:[ .,:/()\-]{0,3}[0-9])*")
_FEWEST = 6
# The first bytes of kana and of Chinese characters in UTF-8.
_CJK_LEADS = tuple(bytes([lead]) for lead in range(0xE3, 0xEA))
_LATIN = re.compile("[a-z0-9]+")
_KNOWN_WORDS = frozenset(word.encode() for word in cues())
_WITHOUT_DIGITS = frozenset(
    word.encode()
    for word, listed in cues().items()
    if any(cue.topic in ("person", "mail") for cue in listed)
)
_APOSTROPHE = "\u2019".encode()
_MARKS = b"\0#:,.'_-()\"?!/=;[]{}<>"
_PARTED = bytes.maketrans(_MARKS, b" " * len(_MARKS))
_WORD = re.compile("[A-Za-z0-9]+")
_LONG_WORD = re.compile("[A-Za-z0-9]{16}")
_BRACKETED = re.compile(r"[(\[{<] ?(?:at|ät|arroba|chiocciola|małpa|@) ?[)\]}>]")
_FEWEST_OF_CARDS = 13
# `219-09-9999`.
_SHORTEST_SHAPE = 11
_STREET_ENDS = frozenset(ending[-1] for ending in STREET_ENDINGS)
_TAX_CODE = 16
_OPENING = ("+", "(", "-", ".", "/")
_POSTCODE = re.compile(r"[0-9]{5}|[0-9]{4}|[0-9]{3} [0-9]{2}|[0-9]{2}-[0-9]{3}")
# Dates, times, numbers with points or commas in them, ISBNs, coordinates.
_HARMLESS = re.compile(
    r"(?:19|20)[0-9]{2}[-/.][0-9]{1,2}[-/.][0-9]{1,2}(?: [0-9]{1,2}:[0-9: ]+)?"
    r"|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:19|20)[0-9]{2}(?:,? [0-9]{1,2}:[0-9: ]+)?"
    r"|[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?|[0-9]+\.[0-9]+"
    r"|[0-9]{1,2}:[0-9]{2}(?: ?- ?|:)[0-9]{1,2}:?[0-9]{2}"
    r"|97[89](?:-?[0-9]){10}|[0-9]{3}-[0-9]{7}-[0-9]{7}"
    r"|[0-9]{1,3}\.[0-9]{4,}, -?[0-9]{1,3}\.[0-9]{4,}"
)


class Search(NamedTuple):
    """What a text holds."""

    hits: list[Hit]
    """In order, without overlaps."""
    unsure: bool
    """A telephone number may be among the rest, and `phonenumbers` is not installed."""


def find_personal_data(text: str) -> list[Hit]:
    """Return the personal data in a text, in order and without overlaps.

    A hit covers the whole value, and where two kinds overlap, both.
    """
    return search(text).hits


def search(text: str) -> Search:
    """Return the personal data in a text, and whether something was left open."""
    view = view_of(text)
    seen = view.text
    reading = Reading(seen, lowered(seen))
    raw = reading.low.encode("utf-8", "surrogatepass")
    is_japanese = not seen.isascii() and any(lead in raw for lead in _CJK_LEADS)
    runs = [match.span() for match in _DIGITS.finditer(seen)]
    reading.ends = _announcements(reading, raw, has_digits=bool(runs), is_japanese=is_japanese)
    hits = list(_without_digits(reading))
    unsure = False
    if runs:
        hits += _by_words(reading)
        if is_japanese:
            hits += documents.japanese_plates(seen)
            hits += japanese_addresses(seen)
        is_mixed = False
        for start, end in runs:
            if not is_mixed and (
                seen[start - 1 : start].isalpha() or seen[end : end + 1].isalpha()
            ):
                near = _LONG_WORD.search(seen, max(0, start - _TAX_CODE), end + _TAX_CODE)
                is_mixed = near is not None
            # One character is much cheaper to look at than all endings.
            may_be_street = reading.low[max(0, start - 2) : start - 1] in _STREET_ENDS
            if may_be_street and reading.low.endswith(STREET_ENDINGS, 0, start - 1):
                hits += addresses_at(seen, start, end, is_street=True)
            if end - start >= _FEWEST - 1:
                unsure |= _around(reading, start, end, hits)
        if is_mixed:
            hits += _mixed(seen)
    if not hits:
        return Search([], unsure)
    return Search(merged(Hit(h.kind, *view.original(h.start, h.end)) for h in hits), unsure)


def _announcements(
    reading: Reading, raw: bytes, *, has_digits: bool, is_japanese: bool
) -> dict[Topic, list[int]]:
    """Return where the words end that announce something, in order."""
    words = _KNOWN_WORDS.intersection(_tokens(raw))
    if is_japanese:
        words |= _KNOWN_WORDS.intersection(word.encode() for word in _LATIN.findall(reading.low))
    if words and not has_digits:
        # Only names and spelled-out addresses need no digit.
        words &= _WITHOUT_DIGITS
    ends = cues_in(reading.low, {word.decode() for word in words}) if words else {}
    if is_japanese:
        for match in japanese_cues().finditer(reading.text):
            ends.setdefault(cast("Topic", match.lastgroup), []).append(match.end())
    for listed in ends.values():
        listed.sort()
    return ends


def _tokens(raw: bytes) -> list[bytes]:
    """Return the words of a text in UTF-8, which is split faster than a string."""
    if _APOSTROPHE in raw:
        raw = raw.replace(_APOSTROPHE, b" ")
    return raw.translate(_PARTED).split()


def _around(reading: Reading, start: int, end: int, hits: list[Hit]) -> bool:
    """Add what a long run of digits is, together with what stands around it.

    Returns:
        Whether it may be a telephone number that only the missing library knows.
    """
    text = reading.text
    run, before, following = text[start:end], text[max(0, start - 2) : start], text[end : end + 2]
    is_named = following[1:].isupper() and (following[0] == " " or following.isupper())
    if is_named and _POSTCODE.search(run):
        hits += addresses_at(text, start, end, is_street=False)
    if end - start < _FEWEST:
        return False
    is_lone = not (before.isalnum() or following[:1].isalpha() or before[-1:] in _OPENING)
    is_plain = run.isdigit()
    if is_lone and not is_plain and _HARMLESS.fullmatch(run):
        return False
    hits += numbers.ibans_near(text, start, end)
    # The letters that belong to a Spanish or a British number; other numbers are longer.
    has_letters = (
        not is_lone or before[:1].isupper() or following[:1] == "-" or following[1:].isupper()
    )
    is_long = end - start >= (_FEWEST_OF_CARDS if is_plain else _SHORTEST_SHAPE)
    if (has_letters or is_long) and ":" not in run:
        hits += numbers.numbers_in(reading, start, end)
    if is_plain and run[0] != "0" and before[-1:] not in _OPENING and "phone" not in reading.ends:
        return False
    phones = phones_near(reading, start, end)
    hits += phones.hits
    return phones.unsure


def _without_digits(reading: Reading) -> Iterator[Hit]:
    text = reading.text
    if "@" in text:
        yield from emails(text)
        if "://" in text:
            yield from urls_with_credentials(text)
    has_bracket = "(" in text or "[" in text or "{" in text or "<" in text
    if "mail" in reading.ends or (has_bracket and _BRACKETED.search(reading.low)):
        yield from hidden_emails(text)
    if ":" in text:
        yield from network.ip6_addresses(text)
    yield from network.mac_addresses(text)
    if "person" in reading.ends:
        yield from documents.names(reading)


def _mixed(text: str) -> Iterator[Hit]:
    """Yield what mixes letters and digits in one long word."""
    chunks = [chunk for chunk in text.split() if len(chunk) >= _TAX_CODE]
    long = [word for chunk in chunks for word in _WORD.findall(chunk) if len(word) >= _TAX_CODE]
    if any(len(word) == _TAX_CODE and word[:6].isalpha() for word in long):
        yield from numbers.tax_codes(text)
    yield from network.crypto_addresses(text, long)


def _by_words(reading: Reading) -> Iterator[Hit]:
    yield from network.ip4_addresses(reading.text, reading.low)
    ends = reading.ends
    if "identity" in ends:
        yield from numbers.announced_identities(reading)
    if "passport" in ends:
        yield from documents.passports(reading)
    if "licence" in ends:
        yield from documents.driving_licences(reading)
    if "bank" in ends:
        yield from documents.bank_accounts(reading)
    if "birth" in ends:
        yield from documents.birth_dates(reading)
    if "plate" in ends:
        yield from documents.vehicle_plates(reading)
    if "street" in ends:
        yield from addresses_near(reading)
