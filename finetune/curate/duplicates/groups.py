"""From pairs that are alike to who stays: buckets, groups, and the best of each."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Copy", "Groups", "Refused", "best_first", "neighbours"]

_WINDOW: Final = 32
"""Neighbours that a row of a crowded bucket is compared with, so that cost stays linear."""


_MOST_REFUSED: Final = 20_000_000
"""Pairs, of eight bytes each."""


class Copy(NamedTuple):
    """A row that another one stands for."""

    position: int
    twin: int
    """The row that stays."""
    similarity: float


def best_first(ranks: "NDArray[np.generic]") -> "NDArray[np.int64]":
    """Return all positions, those of the higher rank first, then the earlier ones."""
    import numpy as np

    return np.lexsort((np.arange(len(ranks)), -ranks.astype(np.int64)))


def neighbours(
    keys: "NDArray[np.uint64]", order_within: "NDArray[np.uint64]", window: int = _WINDOW
) -> "Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]":
    """Yield pairs of positions that have the same key.

    All pairs of a bucket come, unless it is crowded: then each row comes with those that stand
    next to it, in the order of the second array.
    """
    import numpy as np

    order = np.lexsort((order_within, keys))
    ordered = keys[order]
    for step in range(1, min(window, len(keys))):
        same = ordered[step:] == ordered[:-step]
        if not same.any():
            return
        yield order[:-step][same], order[step:][same]


class Refused:
    """Pairs that were compared and are not alike, for most come up in several bands."""

    def __init__(self, count: int) -> None:
        import numpy as np

        self._count = count
        self._pairs: NDArray[np.int64] = np.zeros(0, np.int64)

    def without(
        self, first: "NDArray[np.int64]", second: "NDArray[np.int64]"
    ) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
        """Return the pairs that were not compared yet."""
        import numpy as np

        if not len(self._pairs):
            return first, second
        pairs = self._names(first, second)
        at = np.minimum(np.searchsorted(self._pairs, pairs), len(self._pairs) - 1)
        is_new = self._pairs[at] != pairs
        return first[is_new], second[is_new]

    def add(self, first: "NDArray[np.int64]", second: "NDArray[np.int64]") -> None:
        """Remember pairs, as long as there is room."""
        import numpy as np

        if len(self._pairs) < _MOST_REFUSED and len(first):
            self._pairs = np.concatenate((self._pairs, self._names(first, second)))
            self._pairs.sort()

    def _names(
        self, first: "NDArray[np.int64]", second: "NDArray[np.int64]"
    ) -> "NDArray[np.int64]":
        import numpy as np

        return np.minimum(first, second) * self._count + np.maximum(first, second)


class Groups:
    """Positions joined into groups by pairs (union-find)."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def join(self, first: int, second: int) -> None:
        """Put two positions, and all that was joined to them, into one group."""
        a, b = self._root(first), self._root(second)
        if a != b:
            self._parent[max(a, b)] = min(a, b)

    def labels(self) -> "NDArray[np.int64]":
        """Return for each position its group's name: the earliest position in it."""
        import numpy as np

        found = np.array(self._parent, np.int64)
        while True:
            further = found[found]
            if np.array_equal(further, found):
                return found
            found = further

    def copies(
        self,
        ranks: "NDArray[np.generic]",
        similarity: "Callable[[int, NDArray[np.int64]], NDArray[np.float64]]",
        least: float,
    ) -> Iterable[Copy]:
        """Yield the members of groups that the best member stands for.

        A chain of small differences can lead far away, so members that are less alike than `least`
        do not follow it: the best of those stays, too, and so on.
        """
        import numpy as np

        labels = self.labels()
        order = best_first(ranks)
        order = order[np.argsort(labels[order], kind="stable")]
        sizes = np.unique(labels[order], return_counts=True)[1]
        ends = np.cumsum(sizes)
        for at in np.flatnonzero(sizes > 1).tolist():
            members = order[ends[at] - sizes[at] : ends[at]]
            while len(members) > 1:
                best, members = int(members[0]), members[1:]
                alike = similarity(best, members)
                follows = alike >= least
                for position, value in zip(
                    members[follows].tolist(), alike[follows].tolist(), strict=True
                ):
                    yield Copy(position, best, value)
                members = members[~follows]

    def _root(self, position: int) -> int:
        parent = self._parent
        while parent[position] != position:
            parent[position] = parent[parent[position]]
            position = parent[position]
        return position
