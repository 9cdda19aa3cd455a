"""Files of Langfuse: its API's, its pages' and its blob storage's shapes."""

import json
from pathlib import Path
from typing import Any

import pytest

from finetune.dataset import DatasetError, encode_row
from finetune.importers import Imported, import_traces

_CALL = {"id": "c1", "type": "function",
         "function": {"name": "price", "arguments": "{\"product\": \"A\"}"}}  # fmt: skip
_TOOL = {"type": "function", "function": {"name": "price", "parameters": {"type": "object"}}}
_QUESTION = [{"role": "system", "content": "You sell."}, {"role": "user", "content": "How much?"}]
_ASKED = [
    *_QUESTION,
    {"role": "assistant", "content": None, "tool_calls": [_CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "4.80"},
]


def generation(name: str, given: object, output: object, **fields: object) -> dict[str, Any]:
    """Return an observation as the public API gives it."""
    return {
        "id": name,
        "traceId": "trace-1",
        "type": "GENERATION",
        "startTime": "2026-11-01T10:00:00.000Z",
        "endTime": "2026-11-01T10:00:02.500Z",
        "model": "any-model",
        "input": given,
        "output": output,
        "level": "DEFAULT",
        "usageDetails": {"input": 12, "output": 7, "total": 19},
        "costDetails": {"total": 0.002},
        **fields,
    }


def trace(*observations: dict[str, Any]) -> dict[str, Any]:
    """Return a trace with its observations, as `GET /api/public/traces/{id}` gives it."""
    return {
        "id": "trace-1",
        "timestamp": "2026-11-01T10:00:00.000Z",
        "name": "seller",
        "userId": "ada",
        "sessionId": "chat-7",
        "input": "How much?",
        "output": "It is 4.80.",
        "observations": list(observations),
        "scores": [
            {"id": "s", "traceId": "trace-1", "name": "rating", "value": 4, "dataType": "NUMERIC"}
        ],
    }


def imported(folder: Path, *values: object, **options: Any) -> Imported:
    """Write values as a file, one on each line, and import it."""
    path = folder / "export.jsonl"
    path.write_text("\n".join(json.dumps(value) for value in values), encoding="utf-8")
    return import_traces(path, "langfuse", **options)


def first() -> dict[str, Any]:
    """Return the call in which the model asks for a tool."""
    output = {"role": "assistant", "content": None, "tool_calls": [_CALL]}
    return generation("g1", {"messages": _QUESTION, "tools": [_TOOL]}, output)


def last() -> dict[str, Any]:
    """Return the call in which it answers."""
    answer = {"role": "assistant", "content": "It is 4.80."}
    return generation("g2", {"messages": _ASKED, "tools": [_TOOL]}, answer)


def test_a_trace_becomes_one_conversation_with_its_tools(tmp_path: Path) -> None:
    found = imported(tmp_path, trace(first(), last()), project="north")
    (one,) = found.samples
    assert found.skipped == {"continued": 1}
    assert json.loads(encode_row(one.row)) == {
        "messages": [*_ASKED, {"role": "assistant", "content": "It is 4.80."}],
        "tools": [_TOOL],
    }
    assert one.provenance.model_dump(mode="json") == {
        "source": "export.jsonl",
        "line": 0,
        "project": "north",
        "session_id": "chat-7",
        "run_id": "g2",
        "client_id": "ada",
        "author": "ada",
        "agent_name": "seller",
        "model": "any-model",
        "status": "answered",
        "rating": 4,
        "at": 1793527200.0,
        "seconds": 2.5,
        "input_tokens": 12,
        "output_tokens": 7,
        "cost": 0.002,
    }


@pytest.mark.parametrize("shape", ["page", "list", "download", "session", "lines", "pretty"])
def test_every_shape_of_a_file_gives_the_same_row(tmp_path: Path, shape: str) -> None:
    whole = trace(first(), last())
    bare = {key: value for key, value in whole.items() if key != "observations"}
    shapes: dict[str, list[Any]] = {
        "page": [{"data": [whole], "meta": {"page": 1}}],
        "list": [[whole]],
        "download": [{"trace": bare, "observations": [first(), last()]}],
        "session": [{"id": "chat-7", "traces": [whole]}],
        "lines": [bare, first(), last()],
        "pretty": [],
    }
    values = shapes[shape]
    path = tmp_path / "export.jsonl"
    texts = [json.dumps(v) for v in values] or [json.dumps(whole, indent=2)]
    path.write_text("\n".join(texts), encoding="utf-8")
    found = import_traces(path, "langfuse")
    (one,) = found.samples
    assert one == imported(tmp_path, whole).samples[0]


def test_blob_storage_writes_snake_case_and_json_in_texts(tmp_path: Path) -> None:
    row = {
        "id": "g2",
        "trace_id": "trace-1",
        "type": "GENERATION",
        "start_time": "2026-11-01 10:00:00.000000",
        "end_time": "2026-11-01 10:00:02.500000",
        "user_id": "ada",
        "session_id": "chat-7",
        "provided_model_name": "any-model",
        "input": json.dumps(_QUESTION),
        "output": json.dumps({"role": "assistant", "content": "It is 4.80."}),
        "usage_details": {"input": 12, "output": 7},
        "total_cost": 0.002,
    }
    (one,) = imported(tmp_path, row).samples
    origin = one.provenance
    assert (origin.client_id, origin.session_id, origin.model) == ("ada", "chat-7", "any-model")
    assert (origin.at, origin.seconds, origin.cost) == (1793527200.0, 2.5, 0.002)
    roles = [message["role"] for message in one.row.model_dump()["messages"]]
    assert roles == ["system", "user", "assistant"]


def test_other_shapes_of_messages_are_read(tmp_path: Path) -> None:
    anthropic = generation(
        "g1",
        [
            {"role": "user", "content": [{"type": "text", "text": "How much?"}]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "t1", "name": "price", "input": {"product": "A"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "4.80"}]},
        ],
        {"role": "assistant", "content": [{"type": "text", "text": "It is 4.80."}]},
    )  # fmt: skip
    chain = generation(
        "g2",
        [{"type": "human", "content": "Hello"}],
        {"type": "ai", "content": "Good day."},
        traceId="trace-2",
    )
    plain = generation("g3", "Who are you?", "A seller.", traceId="trace-3")
    choices = generation(
        "g4", "Hi", {"choices": [{"message": {"role": "assistant", "content": "Hi!"}}]}, traceId="4"
    )
    found = imported(tmp_path, [anthropic, chain, plain, choices])
    roles = [[m["role"] for m in s.row.model_dump()["messages"]] for s in found.samples]
    assert roles == [["user", "assistant", "tool", "assistant"], *[["user", "assistant"]] * 3]
    assert (found.skipped, found.inferred_tools) == ({}, 1)


