"""Schemas of programs: sound or not, fitting or not, strict or not."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from swarm import to_json_schema, validate_tool_arguments
from swarm.json_schema import (
    find_reference_problems,
    find_schema_problems,
    schema_checker,
    strict_schema,
)

ITEM = {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]}


class Line(BaseModel):
    sku: str = Field(description="The product.")
    boxes: int


class Order(BaseModel):
    """What was ordered."""

    lines: list[Line]
    kind: Literal["sale", "gift"]


class Tree(BaseModel):
    children: "list[Tree]"


class Loose(BaseModel):
    note: str = ""


@pytest.mark.requirement("kit:misc:validate-arguments")
def test_arguments_fit_or_there_is_a_reason() -> None:
    assert validate_tool_arguments({"sku": "A1"}, ITEM) is None
    assert validate_tool_arguments({}, ITEM) == "'sku' is a required property"
    assert validate_tool_arguments(None, ITEM) == "the arguments must be a JSON object"
    reason = validate_tool_arguments({"sku": 1}, {"properties": ITEM["properties"]})
    assert reason == "sku: 1 is not of type 'string'"


def test_reasons_are_few_and_short() -> None:
    check = schema_checker({"additionalProperties": {"enum": ["x"]}})
    reasons = check({f"key{n}": "y" * 10_000 for n in range(20)})
    assert len(reasons) == 5
    assert max(map(len, reasons)) < 400


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({}, []),
        ({"$defs": {"a": ITEM}, "properties": {"x": {"$ref": "#/$defs/a"}}}, []),
        ({"properties": {"x": {"$ref": "#"}}}, []),
        ({"$defs": {"a": {"$anchor": "here"}}, "items": {"$ref": "#here"}}, []),
        ({"const": {"$ref": "https://example.com"}}, []),
        ({"properties": {"$ref": {"type": "string"}}}, []),
        ({"type": "txt"}, [".type"]),
        ({"allOf": [{"$ref": "https://example.com/x"}]}, [".allOf[0].$ref"]),
        ({"$ref": "other.json#/a"}, [".$ref"]),
        ({"properties": {"x": {"items": {"$ref": "#/$defs/a"}}}}, [".properties.x.items.$ref"]),
        ({"$ref": "#/%"}, [".$ref"]),
    ],
)
def test_problems_of_a_schema_have_their_place(schema: dict[str, Any], found: list[str]) -> None:
    problems = list(find_schema_problems(schema)) or find_reference_problems(schema)
    assert [path for path, _ in problems] == found


@pytest.mark.requirement("kit:misc:json-schema")
def test_a_model_becomes_a_format_of_the_api() -> None:
    wanted: Any = to_json_schema("order", Order)
    described = wanted["json_schema"]
    assert (wanted["type"], described["name"], described["strict"]) == (
        "json_schema",
        "order",
        True,
    )
    schema = described["schema"]
    line = schema["$defs"]["Line"]
    assert schema["additionalProperties"] is False and line["additionalProperties"] is False
    assert line["properties"]["sku"] == {"description": "The product.", "type": "string"}
    # Taken apart and put together again, it is the same.
    assert to_json_schema("order", wanted) == wanted


@pytest.mark.parametrize(
    ("format", "strict"),
    [
        (Order, True),
        (Tree, True),
        (Loose, False),
        ({**ITEM, "additionalProperties": True}, False),
        ({**ITEM, "additionalProperties": False}, True),
        ({"type": "object"}, False),
        ({**ITEM, "properties": {"sku": {"type": "object"}}}, False),
        ({**ITEM, "properties": {"sku": {"anyOf": [ITEM, {"type": "null"}]}}}, True),
        ({**ITEM, "properties": {"sku": {"oneOf": [ITEM]}}}, False),
        ({"type": "json_schema", "json_schema": {"schema": ITEM, "strict": False}}, False),
        ({"type": "json_schema", "json_schema": {"schema": {}, "strict": True}}, True),
        ({"type": "json_schema", "json_schema": ITEM}, True),
    ],
)
def test_a_format_is_strict_where_that_means_the_same(format: Any, strict: bool) -> None:
    wanted: Any = to_json_schema("order", format)
    assert wanted["json_schema"]["strict"] is strict


def test_a_strict_schema_leaves_the_original_alone() -> None:
    schema: dict[str, Any] = {**ITEM, "properties": {"sku": {**ITEM, "default": {"properties": 1}}}}
    strict = strict_schema(schema)
    assert strict is not None and strict["additionalProperties"] is False
    assert "additionalProperties" not in schema
    assert "additionalProperties" not in schema["properties"]["sku"]
