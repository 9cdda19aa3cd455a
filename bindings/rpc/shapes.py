"""Wire models made from the core's own types: fields in camelCase, functions as references.

What a declaration, a message or a result looks like on the wire follows from its Python class, so
that it cannot be out of step with it. The messages of the protocol itself stand in `wire`.
"""

import collections.abc
import dataclasses
import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Union, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    create_model,
)
from pydantic.alias_generators import to_camel

from swarm.fields import Spec

__all__ = [
    "CallbackRef",
    "Wire",
    "declaration_model",
    "params_model",
    "record_model",
    "to_wire_name",
    "wire_type",
]

_SEQUENCES = (collections.abc.Sequence, collections.abc.Iterable, list, tuple, set, frozenset)
_MAPPINGS = (collections.abc.Mapping, dict)
_CALLABLE: Any = collections.abc.Callable
_VALIDATORS = (AfterValidator, BeforeValidator)
_HIDDEN = ("host", "clock")
"""Parameters that only code in the core's own process can give."""


def to_wire_name(name: str) -> str:
    """Return what a Python name is called on the wire: `client_id` is `clientId`."""
    return to_camel(name)


class Wire(BaseModel):
    """Base of everything on the wire: frozen, camelCase, unknown fields are ignored."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        defer_build=True,
    )


class _Made(Wire):
    """Base of models that have no source in which pydantic could look for docstrings."""

    model_config = ConfigDict(use_attribute_docstrings=False)


class CallbackRef(Wire):
    """A function of the program: the core calls it by `callback/invoke` or `callback/notify`."""

    callback: str = Field(alias="$callback", min_length=1, max_length=512)
    """Its id: the kind of the declaration, its name and the field, such as `tool:find.call`."""


@functools.cache
def record_model(record: Any) -> type[Wire]:
    """Return the model of a dataclass, a named tuple or a pydantic model; every field is sent."""
    hints = typing.get_type_hints(record, include_extras=True)
    title, note = str(record.__name__), inspect.getdoc(record)
    if issubclass(record, BaseModel):
        names = list(record.model_fields)
        notes = {name: field.description for name, field in record.model_fields.items()}
    elif dataclasses.is_dataclass(record):
        names, notes = [field.name for field in dataclasses.fields(record)], {}
    else:
        names, notes = list(hints), {}
    fields: dict[str, Any] = {
        name: (wire_type(hints[name]), Field(description=notes.get(name)))
        for name in names
        if not _is_private(hints[name])
    }
    return create_model(title, __base__=_Made, __doc__=note, **fields)


@functools.cache
def _spec_model(spec: type[Spec]) -> type[Wire]:
    """Return the model of a part of a declaration, such as its callbacks."""
    return create_model(
        spec.__name__, __base__=_Made, __doc__=inspect.getdoc(spec), **_spec_fields(spec)
    )


@functools.cache
def declaration_model(kind: str, spec: type[Spec]) -> type[Wire]:
    """Return the model of a kind of declaration."""
    title = f"{kind[0].upper()}{kind[1:]}Declaration"
    fields: dict[str, Any] = {"kind": (Literal[kind], ...), **_spec_fields(spec)}
    return create_model(title, __base__=_Made, __doc__=inspect.getdoc(spec), **fields)


def params_model(
    title: str,
    function: Callable[..., Any],
    *,
    extra: Mapping[str, Any] | None = None,
    functions: tuple[str, ...] = (),
    note: str | None = None,
    kind: str | None = None,
) -> type[Wire]:
    """Return the model of a function's parameters.

    Args:
        title: What the model is called.
        function: The function.
        extra: Further parameters with their types, where the signature does not name them.
        functions: Parameters that also take a function of the program.
        note: What the model is for; the function's first line when absent.
        kind: Adds the field that tells one kind of declaration from another.
    """
    hints = typing.get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {} if kind is None else {"kind": (Literal[kind], ...)}
    for parameter in inspect.signature(function).parameters.values():
        name = parameter.name
        if name in _HIDDEN or name == "self" or (extra is not None and name == "whose"):
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            if extra is None:
                fields[name] = (list[JsonValue], Field(default_factory=list[JsonValue]))
            continue
        shape = wire_type(hints.get(name, Any))
        if name in functions:
            shape = CallbackRef | JsonValue
        default = parameter.default
        if default is parameter.empty:
            default = ...
        elif isinstance(default, tuple):
            default = list(cast("tuple[object, ...]", default))
        # Some names, such as `schema`, are attributes of every model.
        key = f"{name}_" if hasattr(BaseModel, name) else name
        fields[key] = (shape, Field(default, alias=to_wire_name(name)))
    for name, hint in (extra or {}).items():
        fields[name] = (hint, ...)
    text = note or (inspect.getdoc(function) or title).partition("\n")[0]
    return create_model(title, __base__=_Made, __doc__=text, **fields)


def _spec_fields(spec: type[Spec]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, field in spec.model_fields.items():
        hint = (
            Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        )
        shape = wire_type(hint)
        if field.is_required():
            fields[name] = (shape, Field(description=field.description))
        else:
            default = field.get_default(call_default_factory=True)
            if isinstance(default, tuple):
                default = list(cast("tuple[object, ...]", default))
            fields[name] = (shape, Field(default, description=field.description))
    return fields


def wire_type(hint: Any) -> Any:
    """Return the type on the wire of an annotation; what only Python knows is any JSON."""
    if hint in (None, type(None)):
        return None
    if hint in (str, int, float, bool) or hint is JsonValue:
        return hint
    if isinstance(hint, typing.NewType):
        return wire_type(hint.__supertype__)
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        inner = wire_type(parts[0])
        kept = [part for part in hint.__metadata__ if not isinstance(part, _VALIDATORS)]
        kept = [part for part in kept if type(part).__name__ != "SkipJsonSchema"]
        return Annotated[(inner, *kept)] if kept else inner
    if origin is Literal:
        return hint
    if origin in (Union, types.UnionType):
        shapes = [wire_type(part) for part in parts if not _is_class_of(part)]
        return JsonValue if JsonValue in shapes else Union[tuple(shapes)]  # noqa: UP007 - made here
    if _CALLABLE in (origin, hint):
        return CallbackRef
    if origin in _SEQUENCES:
        return list[wire_type(parts[0])] if parts else list[JsonValue]
    if origin in _MAPPINGS:
        return dict[str, wire_type(parts[1])] if parts else dict[str, JsonValue]
    base: Any = origin or hint
    if inspect.isclass(base) and issubclass(base, Spec):
        return _spec_model(base)
    is_record = dataclasses.is_dataclass(base) or hasattr(base, "_fields")
    if is_record or (inspect.isclass(base) and issubclass(base, BaseModel)):
        return record_model(base)
    return JsonValue


def _is_class_of(hint: Any) -> bool:
    """Whether an annotation takes a class, also in an `Annotated`: no wire carries one."""
    if typing.get_origin(hint) is Annotated:
        return _is_class_of(typing.get_args(hint)[0])
    return typing.get_origin(hint) is type


def _is_private(hint: Any) -> bool:
    """Whether a field is for code of the core's own process."""
    return isinstance(hint, type) and hint.__name__ == "Cancellation"