def test_what_is_no_row_is_counted_by_its_reason(tmp_path: Path) -> None:
    picture = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]
    found = imported(
        tmp_path,
        [
            generation("g1", "Hi", None, traceId="1"),
            generation("g2", "Hi", "broken", level="ERROR", traceId="2"),
            generation("g3", picture, "A cat.", traceId="3"),
            generation("g4", [{"role": "narrator", "content": "x"}], "y", traceId="4"),
            generation("g5", [*_QUESTION, {"role": "tool", "content": "4.80"}], "z", traceId="5"),
            {"id": "s1", "type": "SPAN", "startTime": "2026-11-01T10:00:00Z", "input": "x"},
        ],
    )
    assert found.samples == []
    assert found.skipped == {
        "no_answer": 2,
        "tool_call_id_empty": 1,
        "unrecognized_role": 1,
        "unsupported_content": 1,
    }


def test_a_trace_without_generations_is_one_call(tmp_path: Path) -> None:
    (one,) = imported(tmp_path, {**trace(), "input": "Who?", "output": "A seller."}).samples
    assert [m["content"] for m in one.row.model_dump()["messages"]] == ["Who?", "A seller."]
    assert (one.provenance.rating, one.provenance.run_id) == (4, "trace-1")


@pytest.mark.parametrize("text", ["", "{", '{"a": 1}\n{', "[1, 2", "\x00"])
def test_a_file_that_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=r"export\.json"):
        import_traces(path, "langfuse")


_OTHERS: list[Any] = [None, 1, "a", [], {}, [[[]]], {"data": {"data": 3}}]


@pytest.mark.parametrize("value", _OTHERS)
def test_other_json_gives_nothing(tmp_path: Path, value: object) -> None:
    assert imported(tmp_path, value) == ([], {}, 0)
