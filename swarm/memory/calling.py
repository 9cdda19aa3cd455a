"""Calls the functions of this package's declarations whose result counts."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from swarm.errors import ControlFlow, SwarmError
from swarm.functions import checked_call, describe
from swarm.memory.errors import MemoryCallbackError

__all__ = ["ask", "failure_of", "pass_through"]

ask = partial(checked_call, failure=MemoryCallbackError, passes=(SwarmError, ControlFlow))
"""`checked_call`; what a function raises to steer the tool that uses the memory passes as it is."""


async def pass_through(
    middlewares: Sequence[Callable[..., Any]], value: Any, *names: str, place: str
) -> Any:
    """Return what middlewares make of a value; one that returns None leaves it as it is."""
    for middleware in middlewares:
        changed = await ask(middleware, value, *names, role="middleware", place=place)
        value = value if changed is None else changed
    return value


def failure_of(
    function: Callable[..., Any], role: str, place: str, reason: str
) -> MemoryCallbackError:
    """Return the error of a function that gave something it may not give."""
    return MemoryCallbackError(describe(function, role, place), reason)
