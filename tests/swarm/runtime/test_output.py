"""What becomes of a model's words: mapped, validated, transformed, rescued."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from swarm import Answered, Message, TextDelta, ToolCall
from swarm.errors import CallbackError
from swarm.testing import call_tool
from tests.swarm.program import Program, call_tools, output_of

pytestmark = pytest.mark.anyio


async def stock() -> str:
    """How many boxes are in stock."""
    return "3 boxes"


@pytest.mark.requirement("kit:schema:validate-output")
async def test_a_refused_answer_is_written_again_with_the_reason(program: Program) -> None:
    def check(text: str) -> str | None:
        return "name the price" if "CHF" not in text else None

    model = program.agent(steps=["It is cheap.", "CHF 3."], validate_output=check)
    async with program.chat() as chat:
        assert await chat.complete("Price?") == "CHF 3."
        assert [m.content for m in chat.history.messages] == ["Price?", "CHF 3."]
    assert [(m.role, m.content) for m in model.requests[1].messages][-2:] == [
        ("assistant", "It is cheap."),
        ("user", "Your last answer was refused: name the price. Answer again."),
    ]


@pytest.mark.requirement("kit:schema:transform", "kit:turn:shown-is-stored")
async def test_nobody_sees_a_word_that_is_taken_back(program: Program) -> None:
    def shout(text: str) -> str:
        return text.upper()

    program.agent(steps=["quiet"], transform=shout)
    async with program.chat() as chat:
        events = [event async for event in chat.stream("hi")]
        assert [m.content for m in chat.history.messages] == ["hi", "QUIET"]
    assert [e.text for e in events if isinstance(e, TextDelta)] == ["QUIET"]
    assert isinstance(events[-1], Answered)
    assert events[-1].text == "QUIET"


@pytest.mark.requirement("kit:schema:map-message")
async def test_text_may_be_a_tool_call(program: Program) -> None:
    def read(message: Message) -> Message:
        if not message.content.startswith("CALL "):
            return message
        call = ToolCall(id="", name=message.content.removeprefix("CALL "))
        return Message(role="assistant", tool_calls=(call,))

    model = program.agent(steps=["CALL stock", "3."], tools=[stock], map_message=read)
    async with program.chat() as chat:
        assert await chat.complete("How many?") == "3."
    assert output_of(model.requests[1]) == "3 boxes"


@pytest.mark.requirement("kit:schema:map-tool-calls")
async def test_tool_calls_may_be_filtered(program: Program) -> None:
    def first(calls: Sequence[ToolCall], client_id: str, agent_name: str) -> list[ToolCall]:
        return list(calls[:1])

    model = program.agent(
        steps=[call_tools("stock", "stock"), "3."], tools=[stock], map_tool_calls=first
    )
    async with program.chat() as chat:
        assert await chat.complete("How many?") == "3."
    assert [m.role for m in model.requests[1].messages].count("tool") == 1


def fails(*given: object) -> object:
    raise ValueError("broken")


def wrong(*given: object) -> object:
    return 5


@pytest.mark.requirement("kit:schema:functions-typed")
@pytest.mark.parametrize(
    ("field", "function", "reason"),
    [
        ("prompt", fails, "ValueError: broken"),
        ("prompt", wrong, "it returned int, not text"),
        ("system_dynamic", fails, "ValueError: broken"),
        ("transform", fails, "ValueError: broken"),
        ("transform", wrong, "it must return text"),
        ("validate_output", fails, "ValueError: broken"),
        ("map_message", fails, "ValueError: broken"),
        ("map_message", wrong, "it must return an assistant's Message"),
    ],
)
async def test_a_function_that_fails_reaches_the_caller_and_the_session_goes_on(
    program: Program, field: str, function: Callable[..., object], reason: str
) -> None:
    broken = [True]

    def sometimes(*given: object) -> object:
        if broken:
            return function(*given)
        return {"prompt": "p", "system_dynamic": "s", "validate_output": None}.get(field, given[0])

    sometimes.__name__ = function.__name__
    fields: dict[str, Any] = {field: sometimes}
    program.agent(steps=["one", "two"], **fields)
    async with program.chat() as chat:
        with pytest.raises(CallbackError) as caught:
            await chat.complete("first")
        said = f"{field} {function.__name__!r} of agent 'seller' failed: {reason} (client"
        assert str(caught.value).startswith(said)
        broken.clear()
        assert await chat.complete("second") in ("one", "two")


async def test_map_tool_calls_that_returns_nonsense_is_named(program: Program) -> None:
    program.agent(steps=[call_tool("stock")], tools=[stock], map_tool_calls=wrong)
    async with program.chat() as chat:
        with pytest.raises(CallbackError, match="map_tool_calls 'wrong' of agent 'seller'"):
            await chat.complete("hi")


@pytest.mark.requirement("kit:rescue:flush")
async def test_flush_hides_the_history_and_gives_the_placeholder(program: Program) -> None:
    model = program.agent(steps=["one", " ", "two"], rescue="flush", placeholder="Again, please.")
    async with program.chat() as chat:
        await chat.complete("a")
        assert await chat.complete("b") == "Again, please."
        assert await chat.complete("c") == "two"
    assert [m.content for m in model.requests[2].messages] == ["c"]
    assert (await program.runs())[1].is_placeholder


@pytest.mark.requirement("kit:rescue:custom")
async def test_a_function_may_rescue_an_answer(program: Program) -> None:
    async def rescue(client_id: str, agent_name: str) -> Message:
        return Message(role="assistant", content=f"{agent_name} is back.")

    program.agent(steps=[""], rescue="custom", get_rescue=rescue)
    async with program.chat() as chat:
        assert await chat.complete("a") == "seller is back."
    (run,) = await program.runs()
    assert not run.is_placeholder


@pytest.mark.parametrize("function", [fails, wrong])
async def test_a_rescue_that_fails_gives_the_placeholder_and_is_logged(
    program: Program, function: Callable[..., object], caplog: pytest.LogCaptureFixture
) -> None:
    program.agent(steps=[""], rescue="custom", get_rescue=function, placeholder="Sorry.")
    async with program.chat() as chat:
        assert await chat.complete("a") == "Sorry."
    assert f"get_rescue {function.__name__!r} of agent 'seller'" in caplog.text
    assert "the placeholder is given" in caplog.text
