"""One change at a time for each cell, in the order they came."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from weakref import WeakValueDictionary

import anyio

from swarm.errors import DeclarationError, SessionError
from swarm.memory.cells import CellKey

__all__ = ["Queues"]

_LONGEST_WAIT = 60.0
"""Seconds that a change waits for those before it; two that wait for each other end here."""


@dataclass(slots=True, eq=False)
class _Turn:
    """A change under way."""

    key: CellKey
    is_over: bool = False
    """Tasks that it started may outlive it."""


_held: ContextVar[tuple[_Turn, ...]] = ContextVar("wikiswarm_memory_held", default=())
"""The changes that the code which is running was called for."""


class Queues:
    """The queues of all cells of a host; one that nobody waits in takes no memory."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[CellKey, anyio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, key: CellKey) -> AsyncGenerator[None, None]:
        """Wait until it is this change's turn.

        Raises:
            DeclarationError: The code that changes the cell asks to change it again.
            SessionError: Those before it take too long.
        """
        if any(turn.key == key and not turn.is_over for turn in _held.get()):
            raise DeclarationError(
                f"{key.place}: a function that is called for a change cannot change it again;"
                " let it return the new value"
            )
        # Invariant: between reading a cell and writing it, nobody of this process writes it.
        lock = self._locks.setdefault(key, anyio.Lock())
        with anyio.move_on_after(_LONGEST_WAIT) as wait:
            await lock.acquire()
        if wait.cancelled_caught:
            raise SessionError(f"{key.place} is busy: a change of it does not end")
        turn = _Turn(key)
        token = _held.set((*_held.get(), turn))
        try:
            yield
        finally:
            turn.is_over = True
            _held.reset(token)
            lock.release()
