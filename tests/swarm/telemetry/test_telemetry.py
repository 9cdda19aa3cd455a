"""Spans and metrics of the GenAI conventions, through the protocol that turns use."""

import asyncio  # noqa: TID251 - to cancel one task from outside, as a server does
import json
import sys
from typing import Any

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from swarm import Answered, CompletionRequest, CompletionResult, Host, Message, ToolCall, Usage
from swarm.errors import MissingExtraError, ProviderBusyError, TurnTimeoutError
from swarm.runtime.tracing import Tracer, TurnStart, default_tracer
from swarm.telemetry import Telemetry, instrument, uninstrument
from swarm.telemetry.names import CALL_BUCKETS, TOKEN_BUCKETS, read_model
from tests.swarm.telemetry.recording import Recording, attributes

START = TurnStart("shop/ann", "shop", "seller", "openai/gpt-5", "r1", "a box, please")
REQUEST = CompletionRequest(
    [
        Message(role="system", content="You sell."),
        Message(role="user", content="a box, please"),
        Message(
            role="assistant", tool_calls=(ToolCall(id="c1", name="stock", arguments='{"n":1}'),)
        ),
        Message(role="tool", content="3 left", tool_call_id="c1"),
    ],
    agent_name="seller",
)
RESULT = CompletionResult(
    Message(role="assistant", content="Here it is."),
    "openai/gpt-5-2026",
    Usage(input_tokens=20, output_tokens=5),
    finish_reason="stop",
)
ANSWERED = Answered("Here it is.", "boss", "r1", Usage(input_tokens=50, output_tokens=9))
CALL = ToolCall(id="c1", name="stock", arguments='{"n": 1}')


@pytest.fixture
def recording() -> Recording:
    """Providers that belong to the test."""
    return Recording()


def take_turn(tracer: Tracer) -> None:
    """Do what a turn with one tool call and a hand-off does."""
    with tracer.turn(START) as done:
        with tracer.model_call(REQUEST, START.model, session_id=START.session_id) as answered:
            answered(RESULT)
        with tracer.tool_call(
            CALL, agent_name="seller", session_id=START.session_id, description="Counts boxes."
        ) as put:
            tracer.hand_off("seller", "boss")
            put("3 left", False)
        done(ANSWERED)


def test_a_turn_is_a_span_with_its_calls_beneath(recording: Recording) -> None:
    take_turn(recording.telemetry())
    turn = recording.span("invoke_agent seller")
    chat = recording.span("chat gpt-5")
    tool = recording.span("execute_tool stock")
    assert len(recording.spans) == 3
    assert recording.parent_of(turn) is None
    assert recording.parent_of(chat) == recording.parent_of(tool) == turn.name
    assert (turn.kind, chat.kind, tool.kind) == (
        SpanKind.INTERNAL,
        SpanKind.CLIENT,
        SpanKind.INTERNAL,
    )
    assert attributes(turn) == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.agent.name": "seller",
        "gen_ai.conversation.id": "shop/ann",
        "gen_ai.usage.input_tokens": 50,
        "gen_ai.usage.output_tokens": 9,
        "wikiswarm.swarm.name": "shop",
        "wikiswarm.run.id": "r1",
        "wikiswarm.answering_agent.name": "boss",
    }
    assert attributes(chat) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.response.model": "gpt-5-2026",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.agent.name": "seller",
        "gen_ai.conversation.id": "shop/ann",
        "gen_ai.usage.input_tokens": 20,
        "gen_ai.usage.output_tokens": 5,
    }
    assert attributes(tool) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "stock",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "c1",
        "gen_ai.tool.description": "Counts boxes.",
        "gen_ai.agent.name": "seller",
        "gen_ai.conversation.id": "shop/ann",
    }
    assert all(span.status.status_code is StatusCode.UNSET for span in recording.spans)


def test_a_hand_off_is_an_event_of_the_turn(recording: Recording) -> None:
    take_turn(recording.telemetry())
    (event,) = recording.span("invoke_agent seller").events
    assert event.name == "wikiswarm.hand_off"
    assert dict(event.attributes or {}) == {
        "wikiswarm.hand_off.from": "seller",
        "wikiswarm.hand_off.to": "boss",
    }
    assert not recording.span("execute_tool stock").events


def test_a_turn_inside_a_span_of_the_program_is_its_child(recording: Recording) -> None:
    with recording.tracers.get_tracer("program").start_as_current_span("request") as outer:
        take_turn(recording.telemetry())
        assert trace.get_current_span() is outer
    turn = recording.span("invoke_agent seller")
    assert recording.parent_of(turn) == "request"


