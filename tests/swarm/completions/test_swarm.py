"""One swarm over an OpenAI-compatible server: the call, its output, the server's final text."""

from pathlib import Path
from typing import Any

import pytest

from swarm import (
    Answered,
    Catalog,
    Host,
    Message,
    TextDelta,
    ToolFinished,
    ToolStarted,
    add_agent,
    add_completion,
    add_swarm,
    add_tool,
    session,
    use_catalog,
)
from swarm.errors import ProviderDownError, ProviderTimeoutError
from swarm.testing import StubReply, StubServer, call_tool
from tests.swarm.completions.asking import LITELLM_WARNINGS

pytestmark = pytest.mark.anyio


def stock_level(sku: str) -> int:
    """How many boxes are in stock."""
    return {"A1": 3}[sku]


def _model(request: Any) -> str | Message:
    """Ask for the stock, then tell it; as a model would."""
    last = request["messages"][-1]
    if last["role"] == "tool":
        return f"There are {last['content']} boxes."
    return call_tool("stock_level", tool_id="call_1", sku="A1")


def _shop(base_url: str, model: str = "openai/stub-model", **fields: Any) -> Catalog:
    with use_catalog(Catalog()) as catalog:
        add_completion(
            completion_name="model", model=model, base_url=base_url, max_retries=0, **fields
        )
        add_tool(stock_level)
        add_agent(
            agent_name="seller", completion="model", prompt="You sell.", tools=["stock_level"]
        )
        add_swarm(swarm_name="shop", agent_list=["seller"], default_agent="seller")
    return catalog


@pytest.mark.parametrize(
    "model", ["openai/m", "vllm/m", "ollama/m", "llama-server/m", "litellm/openai/m"]
)
@LITELLM_WARNINGS
@pytest.mark.requirement("S4-11", "S0-04")
async def test_the_tool_is_called_and_the_final_text_given(tmp_path: Path, model: str) -> None:
    async with StubServer(_model) as server:
        catalog = _shop(server.base_url, model)
        async with (
            Host(catalog=catalog, home=tmp_path, environment={}),
            session("client", "shop") as chat,
        ):
            answer = await chat.complete("How many?")
            events = [event async for event in chat.stream("Sure?")]
    assert answer == "There are 3 boxes."
    started, finished, *text, answered = events
    assert isinstance(started, ToolStarted)
    assert isinstance(finished, ToolFinished)
    assert (started.tool_name, finished.output) == ("stock_level", "3")
    assert [delta.text for delta in text if isinstance(delta, TextDelta)] == [
        "There",
        " are",
        " 3",
        " boxes.",
    ]
    assert isinstance(answered, Answered)
    assert answered.text == "There are 3 boxes."
    assert [bool(body.get("stream")) for body in server.requests] == [False, False, True, True]
    first, second, third, _ = (body["messages"] for body in server.requests)
    assert first == [
        {"role": "system", "content": "You sell."},
        {"role": "user", "content": "How many?"},
    ]
    assert second[:2] == first
    assert second[2]["tool_calls"][0]["id"] == second[3]["tool_call_id"] == "call_1"
    assert second[3] == {"role": "tool", "tool_call_id": "call_1", "content": "3"}
    # The next turn shows the model the whole first one.
    assert third[:4] == second
    assert [message["role"] for message in third[4:]] == ["assistant", "user"]


async def test_a_call_that_the_server_got_wrong_is_repaired(tmp_path: Path) -> None:
    def model(request: Any) -> str | Message:
        outputs = [m["content"] for m in request["messages"] if m["role"] == "tool"]
        if not outputs:
            return call_tool("stock_levl", sku="A1")
        if len(outputs) == 1:
            assert "did you mean 'stock_level'" in outputs[0]
            return call_tool("stock_level", product="A1")
        if len(outputs) == 2:
            assert "sku" in outputs[1]
            return call_tool("stock_level", sku="A1")
        return f"There are {outputs[2]} boxes."

    async with (
        StubServer(model) as server,
        Host(catalog=_shop(server.base_url), home=tmp_path, environment={}),
        session("client", "shop") as chat,
    ):
        assert await chat.complete("How many?") == "There are 3 boxes."


async def test_a_failed_turn_leaves_the_session_usable(tmp_path: Path) -> None:
    replies: list[StubReply | str] = [
        StubReply(status=503),
        "Once upon",
        StubReply("Once upon a time", breaks_off=True),
        "Here I am.",
    ]
    async with (
        StubServer(lambda _: replies.pop(0)) as server,
        Host(catalog=_shop(server.base_url), home=tmp_path, environment={}),
        session("client", "shop") as chat,
    ):
        with pytest.raises(ProviderDownError, match="HTTP 503"):
            await chat.complete("First?")
        assert await chat.complete("Second?") == "Once upon"
        with pytest.raises(ProviderDownError):
            async for _ in chat.stream("Third?"):
                pass
        assert await chat.complete("Fourth?") == "Here I am."


async def test_a_server_that_hangs_ends_the_turn_in_time(tmp_path: Path) -> None:
    async with StubServer(lambda _: StubReply(hangs=True)) as server:
        catalog = _shop(server.base_url, timeout=0.3)
        async with (
            Host(catalog=catalog, home=tmp_path, environment={}),
            session("client", "shop") as chat,
        ):
            with pytest.raises(ProviderTimeoutError):
                await chat.complete("How many?")


async def test_a_fallback_takes_over_in_the_middle_of_a_turn(tmp_path: Path) -> None:
    def model(request: Any) -> StubReply | Message:
        if request["messages"][-1]["role"] == "tool":
            return StubReply(status=500)
        return call_tool("stock_level", sku="A1")

    async with StubServer(model) as server:
        catalog = _shop(server.base_url, fallback="offline")
        async with (
            Host(catalog=catalog, home=tmp_path, environment={}),
            session("client", "shop") as chat,
        ):
            assert await chat.complete("How many?") == "3"
