"""The JSON Schema (draft 2020-12) of YAML documents, made from the specs.

Editors read it through `# yaml-language-server: $schema=FILE`. It knows shapes, not references
between names; `declarative.check` knows both.
"""

from collections.abc import Mapping
from typing import Any, cast

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from declarative.kinds import INCLUDE, SECTIONS

__all__ = ["document_schema"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_CALLBACK = "Callback"
_VARIABLE = "Variable"
_FUNCTION = {"type": "string", "format": "function"}
"""Stands for a function until the whole document's definitions are put together."""
_SHARED: dict[str, Any] = {
    _CALLBACK: {
        "description": "A function as module:function or file.ts#export, beside the document.",
        "type": "string",
        "pattern": r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$|#[A-Za-z_$][\w$]*$",
    },
    _VARIABLE: {
        "description": "A value from the environment: ${NAME} or ${NAME:-default}.",
        "type": "string",
        "pattern": r"\$\{[A-Za-z_]",
    },
}


def document_schema() -> dict[str, Any]:
    """Return the schema of a whole document."""
    definitions: dict[str, Any] = dict(_SHARED)
    properties: dict[str, Any] = {
        INCLUDE: {
            "description": "Further files, relative to this one and under its folder.",
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        }
    }
    for section, kind in SECTIONS.items():
        schema = kind.spec.model_json_schema(schema_generator=_Generator)
        definitions.update(schema.pop("$defs", {}))
        names = cast("dict[str, Any]", schema["properties"]).pop(kind.key)
        schema["required"] = [name for name in schema.get("required", []) if name != kind.key]
        definitions[kind.spec.__name__] = schema
        properties[section] = {
            "description": schema.get("description", f"The {section}, by name."),
            "type": ["object", "null"],
            "propertyNames": {key: names[key] for key in ("pattern", "maxLength") if key in names},
            "additionalProperties": {"$ref": f"#/$defs/{kind.spec.__name__}"},
        }
    for name, definition in definitions.items():
        if name not in _SHARED and "properties" in definition:
            fields = cast("dict[str, Any]", definition["properties"])
            definition["properties"] = {key: _field(part) for key, part in fields.items()}
    return {
        "$schema": _DIALECT,
        "title": "A wikiswarm document",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "$defs": dict(sorted(definitions.items())),
    }


class _Generator(GenerateJsonSchema):
    """Writes functions as the text that names them."""

    def callable_schema(self, schema: core_schema.CallableSchema) -> JsonSchemaValue:
        return dict(_FUNCTION)


def _field(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a field's schema as YAML has it: a variable may stand for any single value."""
    result = {key: value for key, value in schema.items() if key != "title"}
    if result.get("default", ...) is None:  # left out in YAML, not written as null
        del result["default"]
    branches = [_branch(part) for part in result.pop("anyOf", [])]
    if not branches:
        keep = ("description", "default")
        branches = [_branch({key: result[key] for key in result if key not in keep})]
        result = {key: result[key] for key in keep if key in result}
    if {"type": "string"} in branches:  # free text: it covers what else a text could be
        branches = [part for part in branches if "$ref" not in part or not _is_text(part)]
    elif any(_is_single(part) for part in branches):
        branches.append({"$ref": f"#/$defs/{_VARIABLE}"})
    # A field that is left out has no value; one that is written has.
    branches = [part for part in branches if part != {"type": "null"}]
    return {**result, **branches[0]} if len(branches) == 1 else {**result, "anyOf": branches}


def _branch(schema: Mapping[str, Any]) -> dict[str, Any]:
    if schema == _FUNCTION:
        return {"$ref": f"#/$defs/{_CALLBACK}"}
    result = dict(schema)
    items = result.get("items")
    if isinstance(items, Mapping):
        result["items"] = _field(cast("Mapping[str, Any]", items))
    return result


def _is_single(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") in ("string", "number", "integer", "boolean") or _is_text(schema)


def _is_text(schema: Mapping[str, Any]) -> bool:
    return schema.get("$ref") == f"#/$defs/{_CALLBACK}"
