"""From a function's signature to the schema that a model sees, and back to its arguments."""

import functools
import inspect
import math
import types
import typing
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PydanticUserError, create_model
from pydantic import ValidationError as PydanticError

from swarm.context import ToolContext
from swarm.errors import DeclarationError

if typing.TYPE_CHECKING:
    from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

__all__ = ["ArgumentsError", "Signature", "describe_function", "read_signature", "without_titles"]


class ArgumentsError(ValueError):
    """Arguments that do not fit; the message is written for the model."""


class Signature(NamedTuple):
    """How to describe a function to a model and how to call it."""

    parameters: dict[str, JsonValue]
    """JSON Schema of the arguments, without the context parameter."""
    context_name: str | None
    """The parameter that takes the `ToolContext`."""
    argument_names: tuple[str, ...]
    takes_any: bool
    """The function has `**kwargs`."""
    convert: Callable[[Mapping[str, JsonValue]], dict[str, Any]]
    """Checks arguments and converts them to the annotated types; raises ArgumentsError."""

    def defaults(self) -> dict[str, JsonValue]:
        """Return what is taken for arguments that are left out, where that is JSON."""
        known = self.parameters.get("properties")
        found: dict[str, JsonValue] = {}
        for name, about in known.items() if isinstance(known, dict) else ():
            if isinstance(about, dict) and "default" in about:
                found[name] = about["default"]
        return found


def describe_function(function: Callable[..., Any]) -> str:
    """Return the first paragraph of a function's docstring, on one line."""
    text = inspect.getdoc(function) or ""
    return " ".join(text.split("\n\n", 1)[0].split())


class _Argument(NamedTuple):
    """A parameter that the model gives."""

    name: str
    hint: Any
    default: Any
    """`...` when it has to be given."""
    note: str | None


_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}

_known: "weakref.WeakKeyDictionary[types.FunctionType, dict[bool, Signature]]"
_known = weakref.WeakKeyDictionary()
"""What was read already, by whether there is a schema: a tool is read where it is declared, where
it is checked and where it is bound, and the models that pydantic builds for it cost most of that.
"""


def read_signature(function: Callable[..., Any], *, has_schema: bool = False) -> Signature:
    """Read a tool function; what was read of a plain function is kept for as long as it lives.

    Args:
        function: Plain or async; its annotations become the schema, the `Args:` section of its
            docstring the descriptions.
        has_schema: The declaration brings its own schema, so annotations are not needed.

    Raises:
        DeclarationError: A parameter cannot be described to a model.
    """
    if not isinstance(function, types.FunctionType):
        # Other callables may be equal and yet differ, or be made anew each time they are named.
        return _read(function, has_schema=has_schema)
    read = _known.setdefault(function, {})
    if has_schema not in read:
        read[has_schema] = _read(function, has_schema=has_schema)
    return read[has_schema]


def _read(function: Callable[..., Any], *, has_schema: bool) -> Signature:
    inner = _unwrapped(function)
    name = getattr(inner, "__name__", type(inner).__name__)
    if inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner):
        raise DeclarationError(
            f"tool function {name!r} is a generator; return the whole output instead of yielding it"
        )
    try:
        annotated = inner if hasattr(inner, "__annotations__") else type(inner).__call__
        hints = typing.get_type_hints(annotated, include_extras=True)
        parameters = inspect.signature(function).parameters.values()
    except (NameError, AttributeError, SyntaxError) as missing:
        raise DeclarationError(f"tool function {name!r}: unknown annotation: {missing}") from None
    except (TypeError, ValueError) as wrong:
        raise DeclarationError(f"tool function {name!r} has no signature: {wrong}") from None
    notes = _argument_notes(inspect.getdoc(function) or "")
    arguments: list[_Argument] = []
    context_name: str | None = None
    takes_any = False
    for parameter in parameters:
        hint = hints.get(parameter.name)
        if hint is ToolContext or (hint is None and parameter.name == "context"):
            context_name = parameter.name
        elif parameter.kind is parameter.VAR_KEYWORD:
            if not has_schema:
                raise DeclarationError(
                    f"tool function {name!r}: nothing says which arguments `**{parameter.name}`"
                    " takes; declare `parameters`"
                )
            takes_any = True
        elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise DeclarationError(
                f"tool function {name!r}: parameter {parameter.name!r} must be a keyword parameter"
            )
        elif hint is None and not has_schema:
            raise DeclarationError(
                f"tool function {name!r}: parameter {parameter.name!r} has no type annotation"
            )
        else:
            default = ... if parameter.default is parameter.empty else parameter.default
            hint = Any if hint is None else hint
            arguments.append(_Argument(parameter.name, hint, default, notes.get(parameter.name)))
    model = functools.cache(functools.partial(_make_model, name, tuple(arguments)))
    schema = _plain_schema(arguments)
    if schema is None:
        try:
            schema = without_titles(
                model().model_json_schema(by_alias=True, schema_generator=_schema_generator())
            )
        except (PydanticUserError, TypeError) as wrong:
            reason = str(wrong).splitlines()[0].partition(". ")[0]
            raise DeclarationError(
                f"tool function {name!r}: an annotation cannot be described to a model: {reason}"
            ) from None
        schema.pop("description", None)
    names = tuple(argument.name for argument in arguments)

    def convert(given: Mapping[str, JsonValue]) -> dict[str, Any]:
        try:
            values = model().model_validate(given)
        except PydanticError as wrong:
            raise ArgumentsError(_explain(wrong)) from None
        return {name: getattr(values, f"argument_{place}") for place, name in enumerate(names)}

    return Signature(schema, context_name, names, takes_any, convert)


