"""Whose turn it is among several that can do the same, with those left out that cannot now."""

import time
from collections.abc import Callable, Collection

__all__ = ["Rota"]

_FIRST_REST, _LONGEST_REST = 1.0, 60.0
"""Seconds that one rests which is busy and does not say for how long; doubled each time."""


class Rota:
    """Turns over the places 0, 1, 2 and so on.

    A busy one rests, a refused one is set aside and has its turn only when all others are too:
    then trying says more than what is remembered.
    """

    def __init__(self, count: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with the first place.

        Args:
            count: How many places there are.
            clock: Returns seconds; only their differences count.
        """
        self._clock = clock
        self._next = 0
        self._until = [0.0] * count
        self._busy = [0] * count
        self._refused = [False] * count

    def take(self, without: Collection[int] = ()) -> int | None:
        """Return the place whose turn it is, or None when there is none now.

        Args:
            without: Places that are passed over.
        """
        now, count = self._clock(), len(self._until)
        order = [(self._next + step) % count for step in range(count)]
        known = [place for place in order if not self._refused[place]]
        for place in known or order:
            if place not in without and self._until[place] <= now:
                self._next = (place + 1) % count
                return place
        return None

    def answered(self, place: int) -> None:
        """Note that a place is well."""
        self._busy[place] = 0
        self._refused[place] = False

    def busy(self, place: int, seconds: float | None) -> None:
        """Let a place rest, for as long as it asked for."""
        if seconds is None:
            seconds = min(_LONGEST_REST, _FIRST_REST * 2 ** self._busy[place])
        self._busy[place] = min(self._busy[place] + 1, 10)
        self._until[place] = max(self._until[place], self._clock() + seconds)

    def refused(self, place: int) -> bool:
        """Set a place aside; returns whether that is new."""
        is_new = not self._refused[place]
        self._refused[place] = True
        return is_new

    def is_refused(self, place: int) -> bool:
        """Whether a place is set aside."""
        return self._refused[place]

    def rest(self, place: int) -> float:
        """Return the seconds that a place still rests; 0 when it does not."""
        return max(0.0, self._until[place] - self._clock())
