"""A text while it is searched: its lower-case twin, where words announce something, its labels."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from finetune.curate.personal.words import Topic

__all__ = ["Reading", "codes"]

# Numbers with such a label are those of a business and nobody's own.
_OTHER = re.compile(
    r"(?<![a-z])order|invoice|tracking|shipment|parcel|ticket|article|artikel|serial|sku|isbn|issn|ean|upc|"
    r"imei|batch|build|commit|version|versie|versi[oó]n|vers[aã]o|wersj|バージョン|"
    r"model|product|part n|item|bestell|rechnung|auftrag|sendung|"
    r"vorgang|commande|facture|colis|référence|pedido|factura|env[ií]o|ordine|fattura|"
    r"spedizione|bestelling|factuur|zending|fatura|nota fiscal|rastreio|zamówieni|faktur|paczk|"
    r"beställning|paket|注文|請求|追跡|型番|timestamp|unix|epoch|coordinate|latitude|longitude|gps|ndc|"
    r"order_id|transaction|case n|case id|reference|ref\b|ref\.|doi|hash|checksum|numer seryjny"
)
_NEAR = 26
# Not the point of an abbreviation, and not a question, which the value answers.
_STOP = re.compile(r"(?:\w{4}|[0-9][A-Za-z]?)[.!](?![0-9])|[\n\0。]")


@dataclass(slots=True)
class Reading:
    """What the recognisers know of a text before they look closely."""

    text: str
    low: str
    """The text in lower case, character by character."""
    ends: dict[Topic, list[int]] = field(default_factory=dict[Topic, list[int]])
    """Where the words end that announce something, in order."""

    def is_business_number(self, start: int, topic: Topic | None = None) -> bool:
        """Say whether the words right before a number make it an order's, an article's or so.

        Words of the topic that stand nearer to the number prevail.
        """
        labels = [match.end() for match in _OTHER.finditer(self.low, max(0, start - _NEAR), start)]
        if not labels or _STOP.search(self.text, max(0, labels[-1] - 4), start):
            return False
        ends = self.ends.get(topic, ()) if topic else ()
        return not any(labels[-1] < end <= start for end in ends)

    def is_one_clause(self, start: int, end: int) -> bool:
        """Say whether what stands between a word and a value belongs to one statement."""
        after = 0
        for stop in _STOP.finditer(self.text, max(0, start - 4), end):
            after = stop.end()
        return after <= start or not any(c.isalpha() for c in self.text[after:end])

    def is_announced(self, topic: Topic, start: int, end: int, before: int, after: int) -> bool:
        """Say whether words of a topic end so many characters before a span, or soon after it."""
        ends = self.ends.get(topic)
        if not ends:
            return False
        nearest = bisect_right(ends, start) - 1
        if nearest >= 0 and ends[nearest] >= start - before:
            is_before = self.is_one_clause(ends[nearest], start)
        else:
            is_before = False
        following = bisect_left(ends, end)
        return is_before or (
            following < len(ends)
            and ends[following] <= end + after
            and self.is_one_clause(end, ends[following])
        )


_TOKEN = re.compile(r"[A-Za-zÄÖÜäöü0-9]+")
_JOIN = (" ", "-", ".", "/", " - ", "·")
_LONGEST_CODE = 32
_DATE = re.compile(
    r"(?:[0-9]{1,2}[./-][0-9]{1,2}[./-](?:[0-9]{4}|[0-9]{2})|[0-9]{4}-[0-9]{2}-[0-9]{2})"
)


def codes(text: str, start: int, stop: int) -> Iterator[tuple[int, int, str]]:
    """Yield the runs of tokens that look like a number on a document, from left to right.

    A token belongs to a run when it holds a digit, or is short and in capitals beside one that
    does. Dates are left out.

    Yields:
        Where a run starts and ends, and its letters and digits.
    """
    run: list[tuple[int, int]] = []
    for match in _TOKEN.finditer(text, start, min(len(text), stop + _LONGEST_CODE)):
        if match.start() >= stop and not run:
            return
        token = match.group()
        has_digit = any(c.isdigit() for c in token)
        fits = has_digit or (len(token) <= 6 and token.isupper())
        if run and (not fits or text[run[-1][1] : match.start()] not in _JOIN):
            yield from _ended(text, run)
            run = []
        if fits:
            run.append(match.span())
    yield from _ended(text, run)


def _ended(text: str, run: list[tuple[int, int]]) -> Iterator[tuple[int, int, str]]:
    if not run:
        return
    start, end = run[0][0], run[-1][1]
    span = text[start:end]
    if any(c.isdigit() for c in span) and not _DATE.fullmatch(span):
        yield start, end, "".join(c for c in span if c.isalnum())
