"""Calls the functions of declarations, so that a failure names the function."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import anyio.to_thread

from swarm.errors import ControlFlow, SwarmError
from swarm.memory.errors import MemoryCallbackError

__all__ = ["call_function", "call_in_thread", "function_name", "pass_through"]


def function_name(function: Callable[..., Any]) -> str:
    """Return what messages call a function."""
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__name__", type(function).__name__)
    return f"function {name!r}"


async def call_function(function: Callable[..., Any], *arguments: object, place: str) -> Any:
    """Return what a function, plain or async, returns.

    Args:
        function: The user's.
        arguments: What it gets.
        place: Whose it is: `state 'cart'`.

    Raises:
        MemoryCallbackError: It raised. Errors of wikiswarm pass as they are, with a note.
    """
    try:
        result = function(*arguments)
        return await result if inspect.isawaitable(result) else result
    except Exception as error:
        raise _named(error, function, place) from error


async def call_in_thread(function: Callable[..., Any], *arguments: object, place: str) -> Any:
    """Do as `call_function`, for functions that may compute for long: plain ones get a thread.

    Raises:
        MemoryCallbackError: It raised. Errors of wikiswarm pass as they are, with a note.
    """
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - to see an async __call__
    )
    if is_async:
        return await call_function(function, *arguments, place=place)
    try:
        call = functools.partial(function, *arguments)
        result = await anyio.to_thread.run_sync(call, abandon_on_cancel=True)
        return await result if inspect.isawaitable(result) else result
    except Exception as error:
        raise _named(error, function, place) from error


async def pass_through(
    middlewares: Sequence[Callable[..., Any]], value: Any, *names: str, place: str
) -> Any:
    """Return what middlewares make of a value; one that returns None leaves it as it is."""
    for middleware in middlewares:
        changed = await call_function(middleware, value, *names, place=place)
        value = value if changed is None else changed
    return value


def _named(error: Exception, function: Callable[..., Any], place: str) -> Exception:
    if isinstance(error, SwarmError | ControlFlow):
        error.add_note(f"raised in {function_name(function)} of {place}")
        return error
    reason = f"{type(error).__name__}: {error}"
    return MemoryCallbackError(function_name(function), place, reason)