def _make_model(name: str, arguments: Sequence[_Argument]) -> type[BaseModel]:
    """Return the model that checks arguments and converts them."""
    # The alias keeps argument names such as `schema` off the model's own attributes.
    fields: dict[str, Any] = {
        f"argument_{place}": (
            argument.hint,
            Field(argument.default, alias=argument.name, description=argument.note),
        )
        for place, argument in enumerate(arguments)
    }
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)


def _plain_schema(arguments: Sequence[_Argument]) -> dict[str, JsonValue] | None:
    """Return what pydantic says of arguments that are all texts, numbers and truth values.

    Most arguments are. A swarm of many tools then opens without a model for each of them; the
    model of a tool is made when it is first called.
    """
    properties: dict[str, JsonValue] = {}
    for name, hint, default, note in arguments:
        kind = _PLAIN.get(hint) if isinstance(hint, type) else None
        if kind is None or (default is not ... and type(default) is not hint):
            return None
        if isinstance(default, float) and not math.isfinite(default):
            return None  # JSON has no word for it
        about: dict[str, JsonValue] = {} if default is ... else {"default": default}
        if note is not None:
            about["description"] = note
        properties[name] = {**about, "type": kind}
    required: list[JsonValue] = [name for name, _, default, _ in arguments if default is ...]
    schema: dict[str, JsonValue] = {"additionalProperties": False, "properties": properties}
    return {**schema, **({"required": required} if required else {}), "type": "object"}


def _unwrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    if isinstance(function, functools.partial):
        return typing.cast("functools.partial[Any]", function).func  # of whatever it returns
    return function


@functools.cache
def _schema_generator() -> "type[GenerateJsonSchema]":
    from pydantic.json_schema import GenerateJsonSchema  # only programs with tools pay for it

    class Generator(GenerateJsonSchema):
        def emit_warning(self, kind: "JsonSchemaWarningKind", detail: str) -> None:
            """Leave out what cannot be shown, such as a default that is no JSON."""

    return Generator


def _explain(wrong: PydanticError) -> str:
    parts: list[str] = []
    for error in wrong.errors(include_url=False, include_context=False, include_input=False):
        where = ".".join(str(step) for step in error["loc"])
        parts.append(f"{where}: {error['msg']}" if where else error["msg"])
    return "; ".join(parts)


def without_titles(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without the titles that pydantic derives from names: they say nothing."""
    cleaned: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "title" and isinstance(value, str):
            continue
        if key in ("properties", "$defs") and isinstance(value, dict):
            inner = typing.cast("dict[str, Any]", value)  # JSON objects have string keys
            cleaned[key] = {name: without_titles(part) for name, part in inner.items()}
        elif isinstance(value, dict):
            cleaned[key] = without_titles(typing.cast("dict[str, Any]", value))
        else:
            cleaned[key] = value
    return cleaned


def _argument_notes(docstring: str) -> dict[str, str]:
    """Read the `Args:` section of a Google docstring: parameter name to description."""
    notes: dict[str, str] = {}
    current: str | None = None
    lines = iter(docstring.splitlines())
    for line in lines:
        if line.strip() in ("Args:", "Arguments:"):
            break
    for line in lines:
        if line and not line.startswith(" "):
            break
        head, colon, rest = line.strip().partition(":")
        first = head.split(" ")[0]
        indent = len(line) - len(line.lstrip())
        if colon and first.isidentifier() and (current is None or indent <= 4):
            current = first
            notes[current] = rest.strip()
        elif current and line.strip():
            notes[current] += " " + line.strip()
    return notes
