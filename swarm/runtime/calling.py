"""Calling the functions of a program: observers, and functions whose result counts."""

import inspect
import logging
from typing import Any

from swarm.errors import CallbackError, SwarmError
from swarm.fields import Callback

__all__ = ["call", "checked_call", "function_name", "observe"]

_log = logging.getLogger("wikiswarm")


def function_name(function: object) -> str:
    """Return what messages call a function."""
    inner = getattr(function, "func", function)  # of a functools.partial
    return getattr(inner, "__qualname__", type(inner).__name__).replace("<locals>.", "")


async def call(function: Callback, *arguments: object) -> Any:
    """Call a function, plain or async; a plain one runs on the event loop."""
    value = function(*arguments)
    return await value if inspect.isawaitable(value) else value


async def observe(function: Callback | None, *arguments: object) -> None:
    """Tell an observer; what it raises goes to the log and changes nothing."""
    if function is None:
        return
    try:
        await call(function, *arguments)
    except (Exception, SystemExit):
        _log.exception("callback %s failed; the conversation goes on", function_name(function))


async def checked_call(
    role: str, function: Callback, *arguments: object, client_id: str, agent_name: str
) -> Any:
    """Call a function whose result counts.

    Args:
        role: The field that names it, such as `transform`.
        function: The function.
        *arguments: What it takes.
        client_id: Whose conversation.
        agent_name: The active agent.

    Raises:
        CallbackError: It raised; names the field and the function.
        SwarmError: It raised one; passed on as it is.
    """
    try:
        return await call(function, *arguments)
    except SwarmError:
        raise
    except (Exception, SystemExit) as error:
        raise CallbackError(
            f"{role} ({function_name(function)})",
            f"{type(error).__name__}: {error}",
            client_id=client_id,
            agent_name=agent_name,
        ) from error
