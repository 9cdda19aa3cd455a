"""All recognisers over one text, each only where it may find something.

Most texts hold no personal data, so what is cheap comes first: is there an at-sign, which runs of
digits are there, and does any word announce something.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

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
from finetune.curate.personal.words import cues, cues_in, japanese_cues

__all__ = ["Search", "find_personal_data", "search"]

_DIGITS = re.compile(r"[0-9](?:[ .,:/()\-]{0,3}[0-9])*")
_FEWEST = 6
_CJK = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
_POSTCODE_LEAD = re.compile(r"[0-9]{5}|[0-9]{3} [0-9]{2}|[0-9]{2}-[0-9]{3}|[0-9]{4}")
_KNOWN_WORDS = frozenset(cues())
_BRACKETED = ("(at", "[at", "{at", "( at", "[ at", "arroba", "(ä", "(@", "[@", "<at", "chiocciola")


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
    tokens = _tokens(reading.low)
    words = _KNOWN_WORDS.intersection(tokens)
    runs = [match.span() for match in _DIGITS.finditer(seen)]
    is_japanese = not seen.isascii() and _CJK.search(seen) is not None
    if words and (runs or "name" in words or not words.isdisjoint(_NAME_WORDS)):
        reading.ends = cues_in(reading.low, set(words))
    if is_japanese:
        for match in japanese_cues().finditer(seen):
            reading.ends.setdefault(match.lastgroup or "", []).append(match.end())  # pyright: ignore
    for ends in reading.ends.values():
        ends.sort()
    hits = list(_without_digits(reading, tokens))
    unsure = False
    if runs:
        hits += _by_words(reading)
        if is_japanese:
            hits += documents.japanese_plates(seen)
            hits += japanese_addresses(seen)
        for start, end in runs:
            if reading.low.endswith(STREET_ENDINGS, 0, max(0, start - 1)):
                hits += addresses_at(seen, start, end, is_street=True)
            if end - start < _FEWEST - 1:
                continue
            if (
                seen[end : end + 1] == " "
                and seen[end + 1 : end + 2].isupper()
                or (seen[end : end + 2].isupper())
            ):
                hits += addresses_at(seen, start, end, is_street=False)
            if end - start < _FEWEST:
                continue
            hits += numbers.ibans_near(seen, start, end)
            hits += numbers.numbers_in(reading, start, end)
            found = phones_near(reading, start, end)
            hits += found.hits
            unsure = unsure or found.unsure
    if not hits:
        return Search([], unsure)
    return Search(merged(Hit(h.kind, *view.original(h.start, h.end)) for h in hits), unsure)


_NAME_WORDS = frozenset(
    "called customer surname family mein heiße heisse appelle llamo nombre chiamo nome mijn heet "
    "chamo heter namn nazywam imię mera naam account given first last full fullname est".split()
)


def _tokens(low: str) -> list[str]:
    """Return the words of a text in lower case, parted at spaces and the usual marks."""
    for mark in ":,.'\u2019_-()\"?!/=;":
        if mark in low:
            low = low.replace(mark, " ")
    return low.split()


def _without_digits(reading: Reading, tokens: list[str]) -> Iterator[Hit]:
    text, low = reading.text, reading.low
    if "@" in text:
        yield from emails(text)
        if "://" in text:
            yield from urls_with_credentials(text)
    if "mail" in reading.ends or any(mark in low for mark in _BRACKETED):
        yield from hidden_emails(text)
    if ":" in text or "-" in text or "." in text:
        yield from network.mac_addresses(text)
    if ":" in text:
        yield from network.ip6_addresses(text)
    longest = max(map(len, tokens), default=0)
    if longest >= 16:
        yield from numbers.tax_codes(text)
    yield from network.crypto_addresses(text, tokens if longest >= 26 else ())
    if "person" in reading.ends:
        yield from documents.names(reading)


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
