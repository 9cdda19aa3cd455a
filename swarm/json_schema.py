"""JSON Schemas that programs declare: are they sound, and does a value fit.

References lead nowhere but into the schema itself: nothing is fetched.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from pydantic import BaseModel, JsonValue

from swarm.schema import without_titles

__all__ = [
    "Format",
    "find_reference_problems",
    "find_schema_problems",
    "read_format",
    "schema_checker",
    "strict_schema",
    "to_json_schema",
    "validate_tool_arguments",
]

_Json = Mapping[str, Any]

_MOST_REASONS = 5
_LONGEST_REASON = 300
"""Characters; some reasons quote the whole value."""
_DATA = ("const", "default", "enum", "examples")
"""Keywords whose value is data, in which `$ref` would mean nothing."""
_NOT_STRICT = ("allOf", "dependentSchemas", "if", "not", "oneOf", "patternProperties")
"""Keywords that OpenAI's strict mode refuses."""


class Format(NamedTuple):
    """A format of documents, in whatever way it was declared."""

    schema: dict[str, JsonValue]
    """JSON Schema of type object."""
    strict: bool | None = None
    """What the declaration says about OpenAI's strict mode, if anything."""
    model: type[BaseModel] | None = None
    """The pydantic model that the schema was made from."""


def read_format(value: _Json | type[BaseModel]) -> Format:
    """Return the schema of a pydantic model, of a JSON Schema, or of one in OpenAI's wrapper.

    Raises:
        ValueError: It describes something else than a JSON object.
    """
    strict: bool | None = None
    model: type[BaseModel] | None = None
    if isinstance(value, type):
        model = value
        try:
            schema: dict[str, Any] = without_titles(value.model_json_schema())
        except Exception as wrong:  # what the model says of itself is the program's own code
            reason = str(wrong).partition("\n")[0]
            raise ValueError(f"{value.__name__} has no JSON Schema: {reason}") from None
    elif value.get("type") == "json_schema":
        inner = value.get("json_schema")
        if not isinstance(inner, Mapping):
            raise ValueError("`json_schema` must be a mapping with the schema")
        wrapper = cast("_Json", inner)
        given: Any = wrapper.get("schema", wrapper)
        if not isinstance(given, Mapping):
            raise ValueError("`json_schema.schema` must be a mapping")
        said: Any = wrapper.get("strict")
        if isinstance(said, bool) and given is not wrapper:
            strict = said
        schema = dict(cast("_Json", given))
    else:
        schema = dict(value)
    if schema.setdefault("type", "object") != "object":
        raise ValueError(f"a document is a JSON object, not of type {schema['type']!r}")
    return Format(schema, strict, model)


def to_json_schema(name: str, format: _Json | type[BaseModel]) -> dict[str, JsonValue]:
    """Return a format as the `response_format` of OpenAI's API.

    Args:
        name: What the document is called.
        format: A JSON Schema of type object, or a pydantic model.

    Raises:
        ValueError: The format describes something else than a JSON object.
    """
    found = read_format(format)
    schema = strict_schema(found.schema) if found.strict is not False else None
    return {
        "type": "json_schema",
        "json_schema": {
            "name": name,
            "schema": schema or found.schema,
            "strict": schema is not None or found.strict is True,
        },
    }


def validate_tool_arguments(arguments: object, schema: _Json) -> str | None:
    """Return None when arguments fit a tool's parameters, or the reason why they do not.

    Args:
        arguments: What the model gave, parsed.
        schema: The tool's `parameters`: a JSON Schema of type object.
    """
    if not isinstance(arguments, Mapping):
        return "the arguments must be a JSON object"
    reasons = schema_checker({"type": "object", **schema})(cast("_Json", arguments))
    return "; ".join(reasons) or None


