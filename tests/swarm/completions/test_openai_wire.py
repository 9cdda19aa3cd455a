"""OpenAI's wire format: our messages out, its answers in, its tool calls put together."""

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm import Message, ToolCall, Usage
from swarm.completions.openai_wire import (
    ToolCallDeltas,
    confidence_of,
    read_calls,
    read_usage,
    wire_request,
    wire_tool,
)
from swarm.errors import ProviderOutputError
from tests.swarm.completions.asking import TOOL


def _delta(**fields: Any) -> dict[str, Any]:
    """Return one tool call delta; `name` and `arguments` belong to its function."""
    function = {key: fields.pop(key) for key in ("name", "arguments") if key in fields}
    return {**fields, "function": function} if function else fields


def _join(*deltas: dict[str, Any]) -> list[tuple[str, str, str]]:
    calls = ToolCallDeltas()
    for delta in deltas:
        calls.add([delta])
    return [(call.id, call.name, call.arguments) for call in calls.calls("test/model")]


def test_a_request_has_the_shape_of_the_api() -> None:
    messages = [
        Message(role="system", content="Be brief.", agent_name="seller"),
        Message(role="developer", content="No jokes."),
        Message(role="user", content="How many?", payload={"hidden": 1}),
        Message(
            role="assistant",
            reasoning="I should look.",
            tool_calls=(ToolCall(id="call_1", name="stock_level", arguments='{"sku":"A1"}'),),
        ),
        Message(role="tool", content="3", tool_call_id="call_1"),
        Message(role="assistant", content="Three."),
    ]
    assert wire_request("gpt-5", messages, [wire_tool(TOOL)]) == {
        "model": "gpt-5",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": "No jokes."},
            {"role": "user", "content": "How many?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "stock_level", "arguments": '{"sku":"A1"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "3"},
            {"role": "assistant", "content": "Three."},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "stock_level",
                    "description": "How many boxes are in stock.",
                    "parameters": {
                        "type": "object",
                        "properties": {"sku": {"type": "string"}},
                        "required": ["sku"],
                    },
                },
            }
        ],
    }


def test_a_request_without_tools_names_none() -> None:
    assert wire_request("m", [], []) == {"model": "m", "messages": []}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
            Usage(input_tokens=3, output_tokens=2),
        ),
        ({"prompt_tokens": None, "completion_tokens": -1}, Usage()),
        (None, Usage()),
        ([], Usage()),
    ],
)
def test_usage_is_read_or_zero(usage: object, expected: Usage) -> None:
    assert read_usage(usage) == expected


