"""OpenTelemetry's GenAI traces: those that our own telemetry writes, and older conventions."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from finetune.dataset import encode_row
from finetune.importers import Imported, import_traces
from swarm import ToolCall, session
from swarm.testing import call_tool
from tests.swarm.program import Program, call_tools
from tests.swarm.telemetry.recording import Recording

Json = dict[str, Any]


def imported(folder: Path, *values: object, **options: Any) -> Imported:
    """Write values as a file, one on each line, and import it."""
    path = folder / "traces.jsonl"
    path.write_text("\n".join(json.dumps(value) for value in values), encoding="utf-8")
    return import_traces(path, "otel", **options)


async def price(product: str) -> str:
    """Return what a product costs."""
    return f"{product}: 4.80"


@pytest.mark.anyio
async def test_our_own_spans_come_back_as_the_conversation(tmp_path: Path) -> None:
    program, recording = Program(tmp_path / "home"), Recording()
    parallel = call_tools(
        ToolCall(id="c2", name="price", arguments='{"product":"B"}'),
        ToolCall(id="c3", name="price", arguments='{"product":"C"}'),
    )
    program.agent(
        steps=[
            call_tool("price", "c1", product="A"), "It is 4.80.", parallel, "All the same.",
        ],
        tools=[price], prompt="You sell.",
    )  # fmt: skip
    program.swarm()
    host = program.host()
    host.telemetry = recording.telemetry(capture_content=True)
    async with host, session("ada", "shop", host=host) as chat:
        await chat.complete("How much is A?")
        await chat.complete("And B and C?")
    exported = MessageToDict(encode_spans(recording.spans))
    found = imported(tmp_path, exported)
    # The second turn's last call was sent everything that came before it.
    (one,) = found.samples
    assert found.skipped == {"continued": 3}
    assert found.inferred_tools == 1
    messages = json.loads(encode_row(one.row))["messages"]
    assert [(m["role"], m["content"]) for m in messages] == [
        ("system", "You sell."),
        ("user", "How much is A?"),
        ("assistant", None),
        ("tool", "A: 4.80"),
        ("assistant", "It is 4.80."),
        ("user", "And B and C?"),
        ("assistant", None),
        ("tool", "B: 4.80"),
        ("tool", "C: 4.80"),
        ("assistant", "All the same."),
    ]
    calls = [c for m in messages for c in m.get("tool_calls", ())]
    assert [json.loads(c["function"]["arguments"])["product"] for c in calls] == ["A", "B", "C"]
    origin = one.provenance
    assert (origin.session_id, origin.agent_name) == ("shop/ada", "seller")
    assert (origin.status, origin.source) == ("answered", "traces.jsonl")
    assert origin.seconds is not None
    assert origin.at is not None


@pytest.mark.anyio
async def test_texts_that_telemetry_cut_are_not_learnt(tmp_path: Path) -> None:
    program, recording = Program(tmp_path / "home"), Recording()
    program.agent(steps=["a long answer " * 20])
    program.swarm()
    host = program.host()
    host.telemetry = recording.telemetry(capture_content=True, longest_content=50)
    async with host, session("ada", "shop", host=host) as chat:
        await chat.complete("Hi")
    found = imported(tmp_path, MessageToDict(encode_spans(recording.spans)))
    assert (found.samples, found.skipped) == ([], {"cut_content": 1})


def value_of(value: Any) -> Json:
    """Return a value as OTLP writes it."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return {"arrayValue": {"values": [value_of(item) for item in items]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": attributes(cast("Json", value))}}
    return {"stringValue": str(value)}


def attributes(values: Json) -> list[Json]:
    """Return attributes as OTLP writes them."""
    return [{"key": key, "value": value_of(value)} for key, value in values.items()]


