"""A queue of events with an end: when it is full, the oldest give way."""

from collections import deque

from swarm.bus.event import BusEvent

__all__ = ["Waiting"]


class Waiting:
    """Events that wait for one reader. Not safe for several threads; its owner holds a lock."""

    __slots__ = ("_events", "_limit", "dropped")

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"a queue holds at least one event, not {limit}")
        self._events: deque[BusEvent] = deque()
        self._limit = limit
        self.dropped = 0
        """How many had to give way."""

    def put(self, event: BusEvent) -> bool:
        """Add an event; returns whether it is the first one that made another give way."""
        is_full = len(self._events) >= self._limit
        if is_full:
            self._events.popleft()
            self.dropped += 1
        self._events.append(event)
        return is_full and self.dropped == 1

    def take(self) -> BusEvent | None:
        """Return the oldest event, or None."""
        return self._events.popleft() if self._events else None

    def clear(self) -> None:
        """Forget what waits; it does not count as dropped."""
        self._events.clear()

    def __len__(self) -> int:
        return len(self._events)