def test_a_streamed_question_says_so(recording: Recording) -> None:
    with recording.telemetry().model_call(REQUEST, "offline", is_streamed=True) as done:
        done(RESULT)
    found = attributes(recording.span("chat offline"))
    assert found["gen_ai.request.stream"] is True
    assert "gen_ai.conversation.id" not in found


def test_tokens_and_durations_are_measured(recording: Recording) -> None:
    take_turn(recording.telemetry())
    labels = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.response.model": "gpt-5-2026",
    }
    tokens = {
        str(dict(point.attributes or {})["gen_ai.token.type"]): point
        for point in recording.points("gen_ai.client.token.usage")
    }
    assert {kind: point.sum for kind, point in tokens.items()} == {"input": 20, "output": 5}
    assert tokens["input"].attributes == {**labels, "gen_ai.token.type": "input"}
    assert tuple(tokens["input"].explicit_bounds) == TOKEN_BUCKETS
    (calls,) = recording.points("gen_ai.client.operation.duration")
    assert calls.attributes == labels
    assert tuple(calls.explicit_bounds) == CALL_BUCKETS
    (turns,) = recording.points("gen_ai.invoke_agent.duration")
    assert turns.attributes == {"gen_ai.agent.name": "seller"}
    (tools,) = recording.points("gen_ai.execute_tool.duration")
    assert tools.attributes == {
        "gen_ai.tool.name": "stock",
        "gen_ai.tool.type": "function",
        "gen_ai.agent.name": "seller",
    }
    assert 0 <= calls.sum <= turns.sum < 60


def test_the_buckets_are_those_of_the_conventions() -> None:
    assert TOKEN_BUCKETS[:4] == (1, 4, 16, 64)
    assert TOKEN_BUCKETS[-1] == 67_108_864
    assert CALL_BUCKETS[0] == 0.01
    assert CALL_BUCKETS[-1] == 81.92


def test_tokens_that_a_provider_does_not_count_are_not_measured(recording: Recording) -> None:
    uncounted = CompletionResult(RESULT.message, "offline")
    with recording.telemetry().model_call(REQUEST, "offline") as done:
        done(uncounted)
    assert recording.points("gen_ai.client.token.usage") == []
    assert "gen_ai.usage.input_tokens" not in attributes(recording.span("chat offline"))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ProviderBusyError("slow down", provider="openai"), "provider_busy"),
        (TurnTimeoutError("late", client_id="ann", agent_name="seller"), "turn_timeout"),
        (KeyError("a box, please"), "KeyError"),
        (json.JSONDecodeError("bad", "", 0), "json.decoder.JSONDecodeError"),
    ],
)
def test_a_failure_has_its_kind_and_passes_on(
    error: Exception, kind: str, recording: Recording
) -> None:
    telemetry = recording.telemetry()
    with (
        pytest.raises(type(error)),
        telemetry.turn(START),
        telemetry.model_call(REQUEST, START.model),
    ):
        raise error
    for span in recording.spans:
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description is None
        assert attributes(span)["error.type"] == kind
        assert not span.events
    (calls,) = recording.points("gen_ai.client.operation.duration")
    assert dict(calls.attributes or {})["error.type"] == kind


def test_a_tool_that_failed_is_an_error_of_its_own_span_only(recording: Recording) -> None:
    telemetry = recording.telemetry()
    with (
        telemetry.turn(START),
        telemetry.tool_call(CALL, agent_name="seller", session_id="shop/ann") as put,
    ):
        put("error: no such box", True)
    tool = recording.span("execute_tool stock")
    assert tool.status.status_code is StatusCode.ERROR
    assert attributes(tool)["error.type"] == "tool_error"
    turn = recording.span("invoke_agent seller")
    assert turn.status.status_code is StatusCode.UNSET


@pytest.mark.anyio
async def test_a_turn_that_is_cancelled_says_so(recording: Recording) -> None:
    async def hang() -> None:
        with recording.telemetry().turn(START):
            await anyio.sleep_forever()

    task = asyncio.get_running_loop().create_task(hang())
    await anyio.lowlevel.checkpoint()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    turn = recording.span("invoke_agent seller")
    assert attributes(turn)["error.type"] == "cancelled"
    assert turn.status.status_code is StatusCode.ERROR


@pytest.mark.anyio
async def test_turns_at_the_same_time_do_not_mix(recording: Recording) -> None:
    telemetry = recording.telemetry()

    async def turn(name: str) -> None:
        start = TurnStart(f"shop/{name}", "shop", name, "openai/gpt-5", name, "hello")
        with telemetry.turn(start) as done:
            await anyio.lowlevel.checkpoint()
            with telemetry.model_call(REQUEST, f"openai/for-{name}") as answered:
                await anyio.lowlevel.checkpoint()
                answered(RESULT)
            telemetry.hand_off(name, "boss")
            done(ANSWERED)

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(turn, f"a{number}")
    for number in range(20):
        call = recording.span(f"chat for-a{number}")
        parent = recording.span(f"invoke_agent a{number}")
        assert recording.parent_of(call) == parent.name
        (event,) = parent.events
        assert dict(event.attributes or {})["wikiswarm.hand_off.from"] == f"a{number}"


