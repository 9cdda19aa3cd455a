"""Calls the functions of a program, plain or async: those that are told, and their names."""

import functools
import inspect
import logging
from collections.abc import Callable
from typing import Any

__all__ = ["call", "function_name", "tell"]

_log = logging.getLogger("wikiswarm")


def function_name(function: Callable[..., Any]) -> str:
    """Return what messages call a function."""
    while isinstance(function, functools.partial):
        function = function.func
    return f"function {getattr(function, '__name__', type(function).__name__)!r}"


async def call(function: Callable[..., Any], *arguments: object) -> Any:
    """Return what a function, plain or async, returns."""
    value = function(*arguments)
    return await value if inspect.isawaitable(value) else value


async def tell(function: Callable[..., Any] | None, *arguments: object, place: str) -> None:
    """Call a function that only watches; when it raises, the log says so and nothing else happens.

    Args:
        function: The user's; None is nobody.
        arguments: What it gets.
        place: What it watches: `swarm 'shop': on_connect`.
    """
    if function is None:
        return
    try:
        await call(function, *arguments)
    except Exception as error:
        name = function_name(function)
        _log.error("%s of %s raised %s: %s", name, place, type(error).__name__, error)