def span(known: Json, events: list[Json] | None = None, **fields: object) -> Json:
    """Return an export of one span."""
    about = {
        "traceId": "t1",
        "spanId": "s1",
        "name": "chat",
        "startTimeUnixNano": "1793527200000000000",
        "endTimeUnixNano": "1793527201500000000",
        "attributes": attributes({"gen_ai.operation.name": "chat"} | known),
        "events": events or [],
        **fields,
    }
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [about]}]}]}


_CALL = {"id": "c1", "type": "function",
         "function": {"name": "price", "arguments": "{\"product\": \"A\"}"}}  # fmt: skip
_EVENTS: list[tuple[str, Json]] = [
    ("gen_ai.system.message", {"content": "You sell."}),
    ("gen_ai.user.message", {"content": "How much?"}),
    ("gen_ai.assistant.message", {"tool_calls": [_CALL]}),
    ("gen_ai.tool.message", {"id": "c1", "content": "4.80"}),
    (
        "gen_ai.choice",
        {"index": 0, "finish_reason": "stop", "message": {"content": "It is 4.80."}},
    ),
]
_ROLES = ["system", "user", "assistant", "tool", "assistant"]


def test_events_of_the_older_conventions_on_the_span(tmp_path: Path) -> None:
    events = [{"name": name, "attributes": attributes(body)} for name, body in _EVENTS]
    known = {
        "gen_ai.request.model": "any",
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.output_tokens": 3,
        "enduser.id": "ada",
    }
    (one,) = imported(tmp_path, span(known, events), project="north").samples
    assert [m["role"] for m in one.row.model_dump()["messages"]] == _ROLES
    origin = one.provenance
    assert (origin.project, origin.client_id, origin.model) == ("north", "ada", "any")
    assert (origin.input_tokens, origin.output_tokens, origin.seconds) == (9, 3, 1.5)


def test_events_of_the_older_conventions_as_log_records(tmp_path: Path) -> None:
    records = [
        {
            "traceId": "t1",
            "spanId": "s1",
            "attributes": attributes({"event.name": name}),
            "body": value_of(body),
        }
        for name, body in _EVENTS
    ]
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    (one,) = imported(tmp_path, logs, span({})).samples
    assert [m["role"] for m in one.row.model_dump()["messages"]] == _ROLES


def test_structured_attributes_and_the_newer_event(tmp_path: Path) -> None:
    content = {
        "gen_ai.system_instructions": [{"type": "text", "content": "You sell."}],
        "gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": "How much?"}]}
        ],
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "Let me think."},
                    {"type": "text", "content": "4.80."},
                ],
                "finish_reason": "stop",
            }
        ],
    }
    (one,) = imported(tmp_path, span(content)).samples
    assert [m["content"] for m in one.row.model_dump()["messages"]] == [
        "You sell.",
        "How much?",
        "4.80.",
    ]
    event = {
        "name": "gen_ai.client.inference.operation.details",
        "attributes": attributes(content),
    }
    (same,) = imported(tmp_path, span({}, [event])).samples
    assert same.row == one.row


def test_prompt_and_completion_events_of_the_oldest_form(tmp_path: Path) -> None:
    prompt = json.dumps([{"role": "user", "content": "How much?"}])
    events = [
        {"name": "gen_ai.content.prompt", "attributes": attributes({"gen_ai.prompt": prompt})},
        {
            "name": "gen_ai.content.completion",
            "attributes": attributes({"gen_ai.completion": "It is 4.80."}),
        },
    ]
    (one,) = imported(tmp_path, span({"gen_ai.system": "any"}, events)).samples
    assert [m["role"] for m in one.row.model_dump()["messages"]] == ["user", "assistant"]


def test_failed_calls_and_other_spans_give_no_rows(tmp_path: Path) -> None:
    events = [{"name": name, "attributes": attributes(body)} for name, body in _EVENTS]
    failed = span({}, events, status={"code": 2})
    tool = span({"gen_ai.operation.name": "execute_tool"}, events, spanId="s2")
    assert imported(tmp_path, failed, tool, {"resourceSpans": 3}, [], 1) == (
        [],
        {"no_answer": 1},
        0,
    )
