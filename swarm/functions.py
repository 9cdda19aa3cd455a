"""Calls the functions of a program, plain or async, and says which one failed.

A function whose result is used fails with a typed error that names it; one that only observes is
written to the log and changes nothing. Cancellation passes through both.
"""

import functools
import inspect
import logging
import os
import traceback
from collections.abc import Callable, Mapping
from typing import Any, cast

import anyio.to_thread

from swarm.errors import SwarmError
from swarm.secrets import hide, secrets_of

__all__ = [
    "LONGEST_GOODBYE",
    "call",
    "call_in_thread",
    "checked_call",
    "describe",
    "function_name",
    "is_cancelled",
    "log_failure",
    "observe",
    "reason_of",
]

LONGEST_GOODBYE = 10.0
"""Seconds that the observers of an end may take while a host closes."""

_log = logging.getLogger("wikiswarm")


def function_name(function: object) -> str:
    """Return what messages call a function; an object is called by its class."""
    inner = _unwrapped(function)
    return str(getattr(inner, "__name__", type(inner).__name__))


def describe(function: object, role: str, place: str) -> str:
    """Return how errors and the log name a function: `transform 'shout' of agent 'seller'`.

    Args:
        function: The function.
        role: The field that names it, such as `transform`; `callback` for observers.
        place: Whose it is, such as `agent 'seller'`.
    """
    return f"{role} {function_name(function)!r} of {place}"


def reason_of(error: BaseException, secrets: Mapping[str, str] | None = None) -> str:
    """Return what errors say of what a function raised, without the values of keys.

    Args:
        error: What it raised.
        secrets: Keys beyond those of the environment.
    """
    return hide(f"{type(error).__name__}: {error}", _keys(secrets))


async def call(function: Callable[..., Any], *arguments: object) -> Any:
    """Return what a function returns; a plain one runs on the event loop."""
    value = function(*arguments)
    return await value if inspect.isawaitable(value) else value


async def call_in_thread(function: Callable[..., Any], *arguments: object) -> Any:
    """Return what a function returns; a plain one may block, so it runs in a worker thread."""
    if _is_async(function):
        return await function(*arguments)
    value = await anyio.to_thread.run_sync(function, *arguments, abandon_on_cancel=True)
    return await value if inspect.isawaitable(value) else value


async def checked_call(
    function: Callable[..., Any],
    *arguments: object,
    role: str,
    place: str,
    failure: Callable[[str, str], Exception],
    passes: tuple[type[Exception], ...] = (SwarmError,),
    in_thread: bool = False,
    secrets: Mapping[str, str] | None = None,
) -> Any:
    """Return what a function returns whose result is used.

    Args:
        function: The function, plain or async.
        *arguments: What it takes.
        role: The field that names it; see `describe`.
        place: Whose it is; see `describe`.
        failure: Makes the error of a function that raised, of what `describe` says and a reason.
        passes: What reaches the caller as it is, with a note that says where it came from.
        in_thread: It may block; see `call_in_thread`.
        secrets: Keys beyond those of the environment that the error must not show.

    Raises:
        Exception: What `failure` made, or what `passes` lists.
    """
    try:
        return await (call_in_thread if in_thread else call)(function, *arguments)
    except passes as error:
        error.add_note(f"raised in {describe(function, role, place)}")
        raise
    except (Exception, SystemExit) as error:
        what = describe(function, role, place)
        raise failure(what, reason_of(error, secrets)) from error


async def observe(
    function: Callable[..., Any] | None,
    *arguments: object,
    place: str,
    secrets: Mapping[str, str] | None = None,
) -> None:
    """Tell an observer, if there is one; a plain one runs on the event loop.

    What it raises goes to the log, and what it was told of stands.

    Args:
        function: The observer, plain or async.
        *arguments: What it is told.
        place: Whose it is; see `describe`.
        secrets: Keys beyond those of the environment that the log must not show.
    """
    if function is None:
        return
    try:
        await call(function, *arguments)
    except (Exception, SystemExit) as error:
        log_failure(describe(function, "callback", place), error, secrets=secrets)


def log_failure(
    what: str,
    error: BaseException,
    *,
    effect: str = "",
    secrets: Mapping[str, str] | None = None,
) -> None:
    """Write down, with the traceback, that a function failed whose caller goes on.

    Args:
        what: What `describe` says of the function.
        error: What it raised.
        effect: What happens in its place, such as `the placeholder is given`.
        secrets: Keys beyond those of the environment.
    """
    text = f"{what} failed: {reason_of(error, secrets)}" + (f"; {effect}" if effect else "")
    trace = "".join(traceback.format_exception(error))
    shown = hide(trace, _keys(secrets))
    if shown == trace:
        _log.error("%s", text, exc_info=error)
    else:
        _log.error("%s\n%s", text, shown)


def is_cancelled() -> bool:
    """Whether it is the running task that is cancelled, and not just something it waited for."""
    import asyncio  # noqa: TID251 - only asyncio tells who was cancelled

    task = asyncio.current_task()
    return task is None or bool(task.cancelling())


def _is_async(function: Callable[..., Any]) -> bool:
    inner = _unwrapped(function)
    return inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(
        getattr(inner, "__call__", None)  # noqa: B004 - to see an async __call__
    )


def _unwrapped(function: object) -> object:
    while isinstance(function, functools.partial):
        function = cast("functools.partial[Any]", function).func
    return function


def _keys(secrets: Mapping[str, str] | None) -> dict[str, str]:
    return {**secrets_of(os.environ), **(secrets or {})}
