"""Calls the functions of declarations, plain or async.

Those whose result is used raise to their caller, who names them; those that only observe are
logged and change nothing.
"""

import functools
import inspect
import logging
from collections.abc import Callable
from typing import Any, cast

import anyio.to_thread

__all__ = ["call", "call_in_thread", "function_name", "tell"]

_log = logging.getLogger("wikiswarm")


def function_name(function: Callable[..., Any]) -> str:
    """Return what messages call a function."""
    while isinstance(function, functools.partial):
        function = cast("functools.partial[Any]", function).func
    return str(getattr(function, "__name__", type(function).__name__))


async def call(function: Callable[..., Any], *arguments: object) -> Any:
    """Return what a function returns; a plain one runs on the event loop."""
    value = function(*arguments)
    return await value if inspect.isawaitable(value) else value


async def call_in_thread(function: Callable[..., Any], *arguments: object) -> Any:
    """Return what a function returns; a plain one may block, so it runs in a thread."""
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - to see an async __call__
    )
    if is_async:
        return await function(*arguments)
    value = await anyio.to_thread.run_sync(function, *arguments, abandon_on_cancel=True)
    return await value if inspect.isawaitable(value) else value


async def tell(function: Callable[..., Any] | None, *arguments: object, place: str) -> None:
    """Call an observer, if there is one; what it raises goes to the log only.

    Args:
        function: The observer.
        arguments: What it is told.
        place: Whose it is: `outline 'order'`.
    """
    if function is None:
        return
    try:
        await call(function, *arguments)
    except Exception as error:
        _log.error("function %r of %s raised", function_name(function), place, exc_info=error)
