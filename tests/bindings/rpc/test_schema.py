"""The messages: one source, a schema that is in step, and frames that come back as they went."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bindings.rpc.errors import error_classes
from bindings.rpc.frames import decode_frame, encode_frame
from bindings.rpc.methods import KINDS, METHODS, TEMPLATES
from bindings.rpc.schema import SCHEMA, make_schema
from bindings.rpc.shapes import Wire
from bindings.rpc.verbs import VERBS

FRAMES = Path(__file__).with_name("frames.json")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


@pytest.mark.requirement("wire:types:in-step")
def test_the_committed_schema_is_in_step(schema: dict[str, Any]) -> None:
    assert schema == make_schema(), "run: python -m bindings.rpc.schema"


def test_the_schema_is_one_that_validators_take(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema({key: schema[key] for key in ("$schema", "$defs", "type")})
    text = json.dumps(schema)
    for name in schema["$defs"]:
        assert f'"#/$defs/{name}"' in text
    assert '"title": "' not in json.dumps(schema["$defs"])


def test_every_kind_of_declaration_is_on_the_wire(schema: dict[str, Any]) -> None:
    declarations = schema["$defs"]["DeclareParams"]["properties"]["declarations"]["items"]
    assert set(declarations["discriminator"]["mapping"]) == {*KINDS, *TEMPLATES}


def test_every_field_of_a_declaration_is_on_the_wire(schema: dict[str, Any]) -> None:
    for name, kind in KINDS.items():
        properties = schema["$defs"][f"{name[0].upper()}{name[1:]}Declaration"]["properties"]
        assert len(properties) == len(kind.spec.model_fields) + 1


def test_no_two_errors_have_one_number() -> None:
    numbers = [error.rpc_code for error in error_classes()]
    assert len(numbers) == len(set(numbers))


def test_no_verb_takes_what_only_python_has() -> None:
    for verb in VERBS.values():
        assert not {"host", "clock", "whose", "args", "self"} & set(verb.params.model_fields)


@pytest.mark.requirement("wire:frame:golden")
def test_recorded_frames_are_read_and_written_alike(schema: dict[str, Any]) -> None:
    recorded: list[dict[str, Any]] = json.loads(FRAMES.read_text(encoding="utf-8"))
    assert {frame["method"] for frame in recorded} == {
        name for name in METHODS if name[:5] != "verb/"
    }
    for frame in recorded:
        method = METHODS[frame["method"]]
        params = frame["params"]
        shape = schema["methods"][frame["method"]]["params"]
        jsonschema.validate(params, {**shape, "$defs": schema["$defs"]})
        model = method.params.model_validate(params)
        assert model.model_dump(mode="json", by_alias=True, exclude_unset=True) == params
        assert decode_frame(encode_frame({"jsonrpc": "2.0", **frame})) == {
            "jsonrpc": "2.0",
            **frame,
        }


def test_unknown_fields_are_ignored() -> None:
    for frame in json.loads(FRAMES.read_text(encoding="utf-8")):
        params = {**frame["params"], "fromTheFuture": {"x": 1}}
        METHODS[frame["method"]].params.model_validate(params)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def _strategy(
    schema: dict[str, Any], models: dict[str, Any], depth: int = 0
) -> st.SearchStrategy[Any]:
    """Return what makes values of a schema; as much of JSON Schema as ours uses."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _JSON if name == "JsonValue" else _strategy(models[name], models, depth + 1)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for union in ("anyOf", "oneOf"):
        if union in schema:
            options = schema[union][:3] if depth > 4 else schema[union]
            return st.one_of([_strategy(option, models, depth + 1) for option in options])
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        required = set(schema.get("required", ()))
        known = {
            name: st.deferred(lambda part=part: _strategy(part, models, depth + 1))
            for name, part in schema["properties"].items()
        }
        needed = {name: known[name] for name in known if name in required}
        others = {name: known[name] for name in known if name not in required}
        return st.fixed_dictionaries(needed, optional=others if depth < 3 else {})
    if kind == "object":
        values = schema.get("additionalProperties", True)
        inner = _JSON if values is True else _strategy(values, models, depth + 1)
        return st.dictionaries(st.text(max_size=5), inner, max_size=2)
    if kind == "array":
        items = schema.get("items", {})
        return st.lists(_strategy(items, models, depth + 1), max_size=2)
    if kind == "string":
        if "pattern" in schema:
            return st.sampled_from(["a", "a-1", "Z_9"])
        return st.text(min_size=schema.get("minLength", 0), max_size=8)
    if kind == "integer":
        low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
        return st.integers(low, min(schema.get("maximum", 2**31), 2**31))
    if kind == "number":
        low = schema.get("minimum", schema.get("exclusiveMinimum", -1))
        return st.floats(low, 1e6, exclude_min="exclusiveMinimum" in schema).map(abs)
    simple = {"boolean": st.booleans(), "null": st.none()}
    return simple.get(str(kind), _JSON)


@pytest.mark.requirement("wire:types:in-step")
@settings(
    max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_params_of_every_method_come_back_as_they_went(data: st.DataObject) -> None:
    """What the schema allows, the models take; what they write they read, and it is the same."""
    made = make_schema_once()
    name = data.draw(st.sampled_from(sorted(METHODS)))
    params = data.draw(_strategy(made["methods"][name]["params"], made["$defs"]))
    model: Wire = METHODS[name].params.model_validate(params)
    written = model.model_dump(mode="json", by_alias=True)
    frame = {"jsonrpc": "2.0", "method": name, "params": written}
    read = decode_frame(encode_frame(frame))["params"]
    assert METHODS[name].params.model_validate(read) == model


_made: list[dict[str, Any]] = []


def make_schema_once() -> dict[str, Any]:
    if not _made:
        _made.append(make_schema())
    return _made[0]
