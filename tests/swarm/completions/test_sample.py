"""Documents of the completion without a model."""

from typing import Any

import jsonschema
import orjson
import pytest

from swarm import ResponseFormat
from swarm.completions.sample import sample_document
from tests.swarm.completions.asking import MODES, OpenModel, ask, request

ITEM = {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": 7}, 7),
        ({"enum": ["red", "green"]}, "red"),
        ({"type": "string", "default": "x"}, "x"),
        ({"type": "string", "minLength": 2}, "--"),
        ({"type": "integer"}, 0),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "number", "exclusiveMinimum": 3}, 4),
        ({"type": "integer", "maximum": -2}, -2),
        ({"type": "boolean"}, False),
        ({"type": ["string", "null"]}, ""),
        ({"type": "array", "items": ITEM}, []),
        ({"type": "array", "items": ITEM, "minItems": 2}, [{"sku": ""}, {"sku": ""}]),
        ({"type": "array", "items": True, "minItems": 1}, [None]),
        ({"required": ["a"], "properties": {}}, {"a": None}),
        ({"anyOf": [ITEM, {"type": "null"}]}, {"sku": ""}),
        ({"$defs": {"item": ITEM}, "$ref": "#/$defs/item"}, {"sku": ""}),
        ({}, None),
    ],
)
def test_a_sample_is_the_plainest_value_that_fits(schema: dict[str, Any], value: Any) -> None:
    assert sample_document(schema) == value
    jsonschema.validate(value, schema)


def test_a_schema_that_never_ends_ends_somewhere() -> None:
    schema: dict[str, Any] = {"properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    assert sample_document(schema)["next"]["next"]
    assert sample_document({"$ref": "#"}) is None


@pytest.mark.anyio
@pytest.mark.parametrize("mode", MODES)
async def test_offline_fills_in_what_is_asked_for(open_model: OpenModel, mode: str) -> None:
    completion = await open_model("offline")
    question = request("Two boxes")
    wanted: Any = {**ITEM, "properties": {"sku": {"enum": ["A1"]}}}
    asked = type(question)(question.messages, response_format=ResponseFormat("order", wanted))
    assert orjson.loads((await ask(completion, mode, asked)).text) == {"sku": "A1"}
