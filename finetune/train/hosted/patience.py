"""Waiting: how often a provider is asked, and for how long it may be silent."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio

from swarm.errors import ProviderBusyError, ProviderDownError, ProviderError, ProviderTimeoutError

__all__ = ["Pace", "again"]

Result = TypeVar("Result")

_GROWTH = 1.5


@dataclass(frozen=True, slots=True)
class Pace:
    """How a provider is waited for, in seconds."""

    first: float = 2.0
    """The first pause between two looks; the pauses grow while nothing changes."""
    longest: float = 60.0
    """The longest pause."""
    patience: float = 900.0
    """How long a provider may be down, busy or reading a file before that is an error."""

    def pause(self, number: int) -> float:
        """Return the pause before look `number`, from 0; never twice quite the same."""
        # Spread out, so that many jobs that began together do not ask together for ever.
        growth = _GROWTH ** min(number, 40)
        return min(self.longest, self.first * growth) * random.uniform(0.8, 1.2)


async def again(
    call: Callable[[], Awaitable[Result]],
    pace: Pace,
    *,
    kinds: tuple[type[ProviderError], ...] = (
        ProviderBusyError,
        ProviderDownError,
        ProviderTimeoutError,
    ),
) -> Result:
    """Call until it works, and pass on the last error when the patience is at its end.

    Args:
        call: What to do; harmless to do twice.
        pace: How to wait between.
        kinds: The errors that pass by themselves.
    """
    end = anyio.current_time() + pace.patience
    number = 0
    while True:
        try:
            return await call()
        except kinds as error:
            wait = max(pace.pause(number), error.retry_after or 0.0)
            if anyio.current_time() + wait > end:
                raise
        number += 1
        await anyio.sleep(wait)
