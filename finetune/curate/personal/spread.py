"""The same values elsewhere in a text, in other writings.

A value that was found once is personal wherever it stands: without its spaces, in other case,
a telephone number without its country code, a date of birth with the year first.
"""

from collections.abc import Collection, Iterator
from itertools import compress

from finetune.curate.personal.hit import Hit, Kind
from finetune.curate.personal.view import goes_on, lowered, view_of

__all__ = ["identity", "spread"]

_SHORTEST = 4
_PHONE_TAIL = 8
_FEW = 8
"""Values up to which one search for each is faster than a look at each place."""
# So much may stand between two characters of a value: ` (0)`, ` - `.
_WIDEST_GAP = 3


def identity(kind: Kind, value: str) -> str:
    """Return what two writings of one value have in common."""
    plain = "".join(c for c in lowered(view_of(value).text) if c.isalnum())
    return plain[-_PHONE_TAIL:] if kind == "phone" else plain


def spread(text: str, hits: list[Hit]) -> Iterator[Hit]:
    """Yield all other places of a text where the values of some hits stand.

    The work grows with the text's length times the number of different lengths of values.
    """
    wanted: dict[str, Kind] = {}
    tails: set[str] = set()
    for hit in hits:
        for plain in _writings(hit.kind, text[hit.start : hit.end]):
            if len(plain) >= _SHORTEST:
                wanted.setdefault(plain, hit.kind)
        tail = identity(hit.kind, text[hit.start : hit.end])
        if hit.kind == "phone" and len(tail) == _PHONE_TAIL:
            tails.add(tail)
    if not wanted:
        return
    view = view_of(text)
    low = lowered(view.text)
    is_kept = list(map(str.isalnum, low))
    places = list(compress(range(len(low)), is_kept))
    plain = "".join(compress(low, is_kept))
    for first, value in _occurrences(plain, wanted):
        last = first + len(value) - 1
        start, end = places[first], places[last] + 1
        if not (goes_on(low, start - 1) or goes_on(low, end)) and _is_close(places, first, last):
            yield Hit(wanted[value], *view.original(start, end))
    for first, tail in _occurrences(plain, tails):
        last = first + len(tail) - 1
        start, end = places[first], places[last] + 1
        if not goes_on(low, end) and _is_close(places, first, last):
            while start and low[start - 1] in "0123456789+(":
                start -= 1
            yield Hit("phone", *view.original(start, end))


def _occurrences(text: str, values: Collection[str]) -> Iterator[tuple[int, str]]:
    """Yield all places where values stand in a text."""
    if len(values) > _FEW:
        lengths = {len(value) for value in values}
        for first in range(len(text)):
            for length in lengths:
                value = text[first : first + length]
                if value in values:
                    yield first, value
        return
    for value in values:
        first = text.find(value)
        while first >= 0:
            yield first, value
            first = text.find(value, first + 1)


def _writings(kind: Kind, value: str) -> Iterator[str]:
    plain = "".join(c for c in lowered(view_of(value).text) if c.isalnum())
    yield plain
    if kind == "date_of_birth" and len(plain) == 8 and plain.isdigit():
        if plain[:2] in ("18", "19", "20"):
            yield from (plain[6:] + plain[4:6] + plain[:4], plain[4:] + plain[:4])
        else:
            yield from (plain[4:] + plain[2:4] + plain[:2], plain[4:] + plain[:4])


def _is_close(places: list[int], first: int, last: int) -> bool:
    if places[last] - places[first] == last - first:
        return True
    return all(places[at + 1] - places[at] - 1 <= _WIDEST_GAP for at in range(first, last))
