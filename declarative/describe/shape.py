"""The fields of a JSON Schema as a table in plain words, with the fields inside of fields."""

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import JsonValue

from declarative.describe.words import count
from declarative.describe.writer import Writer, table

__all__ = ["HEAD", "field_rows", "fields_table"]

HEAD = ("Type", "Required", "Description")
"""The columns after that with a field's name."""

_DEEPEST = 8
_MOST_ROWS = 400
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "yes or no",
    "array": "list",
    "object": "group of fields",
    "null": "nothing",
}
_RULES = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
}
_LENGTHS = {
    "minLength": ("at least", "character"),
    "maxLength": ("at most", "character"),
    "minItems": ("at least", "entry"),
    "maxItems": ("at most", "entry"),
}
_Schema = Mapping[str, JsonValue]


class _Found(NamedTuple):
    """A schema with what it refers to, and by which references it was reached."""

    schema: _Schema
    seen: frozenset[str]


def fields_table(writer: Writer, schema: _Schema, name: str = "Field") -> str | None:
    """Return the table of a schema's fields; None where it has none."""
    rows = list(field_rows(writer, schema))
    return table((name, *HEAD), rows) if rows else None


def field_rows(writer: Writer, schema: _Schema) -> Iterator[tuple[str, str, str, str]]:
    """Yield name, type, whether it is required and what is known of it, for each field.

    Fields of a field are named with a dot, those of a list's entries with brackets and a dot.
    """
    shape = _Shape(writer, schema)
    for number, row in enumerate(shape.rows(_Found(schema, frozenset()), "", 0)):
        if number == _MOST_ROWS:
            yield "…", "", "", f"There are more than {_MOST_ROWS} fields."
            return
        yield row


class _Shape:
    def __init__(self, writer: Writer, root: _Schema) -> None:
        self._writer = writer
        self._root = root

    def rows(self, found: _Found, prefix: str, depth: int) -> Iterator[tuple[str, str, str, str]]:
        if depth > _DEEPEST:
            return
        found = self._follow(found)
        required = found.schema.get("required")
        for name, part in _mapping(found.schema.get("properties")).items():
            inner = _Found(_mapping(part), found.seen)
            path = f"{prefix}{name}"
            is_required = isinstance(required, list) and name in required
            yield (
                self._writer.code(path),
                self._type(inner),
                "yes" if is_required else "no",
                self._about(self._follow(inner).schema),
            )
            yield from self._inside(inner, path, depth + 1)
        for branch in self._branches(found):
            yield from self.rows(branch, prefix, depth + 1)

    def _inside(self, found: _Found, path: str, depth: int) -> Iterator[tuple[str, str, str, str]]:
        """Yield the fields of a field, or of the entries of its list."""
        if depth > _DEEPEST:
            return
        found = self._follow(found)
        if "properties" in found.schema:
            own = {k: v for k, v in found.schema.items() if k in ("properties", "required")}
            yield from self.rows(_Found(own, found.seen), f"{path}.", depth)
        items = found.schema.get("items")
        if isinstance(items, Mapping):
            yield from self._inside(_Found(items, found.seen), f"{path}[]", depth + 1)
        for branch in self._branches(found):
            yield from self._inside(branch, path, depth + 1)

    def _branches(self, found: _Found) -> Iterator[_Found]:
        for key in ("anyOf", "oneOf", "allOf"):
            parts = found.schema.get(key)
            for part in parts if isinstance(parts, list) else ():
                yield _Found(_mapping(part), found.seen)

    def _follow(self, found: _Found) -> _Found:
        """Return a schema with what it refers to; one that holds itself ends there."""
        schema, seen = found
        while isinstance(reference := schema.get("$ref"), str):
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            target: _Schema = {"type": "object"} if reference in seen else self._at(reference)
            seen |= {reference}
            schema = {**target, **rest}
        return _Found(schema, seen)

    def _at(self, reference: str) -> _Schema:
        value: JsonValue = dict(self._root)
        for step in reference.removeprefix("#").split("/")[1:]:
            value = _mapping(value).get(step.replace("~1", "/").replace("~0", "~"))
        return _mapping(value)

    def _type(self, found: _Found, depth: int = 0) -> str:
        found = self._follow(found)
        schema = found.schema
        if depth > _DEEPEST:
            return "anything"
        choices = schema.get("enum")
        if isinstance(choices, list):
            return "one of " + self._writer.codes(map(_said, choices))
        if "const" in schema:
            return self._writer.code(_said(schema["const"]))
        for key in ("anyOf", "oneOf", "allOf"):
            if schema.get(key) and "type" not in schema:
                parts = [self._type(part, depth + 1) for part in self._branches(found)]
                parts = sorted(dict.fromkeys(parts), key=lambda part: part == "nothing")
                return (" and " if key == "allOf" else " or ").join(parts)
        kinds = schema.get("type")
        if not isinstance(kinds, list):
            return self._kind(found, kinds, depth)
        return " or ".join(self._kind(found, kind, depth) for kind in kinds)

    def _kind(self, found: _Found, kind: JsonValue, depth: int) -> str:
        schema = found.schema
        if kind == "array" and isinstance(items := schema.get("items"), Mapping) and items:
            inner = self._type(_Found(items, found.seen), depth + 1)
            return "list of groups of fields" if inner == _TYPES["object"] else f"list of {inner}"
        more = schema.get("additionalProperties")
        if kind == "object" and isinstance(more, Mapping) and not schema.get("properties"):
            return f"named values: {self._type(_Found(more, found.seen), depth + 1)}"
        if kind is None and "properties" in schema:
            kind = "object"
        shape = schema.get("format")
        said = _TYPES.get(str(kind), "anything")
        return f"{said} ({self._writer.text(shape)})" if isinstance(shape, str) else said

    def _about(self, schema: _Schema) -> str:
        note = schema.get("description") or schema.get("title")
        said = self._writer.text(note) if isinstance(note, str) else ""
        rules = [
            text.format(_said(schema[key]))
            for key, text in _RULES.items()
            if isinstance(schema.get(key), int | float)
        ]
        for key, (bound, noun) in _LENGTHS.items():
            if isinstance(number := schema.get(key), int):
                rules.append(f"{bound} {count(number, noun)}")
        if isinstance(pattern := schema.get("pattern"), str):
            rules.append(f"like {self._writer.code(pattern)}")
        if schema.get("uniqueItems") is True:
            rules.append("no entry twice")
        if schema.get("default") not in (None, "", [], {}):
            rules.append(f"{self._writer.code(_said(schema['default']))} when it is left out")
        if rules:
            end = "" if not said or said.endswith((".", "!", "?")) else "."
            ruled = ", ".join(rules)
            said = f"{said}{end} {ruled[0].upper()}{ruled[1:]}.".strip()
        return said


def _mapping(value: JsonValue) -> _Schema:
    return value if isinstance(value, dict) else {}


def _said(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
