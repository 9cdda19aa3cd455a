"""A bus with a client that is live, served by the test's event loop, and what it told."""

import contextvars
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from swarm import BusEvent
from swarm.bus import Bus, Delivery

__all__ = ["Heard", "happened", "served"]


@asynccontextmanager
async def served(*clients: str) -> AsyncGenerator[Bus, None]:
    """Give a bus with live clients, whose listeners are called as those of an open host."""
    bus = Bus()
    for client in clients or ("client",):
        bus.add_client(client)
    delivery = Delivery(bus, contextvars.copy_context())
    try:
        yield bus
    finally:
        await delivery.aclose()


def happened(number: int = 0, client_id: str = "client", bus: str = "agent-bus") -> BusEvent:
    """Return an event that is told from others by its number."""
    return BusEvent(bus, "run", client_id, {"number": number})


class Heard:
    """A listener that keeps the numbers that it heard, and lets a test wait for them."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._news = anyio.Event()

    async def __call__(self, event: BusEvent) -> None:
        self.numbers.append(event.input["number"])
        self._news.set()
        self._news = anyio.Event()

    async def wait_for(self, count: int) -> list[int]:
        """Return the numbers once there are so many."""
        with anyio.fail_after(5):
            while len(self.numbers) < count:
                await self._news.wait()
        return self.numbers
