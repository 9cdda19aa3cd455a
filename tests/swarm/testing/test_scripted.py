"""The scripted model: it plays its steps, and a step too many or too few fails."""

from pathlib import Path
from typing import Any

import pytest

from swarm import (
    Catalog,
    CompletionRequest,
    CompletionResult,
    Host,
    Message,
    Usage,
    add_agent,
    add_completion,
    add_swarm,
    add_tool,
    session,
    use_catalog,
)
from swarm.errors import ProviderDownError, TurnError
from swarm.testing import ScriptedCompletion, ScriptError, call_tool

pytestmark = pytest.mark.anyio

_REQUEST = CompletionRequest([Message(role="user", content="How many?")])


async def test_steps_are_played_in_order() -> None:
    result = CompletionResult(Message(role="assistant", content="c"), "m", Usage(input_tokens=1))
    message = Message(role="assistant", content="b")
    model = ScriptedCompletion(["a", message, result, lambda r: r.messages[-1].content])
    assert [await model(_REQUEST) for _ in range(4)] == ["a", message, result, "How many?"]
    model.assert_complete()
    assert model.requests == [_REQUEST] * 4


async def test_an_error_is_raised_as_a_step() -> None:
    error = ProviderDownError("down", provider="test")
    model = ScriptedCompletion([error, "back again"])
    with pytest.raises(ProviderDownError) as caught:
        await model(_REQUEST)
    assert caught.value is error
    assert await model(_REQUEST) == "back again"
    model.assert_complete()


async def test_a_request_too_many_fails_at_once_and_at_the_end() -> None:
    model = ScriptedCompletion(["a"])
    await model(_REQUEST)
    expected = r"unexpected request 2: the script has 1 steps \(last message: 'How many\?'\)"
    with pytest.raises(ScriptError, match=expected):
        await model(_REQUEST)
    with pytest.raises(ScriptError, match=expected):
        model.assert_complete()


async def test_a_request_without_messages_can_be_too_many() -> None:
    with pytest.raises(ScriptError, match="unexpected request 1"):
        await ScriptedCompletion([])(CompletionRequest([]))


async def test_a_step_too_many_fails_at_the_end() -> None:
    model = ScriptedCompletion(["a", "b", "c"])
    await model(_REQUEST)
    with pytest.raises(ScriptError, match="2 of 3 steps were not played"):
        model.assert_complete()


async def test_a_script_error_is_an_assertion() -> None:
    assert issubclass(ScriptError, AssertionError)


def test_a_tool_call_is_written_in_one_line() -> None:
    message = call_tool("stock_level", sku="A1", count=2)
    (call,) = message.tool_calls
    assert (message.role, message.content) == ("assistant", "")
    assert (call.id, call.name, call.arguments) == ("", "stock_level", '{"sku":"A1","count":2}')
    assert call_tool("f", "call_1").tool_calls[0].id == "call_1"


def _shop(model: ScriptedCompletion) -> Catalog:
    def stock_level(sku: str) -> int:
        return 3

    with use_catalog(Catalog()) as catalog:
        add_completion(completion_name="model", get_completion=model)
        add_tool(stock_level)
        add_agent(agent_name="seller", completion="model", tools=["stock_level"])
        add_swarm(swarm_name="shop", agent_list=["seller"], default_agent="seller")
    return catalog


async def test_it_stands_in_for_a_model_in_a_whole_session(tmp_path: Path) -> None:
    def relay(request: CompletionRequest) -> str:
        return f"There are {request.messages[-1].content}."

    steps: list[Any] = [call_tool("stock_level", sku="A1"), relay, "Streamed."]
    model = ScriptedCompletion(steps)
    async with (
        Host(catalog=_shop(model), home=tmp_path, environment={}),
        session("client", "shop") as chat,
    ):
        assert await chat.complete("How many?") == "There are 3."
        events = [event async for event in chat.stream("Again?")]
    assert getattr(events[-1], "text", None) == "Streamed."
    model.assert_complete()
    assert [tool.name for tool in model.requests[0].tools] == ["stock_level"]


async def test_an_unexpected_request_fails_the_turn(tmp_path: Path) -> None:
    model = ScriptedCompletion([call_tool("stock_level", sku="A1")])
    async with (
        Host(catalog=_shop(model), home=tmp_path, environment={}),
        session("client", "shop") as chat,
    ):
        with pytest.raises(TurnError, match="unexpected request 2"):
            await chat.complete("How many?")
    with pytest.raises(ScriptError):
        model.assert_complete()
