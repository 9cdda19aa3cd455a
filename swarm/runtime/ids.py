"""Client ids: checked once, at the door."""

import os
import re
from typing import cast

from swarm.errors import InvalidIdError

__all__ = ["check_client_id", "check_project", "new_run_id", "new_tool_id", "session_id"]


def check_client_id(client_id: str) -> str:
    """Return the id if it may be used.

    Raises:
        InvalidIdError: It is no text, empty, over 256 characters, a path, or has control
            characters.
    """
    given = cast("object", client_id)  # programs without a type checker pass anything
    if not isinstance(given, str):
        raise InvalidIdError(f"a client id is text, not {type(given).__name__}")
    if not client_id or len(client_id) > 256:
        raise InvalidIdError(f"a client id has 1 to 256 characters, not {len(client_id)}")
    if client_id in (".", "..") or "/" in client_id or "\\" in client_id:
        raise InvalidIdError(f"client id {client_id!r} reads like a path; use no slashes")
    if not client_id.isprintable():
        raise InvalidIdError(f"client id {client_id!r} has control characters")
    return client_id


def check_project(project: str | None) -> str | None:
    """Return the name of a project, or None for none, if it may be used.

    Raises:
        InvalidIdError: It is over 64 characters, or has others than letters, digits and `._-`.
    """
    if project is not None and not re.fullmatch(r"[\w.-]{1,64}", project):
        raise InvalidIdError(
            f"project {project[:80]!r}: a name has 1 to 64 letters, digits, dots, hyphens or"
            " underscores"
        )
    return project


def session_id(swarm_name: str, client_id: str) -> str:
    """Return the id of a conversation: it belongs to one swarm and one client."""
    return f"{swarm_name}/{client_id}"


def new_run_id() -> str:
    """Return an id for a turn, short enough to type."""
    return _random_hex()


def new_tool_id() -> str:
    """Return an id for a tool call whose model gave none."""
    return f"call_{_random_hex()}"


_random = bytearray()
"""Random bytes for the next ids: asking the system for each costs more than all else of an id."""

# A child must not give out the ids of its parent.
os.register_at_fork(after_in_child=_random.clear)


def _random_hex() -> str:
    """Return 12 random hexadecimal digits."""
    if len(_random) < 6:
        _random[:] = os.urandom(6 * 256)
    found = _random[-6:]
    del _random[-6:]
    return found.hex()
