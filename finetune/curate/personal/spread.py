"""The same values elsewhere in a text, in other writings.

A value that was found once is personal wherever it stands: without its spaces, in other case,
a telephone number without its country code, a date of birth with the year first.
"""

from collections.abc import Iterator

from finetune.curate.personal.hit import Hit, Kind
from finetune.curate.personal.view import goes_on, lowered, view_of

__all__ = ["identity", "spread"]

_SHORTEST = 4
_PHONE_TAIL = 8
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
    places = [at for at, character in enumerate(low) if character.isalnum()]
    plain = "".join(low[at] for at in places)
    lengths = sorted({len(value) for value in wanted}, reverse=True)
    for first, place in enumerate(places):
        if goes_on(low, place - 1):
            continue
        for length in lengths:
            last = first + length - 1
            kind = wanted.get(plain[first : last + 1]) if last < len(places) else None
            if kind and not goes_on(low, places[last] + 1) and _is_close(places, first, last):
                yield Hit(kind, *view.original(place, places[last] + 1))
    if tails:
        for last, place in enumerate(places):
            first = last - _PHONE_TAIL + 1
            if first < 0 or plain[first : last + 1] not in tails or goes_on(low, place + 1):
                continue
            if _is_close(places, first, last):
                start = places[first]
                while start and low[start - 1] in "0123456789+(":
                    start -= 1
                yield Hit("phone", *view.original(start, place + 1))


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
