"""Queues by key, first come first served, that know who waits inside them."""

from collections.abc import AsyncGenerator, Hashable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from weakref import WeakValueDictionary

import anyio
from anyio.lowlevel import RunVar

__all__ = ["Place", "held_places", "take_place"]


@dataclass(slots=True, eq=False)
class Place:
    """The first place of a queue, taken."""

    key: Hashable
    swarm_name: str
    is_over: bool = False
    """Tasks that were started in it may outlive it."""


_held: ContextVar[tuple[Place, ...]] = ContextVar("wikiswarm_places", default=())
_locks: RunVar[WeakValueDictionary[Hashable, anyio.Lock]] = RunVar("wikiswarm_queues")
"""Of each event loop; a queue that nobody waits in takes no memory."""


def held_places(key: Hashable) -> list[Place]:
    """Return the places of a queue that the code which is running was called in."""
    return [place for place in _held.get() if place.key == key and not place.is_over]


@asynccontextmanager
async def take_place(key: Hashable, swarm_name: str) -> AsyncGenerator[None, None]:
    """Wait until those that came before have left the block."""
    try:
        locks = _locks.get()
    except LookupError:
        locks = WeakValueDictionary[Hashable, anyio.Lock]()
        _locks.set(locks)
    # Invariant: one block per key at a time, in the order the callers came.
    lock = locks.get(key)
    if lock is None:
        lock = locks[key] = anyio.Lock()
    async with lock:
        place = Place(key, swarm_name)
        token = _held.set((*_held.get(), place))
        try:
            yield
        finally:
            place.is_over = True
            _held.reset(token)
