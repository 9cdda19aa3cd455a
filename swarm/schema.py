"""From a function's signature to the schema that a model sees, and back to its arguments."""

import functools
import inspect
import typing
from collections.abc import Callable, Mapping
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


def describe_function(function: Callable[..., Any]) -> str:
    """Return the first paragraph of a function's docstring, on one line."""
    text = inspect.getdoc(function) or ""
    return " ".join(text.split("\n\n", 1)[0].split())


def read_signature(function: Callable[..., Any], *, has_schema: bool = False) -> Signature:
    """Read a tool function.

    Args:
        function: Plain or async; its annotations become the schema, the `Args:` section of its
            docstring the descriptions.
        has_schema: The declaration brings its own schema, so annotations are not needed.

    Raises:
        DeclarationError: A parameter cannot be described to a model.
    """
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
    fields: dict[str, Any] = {}
    context_name: str | None = None
    names: list[str] = []
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
            names.append(parameter.name)
            default = ... if parameter.default is parameter.empty else parameter.default
            # The alias keeps argument names such as `schema` off the model's own attributes.
            fields[f"argument_{len(fields)}"] = (
                Any if hint is None else hint,
                Field(default, alias=parameter.name, description=notes.get(parameter.name)),
            )
    try:
        model: type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
        schema = without_titles(
            model.model_json_schema(by_alias=True, schema_generator=_schema_generator())
        )
    except (PydanticUserError, TypeError) as wrong:
        reason = str(wrong).splitlines()[0].partition(". ")[0]
        raise DeclarationError(
            f"tool function {name!r}: an annotation cannot be described to a model: {reason}"
        ) from None

    def convert(arguments: Mapping[str, JsonValue]) -> dict[str, Any]:
        try:
            values = model.model_validate(arguments)
        except PydanticError as wrong:
            raise ArgumentsError(_explain(wrong)) from None
        return {field[1].alias: getattr(values, key) for key, field in fields.items()}

    schema.pop("description", None)
    return Signature(schema, context_name, tuple(names), takes_any, convert)


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