def test_nothing_that_was_said_is_in_a_span(recording: Recording) -> None:
    telemetry = recording.telemetry()
    take_turn(telemetry)
    with pytest.raises(ValueError, match="a box"), telemetry.turn(START):
        raise ValueError("a box, please")
    text = "".join(span.to_json() for span in recording.spans)
    for said in ("box, please", "Here it is", "You sell", "3 left", '"n"'):
        assert said not in text


def test_what_was_said_is_captured_on_request(recording: Recording) -> None:
    telemetry = recording.telemetry(capture_content=True)
    take_turn(telemetry)
    chat = attributes(recording.span("chat gpt-5"))
    assert json.loads(chat["gen_ai.system_instructions"]) == [
        {"type": "text", "content": "You sell."}
    ]
    assert json.loads(chat["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "a box, please"}]},
        {
            "role": "assistant",
            "parts": [
                {"type": "tool_call", "id": "c1", "name": "stock", "arguments": '{"n":1}'},
            ],
        },
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "c1", "response": "3 left"}],
        },
    ]
    assert json.loads(chat["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "Here it is."}],
            "finish_reason": "stop",
        }
    ]
    turn = attributes(recording.span("invoke_agent seller"))
    assert "a box, please" in turn["gen_ai.input.messages"]
    assert "Here it is." in turn["gen_ai.output.messages"]
    tool = attributes(recording.span("execute_tool stock"))
    assert tool["gen_ai.tool.call.arguments"] == '{"n": 1}'
    assert tool["gen_ai.tool.call.result"] == "3 left"
    with pytest.raises(ValueError, match="no more"), telemetry.model_call(REQUEST, "offline"):
        raise ValueError("no more boxes")
    assert recording.span("chat offline").status.description == "no more boxes"


def test_captured_texts_are_cut_and_hold_no_key(recording: Recording) -> None:
    telemetry = recording.telemetry(
        capture_content=True, longest_content=40, environment={"SHOP_API_KEY": "hunter2hunter2"}
    )
    call = ToolCall(id="c1", name="pay", arguments='{"key": "hunter2hunter2"}')
    with telemetry.tool_call(call, agent_name="seller", session_id="shop/ann") as put:
        put("x" * 100, False)
    tool = attributes(recording.span("execute_tool pay"))
    assert tool["gen_ai.tool.call.arguments"] == '{"key": "${SHOP_API_KEY}"}'
    assert tool["gen_ai.tool.call.result"] == "x" * 40 + " [cut: 100 characters]"


class Breaking(SpanProcessor):
    """A processor of a program that does not work."""

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        raise RuntimeError("no disk")

    def on_end(self, span: ReadableSpan) -> None:
        raise RuntimeError("no disk")


def test_a_processor_that_fails_harms_no_turn(
    recording: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    recording.tracers.add_span_processor(Breaking())
    take_turn(recording.telemetry())
    messages = [record.message for record in caplog.records if record.name == "wikiswarm"]
    assert len(messages) == 1
    assert "no disk" in caplog.text
    (turns,) = recording.points("gen_ai.invoke_agent.duration")
    assert turns.count == 1


def test_without_the_extra_the_command_that_installs_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'wikiswarm\[otel\]'"):
        Telemetry(environment={})


def test_without_an_sdk_nothing_happens() -> None:
    take_turn(Telemetry(environment={}))


@pytest.mark.parametrize(
    ("reference", "provider", "name"),
    [
        ("openai/gpt-5", "openai", "gpt-5"),
        ("litellm/anthropic/claude-sonnet-5", "anthropic", "claude-sonnet-5"),
        ("litellm/gemini/gemini-3", "gcp.gemini", "gemini-3"),
        ("gguf/models/shop.gguf", "gguf", "models/shop.gguf"),
        ("python:shop:answer", "python", "shop:answer"),
        ("offline", "offline", "offline"),
    ],
)
def test_models_are_called_what_the_conventions_call_them(
    reference: str, provider: str, name: str
) -> None:
    assert read_model(reference) == (provider, name)


def test_a_program_may_trace_every_host(recording: Recording) -> None:
    given = recording.telemetry()
    try:
        telemetry = instrument(
            tracer_provider=recording.tracers, meter_provider=recording.meters, environment={}
        )
        assert default_tracer() is telemetry
        assert Host(environment={}).telemetry is telemetry
        assert Host(environment={}, telemetry=given).telemetry is given
    finally:
        uninstrument()
    assert Host(environment={}).telemetry is None
