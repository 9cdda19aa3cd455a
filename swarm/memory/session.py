"""What a session notes down without a declaration, and values as text for prompts."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import JsonValue

from swarm.memory.owner import find_owner
from swarm.memory.states import Change

__all__ = ["Schema", "read_session_memory", "serialize", "write_session_memory"]

_LONGEST = 50
"""Characters of a value."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_GAP = re.compile(r"[\W_]+")


async def read_session_memory(client_id: str) -> JsonValue:
    """Return a copy of what was noted down for a client in its swarm; None before the first time.

    Raises:
        InvalidIdError: No client can be called that.
        SessionError: The client has no live session, or several and no turn is running.
        StoreError: The database failed.
    """
    found = find_owner(client_id)
    return await found.memory.states.read_session(found.owner)


async def write_session_memory(client_id: str, value: Change | object) -> None:
    """Note something down for a client in its swarm, in place of what was there; durably.

    Args:
        client_id: Whose.
        value: JSON, or a function, plain or async, that makes the new value of the old one.

    Raises:
        NotJsonError: The value is not JSON.
        InvalidIdError: No client can be called that.
        SessionError: The client has no live session, or several and no turn is running.
        StoreError: The database failed; the value is unchanged.
    """
    found = find_owner(client_id)
    await found.memory.states.write_session(value, found.owner)


def serialize(value: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """Return an object as lines `Title: value`, for a prompt.

    Names become titles (`unitPrice` and `unit_price` both `Unit price`), an object inside of
    another adds its title before them, and values are cut at 50 characters. Of several objects
    each is a block, with an empty line between them.
    """
    objects = [value] if isinstance(value, Mapping) else list(value)
    return "\n\n".join("\n".join(_lines(one, ())) for one in objects)


class Schema:
    """The same three, for programs that know them by this name."""

    read_session_memory = staticmethod(read_session_memory)
    write_session_memory = staticmethod(write_session_memory)
    serialize = staticmethod(serialize)


def _lines(fields: Mapping[str, Any], before: tuple[str, ...]) -> list[str]:
    lines: list[str] = []
    for name, value in fields.items():
        path = (*before, str(name))
        if isinstance(value, Mapping):
            # What is inside is a mapping too; its values are looked at one by one.
            lines += _lines(cast("Mapping[str, Any]", value), path)
        else:
            lines.append(f"{_title(path)}: {_short(value)}")
    return lines


def _title(path: Sequence[str]) -> str:
    words = [word for name in path for word in _GAP.split(_HUMP.sub(" ", name)) if word]
    # What is all capitals is an abbreviation.
    text = " ".join(w if w.isupper() and len(w) > 1 else w.lower() for w in words)
    return text[:1].upper() + text[1:]


def _short(value: object) -> str:
    text = " ".join(_text(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _text(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return ", ".join(_text(part) for part in cast("Sequence[object]", value))
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, object]", value)
        return " ".join(f"{_title((str(k),))} {_text(v)}" for k, v in fields.items())
    return str(value)