def schema_checker(schema: _Json) -> Callable[[object], list[str]]:
    """Return a function that says why a value does not fit: up to five reasons with their paths."""
    import jsonschema  # 0.1 s that only programs with schemas of their own pay
    from referencing.jsonschema import EMPTY_REGISTRY

    # Without a registry of its own, the library fetches a `$ref` that is an address. Its stubs
    # leave the instance's type open.
    validator: Any = jsonschema.Draft202012Validator(dict(schema), registry=EMPTY_REGISTRY)

    def check(value: object) -> list[str]:
        reasons: list[str] = []
        for error in validator.iter_errors(value):
            where = ".".join(str(step) for step in error.absolute_path)
            text = str(error.message)
            if len(text) > _LONGEST_REASON:
                text = f"{text[:_LONGEST_REASON]}..."
            reasons.append(f"{where}: {text}" if where else text)
            if len(reasons) == _MOST_REASONS:
                break
        return reasons

    return check


def find_schema_problems(schema: _Json) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a schema, as its path such as `.properties.sku` and a message."""
    import jsonschema

    try:
        jsonschema.Draft202012Validator.check_schema(dict(schema))
    except jsonschema.SchemaError as wrong:
        path = "".join(f".{step}" for step in wrong.absolute_path)
        yield path, f"not a JSON Schema: {wrong.message}"


def find_reference_problems(schema: _Json) -> Iterator[tuple[str, str]]:
    """Yield what a sound schema refers to outside of itself, as path and message."""
    from referencing import Registry, Resource
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    root = Resource[Any](contents=dict(schema), specification=DRAFT202012)
    resolver = Registry[Any]().with_resource("", root).resolver()
    for path, reference in _references(schema, ""):
        if not reference.startswith("#"):
            yield path, f"{reference!r} is not in this schema, and nothing is fetched"
            continue
        try:
            resolver.lookup(reference)
        except Unresolvable:
            yield path, f"nothing in this schema is at {reference!r}"


def strict_schema(schema: _Json) -> dict[str, JsonValue] | None:
    """Return a schema for OpenAI's strict mode, or None where that would change its meaning.

    The mode needs every field required and no others allowed. Where all fields are required and
    nothing is said about others, others are forbidden.
    """
    try:
        return _strict(schema)
    except ValueError:
        return None


def _strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs", "definitions") and isinstance(value, Mapping):
            parts = cast("_Json", value)
            result[key] = {
                name: _strict(cast("_Json", part)) if isinstance(part, Mapping) else part
                for name, part in parts.items()
            }
        elif key in _DATA:
            result[key] = value
        elif isinstance(value, Mapping):
            result[key] = _strict(cast("_Json", value))
        elif isinstance(value, list):
            items = cast("list[Any]", value)
            result[key] = [
                _strict(cast("_Json", item)) if isinstance(item, Mapping) else item
                for item in items
            ]
        else:
            result[key] = value
    if any(key in result for key in _NOT_STRICT):
        raise ValueError("strict mode does not know this")
    if result.get("type") == "object" or "properties" in result:
        if "$ref" in result and "properties" not in result:
            return result  # the definition that it names is looked at there
        if "properties" not in result:
            raise ValueError("any fields are allowed")
        if result.setdefault("additionalProperties", False) is not False:
            raise ValueError("other fields are allowed")
        if set(result.get("properties", {})) - set(result.get("required", [])):
            raise ValueError("some fields may be left out")
    return result


def _references(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield every `$ref` of a schema with its path."""
    if isinstance(value, Mapping):
        for key, part in cast("_Json", value).items():
            if key in _DATA:
                continue
            if key in ("$ref", "$dynamicRef") and isinstance(part, str):
                yield f"{path}.{key}", part
            elif key in ("properties", "$defs", "definitions") and isinstance(part, Mapping):
                for name, inner in cast("_Json", part).items():
                    yield from _references(inner, f"{path}.{key}.{name}")
            else:
                yield from _references(part, f"{path}.{key}")
    elif isinstance(value, list):
        for place, part in enumerate(cast("list[object]", value)):
            yield from _references(part, f"{path}[{place}]")
