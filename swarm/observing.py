"""Telling a program's observers: what they raise is written to the log and changes nothing."""

import functools
import inspect
import logging
from collections.abc import Callable
from typing import Any

__all__ = ["LONGEST_GOODBYE", "function_name", "observe"]

LONGEST_GOODBYE = 10.0
"""Seconds that the observers of an end may take while a host closes."""

_log = logging.getLogger("wikiswarm")


def function_name(function: Callable[..., Any]) -> str:
    """Return what messages call a function."""
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__name__", type(function).__name__)


async def observe(function: Callable[..., Any] | None, *arguments: object, place: str) -> None:
    """Tell an observer, plain or async; a plain one runs on the event loop.

    Args:
        function: The observer; None where there is none.
        arguments: What it is told.
        place: Whose it is, for the log: `state 'cart'`.
    """
    if function is None:
        return
    try:
        result = function(*arguments)
        if inspect.isawaitable(result):
            await result
    except (Exception, SystemExit):
        name = function_name(function)
        _log.exception("callback %r of %s failed; what it was told of stands", name, place)