@pytest.mark.parametrize(
    ("logprobs", "expected"),
    [
        ({"content": [{"logprob": math.log(0.5)}, {"logprob": math.log(0.125)}]}, 0.25),
        ({"content": [{"logprob": 0.1}]}, 1.0),
        ({"content": [{"logprob": -math.inf}, {"logprob": None}, "x"]}, None),
        ({"content": []}, None),
        ({"content": "x"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_confidence_is_the_geometric_mean(logprobs: object, expected: float | None) -> None:
    assert confidence_of(logprobs) == (expected if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({"id": "a", "function": {"name": "f", "arguments": '{"x":1}'}}, ("a", "f", '{"x":1}')),
        ({"id": "a", "function": {"name": "f", "arguments": {"x": 1}}}, ("a", "f", '{"x":1}')),
        ({"id": "a", "function": {"name": "f", "arguments": "not JSON"}}, ("a", "f", "not JSON")),
        ({"id": "a", "function": {"name": "f", "arguments": ""}}, ("a", "f", "{}")),
        ({"id": "a", "function": {"name": "f", "arguments": None}}, ("a", "f", "{}")),
        ({"id": None, "function": {"name": "f"}}, ("", "f", "{}")),
        ({"function": {"name": "f", "arguments": []}}, ("", "f", "[]")),
    ],
)
def test_a_whole_call_and_a_streamed_one_are_read_alike(
    call: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    (found,) = read_calls([call], "test/model")
    assert (found.id, found.name, found.arguments) == expected
    assert _join({"index": 0, **call}) == [expected]


@pytest.mark.parametrize(
    "raw", [[{"id": "a"}], [None], [{"function": {"name": ""}}], {"a": 1}, "x"]
)
def test_what_is_no_call_is_refused(raw: object) -> None:
    with pytest.raises(ProviderOutputError):
        read_calls(raw, "test/model")


def test_a_streamed_call_without_a_name_is_refused() -> None:
    with pytest.raises(ProviderOutputError, match="no function name"):
        _join(_delta(index=0, id="a", arguments="{}"))


def test_no_calls_are_none() -> None:
    assert read_calls(None, "test/model") == read_calls([], "test/model") == ()
    calls = ToolCallDeltas()
    nonsense: list[object] = [None, "x", 5, [None, "x"]]
    for raw in nonsense:
        calls.add(raw)
    assert calls.calls("test/model") == ()


@pytest.mark.parametrize(
    "deltas",
    [
        # In the order of the index, not of arrival, and with a gap.
        [_delta(index=4, id="b", name="g"), _delta(index=1, id="a", name="f", arguments='{"x":1}')],
        # Every call with the index 0.
        [
            _delta(index=0, id="a", name="f", arguments='{"x"'),
            _delta(index=0, arguments=":1}"),
            _delta(index=0, id="b", name="g", arguments=""),
        ],
        # No index: a new id starts a call, a known one goes on with it.
        [
            _delta(id="a", name="f", arguments='{"x"'),
            _delta(id="b", name="g"),
            _delta(id="a", arguments=":1}"),
        ],
        # No index, and the id only once.
        [
            _delta(id="a", name="f"),
            _delta(arguments='{"x"'),
            _delta(arguments=":1}"),
            _delta(id="b", name="g"),
        ],
        # The id and the name with every delta.
        [
            _delta(index=0, id="a", name="f", arguments='{"x"'),
            _delta(index=0, id="a", name="f", arguments=":1}"),
            _delta(index=1, id="b", name="g"),
        ],
        # The id first, then the name.
        [
            _delta(index=0, id="a"),
            _delta(index=0, name="f", arguments='{"x":1}'),
            _delta(index=1, id="b"),
            _delta(index=1, name="g"),
        ],
        # The arguments as an object.
        [_delta(index=0, id="a", name="f", arguments={"x": 1}), _delta(index=1, id="b", name="g")],
    ],
)
def test_deltas_in_every_dialect_make_the_same_calls(deltas: list[dict[str, Any]]) -> None:
    assert _join(*deltas) == [("a", "f", '{"x":1}'), ("b", "g", "{}")]


def test_calls_without_ids_and_indexes_start_with_their_names() -> None:
    deltas = [_delta(name="f", arguments='{"x":'), _delta(arguments="1}"), _delta(name="f")]
    assert _join(*deltas) == [("", "f", '{"x":1}'), ("", "f", "{}")]


_NAMES = st.text("abc_", min_size=1, max_size=6)
_CALLS = st.lists(st.tuples(_NAMES, st.text(max_size=20)), min_size=1, max_size=6)


@given(_CALLS, st.data(), st.sampled_from(["index", "id", "both"]))
def test_the_cuts_of_arguments_change_nothing(
    calls: list[tuple[str, str]], data: st.DataObject, marks: str
) -> None:
    deltas: list[list[dict[str, Any]]] = []
    for index, (name, arguments) in enumerate(calls):
        places = data.draw(st.lists(st.integers(0, len(arguments)), max_size=4))
        cuts = [0, *sorted(places), len(arguments)]
        parts = [arguments[start:stop] for start, stop in pairwise(cuts)]
        place = {"index": index} if marks != "id" else {}
        first = _delta(**place, id=f"call_{index}", type="function", name=name, arguments=parts[0])
        again = {"id": f"call_{index}"} if marks != "index" else {}
        rest = [_delta(**place, **again, arguments=part) for part in parts[1:]]
        deltas.append([first, *rest])
    # Calls may be written at the same time, as long as each stays in order.
    flat: list[dict[str, Any]] = [queue.pop(0) for queue in deltas]
    while any(deltas):
        flat.append(data.draw(st.sampled_from([queue for queue in deltas if queue])).pop(0))
    expected = [(f"call_{i}", name, text or "{}") for i, (name, text) in enumerate(calls)]
    assert _join(*flat) == expected
