"""The plainest document that fits a JSON Schema, for outlines that are tried without a model.

It knows the keywords that say what a value is, not every rule about it: whoever asked checks the
document anyway.
"""

from collections.abc import Mapping
from typing import Any, cast

__all__ = ["sample_document"]

_Json = Mapping[str, Any]

_DEEPEST = 6
"""Levels after which a schema that refers to itself is left alone."""
_LONGEST = 100
"""Items or characters that a schema may ask for."""


def sample_document(schema: _Json) -> Any:
    """Return a value with the fields that a schema requires and nothing else."""
    return _sample(schema, schema, 0)


def _sample(part: object, root: _Json, depth: int) -> Any:
    if depth > _DEEPEST or not isinstance(part, Mapping):
        return None
    schema = cast("_Json", part)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    if isinstance(schema.get("$ref"), str):
        return _sample(_resolved(schema["$ref"], root), root, depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return _sample(schema[key][0], root, depth + 1)
    kind: Any = schema.get("type")
    if isinstance(kind, list):
        kind = cast("list[Any]", kind)[0]
    if kind == "object" or "properties" in schema:
        fields: _Json = schema.get("properties") or {}
        needed: list[str] = schema.get("required") or []
        return {name: _sample(fields.get(name), root, depth + 1) for name in needed}
    if kind == "array":
        count = min(int(schema.get("minItems") or 0), _LONGEST)
        return [_sample(schema.get("items"), root, depth + 1) for _ in range(count)]
    if kind in ("integer", "number"):
        return _number(schema)
    if kind == "string":
        return "-" * min(int(schema.get("minLength") or 0), _LONGEST)
    return False if kind == "boolean" else None


def _number(schema: _Json) -> int | float:
    if "minimum" in schema:
        return max(schema["minimum"], 0)
    if "exclusiveMinimum" in schema:
        return max(schema["exclusiveMinimum"] + 1, 0)
    return min(schema.get("maximum", 0), 0)


def _resolved(reference: str, root: _Json) -> _Json:
    """Return what a pointer such as `#/$defs/item` leads to; nothing where it is another kind."""
    found: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        if step:
            found = cast("_Json", found).get(step) if isinstance(found, Mapping) else None
    return cast("_Json", found) if isinstance(found, Mapping) else {}
