"""The clock that delays are measured with."""

import time
from typing import Protocol

import anyio

__all__ = ["CLOCK", "Clock", "SystemClock"]


class Clock(Protocol):
    """Tells the time, and waits; a test brings one that it moves by itself."""

    def now(self) -> float:
        """Return the time in seconds since some moment."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> float:
        """Return the time in seconds, which no change of the date moves."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await anyio.sleep(seconds)


CLOCK = SystemClock()
"""What is used when nothing else is given."""
