"""Reads a declaration of the wire: names in Python's spelling, functions that call the program."""

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, cast

from pydantic import BaseModel

from bindings.rpc.callbacks import Callbacks, Invocation
from bindings.rpc.shapes import to_wire_name
from bindings.rpc.values import (
    read_calls,
    read_completion,
    read_message_value,
    read_messages,
)
from declarative.make import is_callback
from swarm import Kind, Spec

__all__ = ["find_callback", "read_arguments", "read_fields", "read_function"]

_READERS: dict[str, Callable[[Any], Any]] = {
    "get_completion": read_completion,
    "get_rescue": read_message_value,
    "map_message": read_message_value,
    "map_tool_calls": read_calls,
    "get_outline_history": read_messages,
}
"""What fields expect of their functions that JSON does not have."""

_SECONDS = {"get_completion": 600.0, "execute": None}
"""How long functions of a field may take where the declaration does not say."""
_USUAL_SECONDS = 120.0
_INSIDE = ("get_similarity",)
"""Functions that the core calls too often to ask another process."""


def find_callback(value: object) -> str | None:
    """Return the id of a function, if a value is one of the program."""
    if not isinstance(value, Mapping):
        return None
    callback = cast("Mapping[str, object]", value).get("$callback")
    return callback if isinstance(callback, str) and callback else None


def read_fields(kind: Kind[Any], given: Mapping[str, Any], callbacks: Callbacks) -> dict[str, Any]:
    """Return the fields of a declaration as its spec takes them; unknown ones stay as they are."""
    return _fields(kind.spec, given, _Reader(callbacks, kind.name, given))


def read_function(
    kind: str, field: str, callback: str, callbacks: Callbacks, timeout: float | None = None
) -> Callable[..., Any]:
    """Return the function of a field whose declaration is not the program's own.

    Args:
        kind: The kind of the declaration.
        field: Where the function stands, such as `call` or `callbacks.on_before_call`.
        callback: What the program calls the function.
        callbacks: The functions of its connection.
        timeout: Seconds for one call, where the declaration says.
    """
    first, _, rest = field.partition(".")
    is_observer = first == "callbacks"
    reader = _Reader(callbacks, kind, {"timeout": timeout})
    return reader.function(rest if is_observer else first, callback, is_observer=is_observer)


def read_arguments(
    add: Callable[..., Any], given: Mapping[str, Any], callbacks: Callbacks
) -> dict[str, Any]:
    """Return the arguments of the function behind a template."""
    reader = _Reader(callbacks, "tool", given)
    hints = typing.get_type_hints(add, include_extras=True)
    known = {to_wire_name(name): name for name in inspect.signature(add).parameters}
    arguments: dict[str, Any] = {}
    for alias, value in given.items():
        name = known.get(alias, alias)
        is_own = name in known.values() and name != "function"
        arguments[name] = reader.value(name, value, hints.get(name)) if is_own else value
    return arguments


def _fields(spec: type[BaseModel], given: Mapping[str, Any], reader: "_Reader") -> dict[str, Any]:
    known = {to_wire_name(name): name for name in spec.model_fields}
    values: dict[str, Any] = {}
    for alias, value in given.items():
        name = known.get(alias)
        if name is None:
            values[alias] = value
        else:
            values[name] = reader.value(name, value, spec.model_fields[name].annotation)
    return values


class _Reader:
    def __init__(self, callbacks: Callbacks, kind: str, given: Mapping[str, Any]) -> None:
        self._callbacks, self._kind = callbacks, kind
        timeout = given.get("timeout")
        self._timeout = timeout if isinstance(timeout, int | float) and timeout > 0 else None

    def value(self, name: str, value: Any, hint: Any, *, is_observer: bool = False) -> Any:
        callback = find_callback(value)
        if callback is not None and hint is not None and _takes_function(hint):
            return self.function(name, callback, is_observer=is_observer)
        if isinstance(value, list) and hint is not None and _takes_function(hint):
            return self._list(name, cast("list[Any]", value), hint)
        nested = _nested(hint)
        if nested is not None and isinstance(value, Mapping):
            inner = cast("Mapping[str, Any]", value)
            known = {to_wire_name(part): part for part in nested.model_fields}
            return {
                known.get(alias, alias): self.value(
                    known.get(alias, alias),
                    part,
                    nested.model_fields[known[alias]].annotation if alias in known else None,
                    is_observer=name == "callbacks",
                )
                for alias, part in inner.items()
            }
        return cast("Any", value)

    def _list(self, name: str, values: list[Any], hint: Any) -> list[Any]:
        return [self.value(name, value, hint) for value in values]

    def function(self, name: str, callback: str, *, is_observer: bool) -> Any:
        if name in _INSIDE:
            return None
        if is_observer:
            return self._callbacks.observer(callback)
        if self._kind == "tool" and name == "call":
            return self._callbacks.tool(callback, float(self._timeout or 60.0))
        seconds = _SECONDS.get(name, _USUAL_SECONDS)
        read = _READERS.get(name, lambda value: value)
        if name == "connect_operator":
            read = self._operator
        return self._callbacks.function(callback, Invocation(self._timeout or seconds, read))

    def _operator(self, value: Any) -> Any:
        """Return what passes messages to a person; it may return what ends that."""
        callback = find_callback(value)
        if callback is None:
            return value

        def ending(left: Any) -> Any:
            hang_up = find_callback(left)
            return None if hang_up is None else self._callbacks.told(hang_up)

        return self._callbacks.function(callback, Invocation(_USUAL_SECONDS, ending))


def _takes_function(hint: Any) -> bool:
    parts = typing.get_args(hint)
    return is_callback(hint) or any(_takes_function(part) for part in parts)


def _nested(hint: Any) -> type[Spec] | None:
    for part in (hint, *typing.get_args(hint)):
        if isinstance(part, type) and issubclass(part, Spec):
            return part
    return None
