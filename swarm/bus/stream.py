"""A stream: the events of a bus, for `async for`."""

import asyncio  # noqa: TID251 - events come from other threads, too, and must wake the reader's loop
import threading
from types import TracebackType

import anyio
import anyio.lowlevel

from swarm.bus.bus import Bus
from swarm.bus.event import BusEvent
from swarm.bus.waiting import Waiting

__all__ = ["EventStream"]


class EventStream:
    """Events from `async with` on; the loop over them ends when the block does."""

    def __init__(self, bus: Bus, client_id: str, topic: str | None, *, limit: int) -> None:
        self._bus = bus
        self._key = (client_id, topic)
        self._waiting = Waiting(limit)
        self._is_open = False
        self._news: anyio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # Invariant: what is put in one thread and taken in another is counted right.
        self._lock = threading.Lock()

    @property
    def dropped(self) -> int:
        """How many events were dropped because the reader is too slow."""
        return self._waiting.dropped

    async def __aenter__(self) -> "EventStream":
        self._loop = asyncio.get_running_loop()
        self._news = anyio.Event()
        self._is_open = True
        self._bus.add_receiver(*self._key, self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bus.remove_receiver(*self._key, self)
        self._is_open = False
        self._wake()

    def __aiter__(self) -> "EventStream":
        return self

    async def __anext__(self) -> BusEvent:
        await anyio.lowlevel.checkpoint()
        while True:
            if self._news is None or self._news.is_set():
                self._news = anyio.Event()
            with self._lock:
                event = self._waiting.take() if self._is_open else None
            if event is not None:
                return event
            if not self._is_open:
                raise StopAsyncIteration
            await self._news.wait()

    def offer(self, event: BusEvent) -> None:
        """Let an event wait for the reader; see `Receiver.offer`."""
        with self._lock:
            self._waiting.put(event)
        if self._loop is None:
            return
        try:
            is_here = asyncio.get_running_loop() is self._loop
        except RuntimeError:  # a thread without an event loop
            is_here = False
        if is_here:
            self._wake()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if self._news is not None:
            self._news.set()
