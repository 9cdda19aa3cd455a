"""Telemetry of real turns: what a session's turns leave in an SDK of OpenTelemetry."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from swarm import Host, Message, Session, ToolCall, Usage, execute, session
from swarm.completion import CompletionRequest, CompletionResult
from swarm.errors import ProviderDownError, TurnTimeoutError
from tests.swarm.program import Program, call_tools
from tests.swarm.telemetry.recording import Recording, attributes

pytestmark = pytest.mark.anyio


@pytest.fixture
def recording() -> Recording:
    """Providers that belong to the test."""
    return Recording()


@asynccontextmanager
async def traced(
    program: Program, recording: Recording, **options: Any
) -> AsyncGenerator[Session, None]:
    """Open a session whose turns are traced; declares the swarm where the test did not."""
    if "shop" not in program.catalog.swarms:
        program.swarm()
    telemetry = recording.telemetry(**options)
    host = Host(catalog=program.catalog, home=program.home, environment={}, telemetry=telemetry)
    async with host, session("client", "shop", host=host) as chat:
        yield chat


async def stock() -> str:
    """Count the boxes."""
    return "3 left"


async def test_a_turn_with_a_tool_call_is_traced(program: Program, recording: Recording) -> None:
    def model(request: CompletionRequest) -> Message | CompletionResult:
        if request.messages[-1].role == "tool":
            answer = Message(role="assistant", content="three")
            return CompletionResult(answer, "python:other", Usage(input_tokens=9, output_tokens=2))
        return call_tools("stock")

    program.agent(model=model, tools=[stock])
    async with traced(program, recording) as chat:
        assert await chat.complete("how many?") == "three"
    turn = recording.span("invoke_agent seller")
    first, second = (span for span in recording.spans if span.name.startswith("chat "))
    tool = recording.span("execute_tool stock")
    assert len(recording.spans) == 4
    assert [recording.parent_of(span) for span in (first, second, tool)] == [turn.name] * 3
    found = attributes(turn)
    assert found["gen_ai.conversation.id"] == "shop/client"
    assert found["gen_ai.usage.input_tokens"] == 9
    assert found["wikiswarm.swarm.name"] == "shop"
    assert found["wikiswarm.answering_agent.name"] == "seller"
    (run,) = await program.runs()
    assert found["wikiswarm.run.id"] == run.run_id
    assert attributes(second)["gen_ai.usage.output_tokens"] == 2
    assert attributes(tool)["gen_ai.tool.call.id"] == "call-0"
    assert attributes(tool)["gen_ai.tool.description"] == "Count the boxes."
    (turns,) = recording.points("gen_ai.invoke_agent.duration")
    assert turns.count == 1


async def test_a_hand_off_is_an_event_of_its_turn(program: Program, recording: Recording) -> None:
    program.agent("seller", [call_tools("transfer_to_boss")], handoffs=["boss"])
    program.agent("boss", ["I decide"])
    async with traced(program, recording) as chat:
        assert await chat.complete("your boss!") == "I decide"
    turn = recording.span("invoke_agent seller")
    (event,) = turn.events
    assert dict(event.attributes or {}) == {
        "wikiswarm.hand_off.from": "seller",
        "wikiswarm.hand_off.to": "boss",
    }
    assert attributes(turn)["wikiswarm.answering_agent.name"] == "boss"


async def test_a_turn_in_a_span_of_the_program_is_its_child_streamed_or_not(
    program: Program, recording: Recording
) -> None:
    program.agent(steps=["one", "two"])
    tracer = recording.tracers.get_tracer("program")
    async with traced(program, recording) as chat:
        with tracer.start_as_current_span("request"):
            await chat.complete("first")
            async with aclosing(chat.stream("second")) as events:
                assert [event async for event in events]
            assert trace.get_current_span().is_recording()
    turns = [span for span in recording.spans if span.name.startswith("invoke_agent")]
    assert [recording.parent_of(turn) for turn in turns] == ["request", "request"]
    calls = [span for span in recording.spans if span.name.startswith("chat ")]
    streamed = [attributes(call).get("gen_ai.request.stream") for call in calls]
    assert streamed == [None, True]


async def test_a_failed_turn_names_its_error_and_says_nothing(
    program: Program, recording: Recording
) -> None:
    program.agent(steps=[ProviderDownError("the secret question", provider="openai")])
    async with traced(program, recording) as chat:
        with pytest.raises(ProviderDownError):
            await chat.complete("the secret question")
    assert len(recording.spans) == 2
    for span in recording.spans:
        assert attributes(span)["error.type"] == "provider_down"
        assert span.status.status_code is StatusCode.ERROR
        assert "secret" not in span.to_json()


async def test_a_turn_past_its_deadline_is_a_timeout(
    program: Program, recording: Recording
) -> None:
    async def never(request: CompletionRequest) -> str:
        await anyio.sleep_forever()
        return ""

    program.agent(model=never)
    program.swarm(turn_timeout=0.05)
    async with traced(program, recording) as chat:
        with pytest.raises(TurnTimeoutError):
            await chat.complete("well?")
    assert attributes(recording.span("invoke_agent seller"))["error.type"] == "turn_timeout"
    (call,) = (span for span in recording.spans if span.name.startswith("chat "))
    assert attributes(call)["error.type"] == "cancelled"


async def test_a_tool_that_fails_is_an_error_in_a_turn_that_is_none(
    program: Program, recording: Recording
) -> None:
    def broken() -> str:
        """Break."""
        raise ValueError("no shelf")

    program.agent(steps=[call_tools("broken", "unknown"), "sorry"], tools=[broken])
    async with traced(program, recording) as chat:
        await chat.complete("how many?")
    for name in ("execute_tool broken", "execute_tool unknown"):
        assert attributes(recording.span(name))["error.type"] == "tool_error"
    turn = recording.span("invoke_agent seller")
    assert turn.status.status_code is StatusCode.UNSET


async def test_what_a_tool_asks_is_beneath_the_tool(program: Program, recording: Recording) -> None:
    async def ask_again() -> None:
        """Let the agent answer."""
        await execute("Say it shorter", "client", "seller")

    def work_in_thread() -> str:
        """Trace something in a thread of its own."""
        with recording.tracers.get_tracer("program").start_as_current_span("in the thread"):
            return "done"

    steps = [call_tools("work_in_thread"), call_tools("ask_again"), "short"]
    program.agent(steps=steps, tools=[ask_again, work_in_thread])
    async with traced(program, recording) as chat:
        assert await chat.complete("how many?") == "short"
    assert recording.parent_of(recording.span("in the thread")) == "execute_tool work_in_thread"
    calls = [span for span in recording.spans if span.name.startswith("chat ")]
    parents = [recording.parent_of(call) for call in calls]
    assert parents == ["invoke_agent seller", "invoke_agent seller", "execute_tool ask_again"]


async def test_tools_that_run_together_are_beside_each_other(
    program: Program, recording: Recording
) -> None:
    calls = [ToolCall(id=f"c{number}", name="stock") for number in range(3)]
    steps = [call_tools(*calls), "three"]
    program.agent(steps=steps, tools=[stock], parallel_tool_calls=True)
    async with traced(program, recording) as chat:
        await chat.complete("how many?")
    tools = [span for span in recording.spans if span.name == "execute_tool stock"]
    assert [recording.parent_of(tool) for tool in tools] == ["invoke_agent seller"] * 3
    assert {attributes(tool)["gen_ai.tool.call.id"] for tool in tools} == {"c0", "c1", "c2"}


async def test_content_is_captured_on_request(program: Program, recording: Recording) -> None:
    program.agent(steps=[call_tools("stock"), "three"], tools=[stock], prompt="You sell.")
    async with traced(program, recording, capture_content=True) as chat:
        await chat.complete("how many?")
    turn = attributes(recording.span("invoke_agent seller"))
    assert "how many?" in turn["gen_ai.input.messages"]
    assert "three" in turn["gen_ai.output.messages"]
    assert attributes(recording.span("execute_tool stock"))["gen_ai.tool.call.result"] == "3 left"
    first = next(span for span in recording.spans if span.name.startswith("chat "))
    assert "You sell." in attributes(first)["gen_ai.system_instructions"]
