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
_CJK = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
_LATIN = re.compile("[a-z]+")
_KNOWN_WORDS = frozenset(cues())
_BRACKETED = re.compile(r"[(\[{<] ?(?:at|ät|arroba|chiocciola|małpa|@) ?[)\]}>]")
_BRACKETS = "([{<"
_WITHOUT_DIGITS: frozenset[Topic] = frozenset(("person", "mail"))
_OPENING = ("+", "(", "-", ".", "/")
_POSTCODE = re.compile(r"[0-9]{5}|[0-9]{4}|[0-9]{3} [0-9]{2}|[0-9]{2}-[0-9]{3}")
# Dates, times, and numbers with points or commas in them.
_HARMLESS = re.compile(
    r"(?:19|20)[0-9]{2}[-/.][0-9]{1,2}[-/.][0-9]{1,2}(?: [0-9]{1,2}:[0-9: ]+)?"
    r"|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:19|20)[0-9]{2}(?:,? [0-9]{1,2}:[0-9: ]+)?"
    r"|[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?|[0-9]+\.[0-9]+"
    r"|[0-9]{1,2}:[0-9]{2}(?: ?- ?|:)[0-9]{1,2}:?[0-9]{2}"
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
    tokens = _tokens(reading.low)
    is_japanese = not seen.isascii() and _CJK.search(seen) is not None
    if is_japanese:
        tokens += _LATIN.findall(reading.low)
    runs = [match.span() for match in _DIGITS.finditer(seen)]
    reading.ends = _announcements(reading, tokens, has_digits=bool(runs), is_japanese=is_japanese)
    hits = list(_without_digits(reading, tokens))
    unsure = False
    if runs:
        hits += _by_words(reading)
        if is_japanese:
            hits += documents.japanese_plates(seen)
            hits += japanese_addresses(seen)
        for start, end in runs:
            found = _around(reading, start, end)
            hits += found.hits
            unsure = unsure or found.unsure
    if not hits:
        return Search([], unsure)
    return Search(merged(Hit(h.kind, *view.original(h.start, h.end)) for h in hits), unsure)


def _announcements(
    reading: Reading, tokens: list[str], *, has_digits: bool, is_japanese: bool
) -> dict[Topic, list[int]]:
    """Return where the words end that announce something, in order."""
    words = _KNOWN_WORDS.intersection(tokens)
    if not has_digits:
        # Only names and spelled-out addresses need no digit.
        words = {word for word in words if not _WITHOUT_DIGITS.isdisjoint(_topics(word))}
    ends = cues_in(reading.low, words) if words else {}
    if is_japanese:
        for match in japanese_cues().finditer(reading.text):
            ends.setdefault(cast("Topic", match.lastgroup), []).append(match.end())
    for listed in ends.values():
        listed.sort()
    return ends


def _topics(word: str) -> list[Topic]:
    return [cue.topic for cue in cues()[word]]


def _around(reading: Reading, start: int, end: int) -> Search:
    """Return what a run of digits and what stands around it are."""
    text, hits = reading.text, list[Hit]()
    if reading.low.endswith(STREET_ENDINGS, 0, max(0, start - 1)):
        hits += addresses_at(text, start, end, is_street=True)
    length = end - start
    if length < _FEWEST - 1:
        return Search(hits, unsure=False)
    following = text[end : end + 2]
    if following[:1] in (" ", "") or following.isupper():
        if following[1:].isupper() and _POSTCODE.search(text, start, end):
            hits += addresses_at(text, start, end, is_street=False)
    before = text[max(0, start - 2) : start]
    is_lone = not (before.isalnum() or following[:1].isalpha() or before[-1:] in _OPENING)
    if length < _FEWEST or (is_lone and _HARMLESS.fullmatch(text, start, end)):
        return Search(hits, unsure=False)
    is_short = length < 13 and is_lone and text[start:end].isdigit()
    if is_short and text[start] != "0" and "phone" not in reading.ends:
        if not text[max(0, start - 3) : start].strip(" -").isalpha() and following[:1] not in (
            "-",
            " ",
        ):
            return Search(hits, unsure=False)
    if text[max(0, start - 14) : start].strip():
        hits += numbers.ibans_near(text, start, end)
    hits += numbers.numbers_in(reading, start, end)
    phones = phones_near(reading, start, end)
    return Search(hits + phones.hits, phones.unsure)


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
    has_bracket = any(bracket in text for bracket in _BRACKETS)
    if "mail" in reading.ends or "arroba" in tokens or (has_bracket and _BRACKETED.search(low)):
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
