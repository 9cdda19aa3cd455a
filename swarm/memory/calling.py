"""Calls the functions of declarations whose result counts, so that a failure names the function."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import anyio.to_thread

from swarm.errors import ControlFlow, SwarmError
from swarm.memory.errors import MemoryCallbackError
from swarm.observing import function_name

__all__ = ["call_function", "call_in_thread", "failure_of", "pass_through"]


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
    """Do as `call_function`, for functions that may take long: plain ones get a thread.

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


def failure_of(function: Callable[..., Any], place: str, reason: str) -> MemoryCallbackError:
    """Return the error of a function that gave something it may not give."""
    return MemoryCallbackError(f"function {function_name(function)!r}", place, reason)


def _named(error: Exception, function: Callable[..., Any], place: str) -> Exception:
    if isinstance(error, SwarmError | ControlFlow):
        error.add_note(f"raised in function {function_name(function)!r} of {place}")
        return error
    return failure_of(function, place, f"{type(error).__name__}: {error}")
