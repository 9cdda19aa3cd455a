"""Values on the wire: what callbacks are given and what verbs return, as JSON, and back.

The fields of our own records are in camelCase; the keys of mappings are the program's own and stay.
"""

import array
import base64
import dataclasses
import enum
import functools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from pydantic import BaseModel

from bindings.rpc.shapes import to_wire_name
from swarm.completion import CompletionResult
from swarm.errors import SwarmError
from swarm.messages import Message, ToolCall, Usage, read_message

__all__ = ["encode_value", "read_calls", "read_completion", "read_message_value", "read_messages"]

_Keep = Callable[[Callable[..., Any]], str]
"""Takes a function of the core and returns the id by which the program calls it."""

_MESSAGE = {to_wire_name(field.name): field.name for field in dataclasses.fields(Message)}
_USAGE = {to_wire_name(field.name): field.name for field in dataclasses.fields(Usage)}


def encode_value(value: Any, keep: _Keep | None = None) -> Any:
    """Return a value as JSON; what is none becomes its text, a function its id or null."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        fields = cast("Mapping[Any, Any]", value)
        return {str(name): encode_value(part, keep) for name, part in fields.items()}
    if isinstance(value, list | set | frozenset) or type(value) is tuple:
        return [encode_value(part, keep) for part in cast("Iterable[Any]", value)]
    names = _fields_of(cast("Any", type(value)))
    if names is not None:
        return {alias: encode_value(getattr(value, name), keep) for alias, name in names}
    if isinstance(value, enum.Enum):
        return encode_value(value.value, keep)
    if isinstance(value, bytes | bytearray):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, array.array):
        return list(cast("array.array[float]", value))
    if isinstance(value, BaseException):
        code = value.code if isinstance(value, SwarmError) else None
        return {"$error": {"name": type(value).__name__, "message": str(value), "code": code}}
    if callable(value):
        function = cast("Callable[..., Any]", value)
        return None if keep is None else {"$function": keep(function)}
    return str(value)


@functools.cache
def _fields_of(kind: Any) -> tuple[tuple[str, str], ...] | None:
    if issubclass(kind, BaseModel):
        names = list(kind.model_fields)
    elif dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
    elif hasattr(kind, "_fields"):
        names = list(kind._fields)
    else:
        return None
    return tuple((to_wire_name(name), name) for name in names if name != "cancellation")


def read_message_value(value: Any) -> Any:
    """Return the message that a program gave, or what it gave where that is none.

    Raises:
        pydantic.ValidationError: It is an object and no message.
    """
    if not isinstance(value, Mapping):
        return value
    fields = cast("Mapping[str, Any]", value)
    known = {_MESSAGE.get(name, name): part for name, part in fields.items() if part is not None}
    if "tool_calls" in known:
        known["tool_calls"] = tuple(read_calls(known["tool_calls"]))
    return read_message({"role": "assistant", **known})


def read_completion(value: Any) -> Any:
    """Return the answer of a model that a program gave: a text, a message, or a whole result."""
    fields = cast("Mapping[str, Any]", value if isinstance(value, Mapping) else {})
    if not isinstance(fields.get("message"), Mapping):
        return read_message_value(value)
    usage = cast("Mapping[str, Any]", fields.get("usage") or {})
    counted = {_USAGE[name]: part for name, part in usage.items() if name in _USAGE}
    return CompletionResult(
        read_message_value(fields["message"]),
        str(fields.get("model") or "program"),
        usage=Usage(**counted),
        confidence=fields.get("confidence"),
        finish_reason=fields.get("finishReason"),
    )


def read_messages(value: Any) -> Any:
    """Return the messages that a program gave in a list; texts among them stay."""
    if not isinstance(value, list):
        return value
    return [read_message_value(part) for part in cast("list[Any]", value)]


def read_calls(value: Any) -> Any:
    """Return the tool calls that a program gave."""
    if not isinstance(value, list | tuple):
        return value
    return [_read_call(part) for part in cast("Iterable[Any]", value)]


def _read_call(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    fields = cast("Mapping[str, Any]", value)
    return ToolCall(id=fields["id"], name=fields["name"], arguments=fields.get("arguments") or "{}")
