"""`chat`: the bare completion call."""

from pathlib import Path
from typing import Any

import pytest

from swarm import (
    Catalog,
    CompletionRequest,
    Host,
    Message,
    ToolContext,
    add_completion,
    chat,
    use_catalog,
)
from swarm.errors import DeclarationError, ProviderDownError, ProviderOutputError, UnknownNameError
from swarm.testing import StubReply, StubServer
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


def _repeat(request: CompletionRequest) -> str:
    return "|".join(f"{m.role}: {m.content}" for m in request.messages)


async def _chat(home: Path, messages: Any, **fields: Any) -> str:
    catalog = Catalog()
    with use_catalog(catalog):
        if "model" not in fields:
            fields = {"get_completion": _repeat, **fields}
        add_completion(completion_name="model", **fields)
    async with Host(catalog=catalog, home=home, environment={}) as host:
        return await chat("model", messages, host=host)


@pytest.mark.requirement("kit:talk:chat")
async def test_messages_come_in_several_shapes(tmp_path: Path) -> None:
    assert await _chat(tmp_path, "Hi") == "user: Hi"
    messages = [
        {"role": "system", "content": "Be kind."},
        "Hi",
        Message(role="assistant", content="Hello"),
        {"role": "user", "content": "Bye"},
    ]
    answer = await _chat(tmp_path, messages, flags=["/no_think"])
    assert answer == "system: Be kind.\n/no_think|user: Hi|assistant: Hello|user: Bye"


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([], "at least one message"),
        ({"role": "user", "content": "Hi"}, "messages are a list, not dict"),
        (7, "messages are a list, not int"),
        (["Hi", 7], r"messages\.1: .* not int"),
        ([{"role": "boss", "content": "Hi"}], r"messages\.0\.role: "),
        ([{"role": "user", "text": "Hi"}], r"messages\.0\.text: "),
    ],
)
async def test_what_is_no_message_is_refused(tmp_path: Path, messages: Any, reason: str) -> None:
    with pytest.raises(DeclarationError, match=reason):
        await _chat(tmp_path, messages)


@pytest.mark.requirement("kit:outline:json-mode")
async def test_a_completion_for_outlines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="'model' has `json_mode: true`"):
        await _chat(tmp_path, "Hi", json_mode=True)
    assert await _chat(tmp_path, "Hi", json_mode=False) == "user: Hi"


async def test_it_retries_what_may_pass_and_says_what_does_not(tmp_path: Path) -> None:
    replies = [StubReply(status=503), StubReply("Hello"), StubReply(status=503)]
    async with StubServer(lambda _: replies.pop(0)) as server:
        fields = {"model": "openai/stub", "base_url": server.base_url}
        assert await _chat(tmp_path, "Hi", max_retries=1, **fields) == "Hello"
        with pytest.raises(ProviderDownError):
            await _chat(tmp_path, "Hi", max_retries=0, **fields)
    with pytest.raises(ProviderOutputError, match="ZeroDivisionError"):
        await _chat(tmp_path, "Hi", get_completion=lambda _: 1 // 0, max_retries=0)  # pyright: ignore[reportUnknownLambdaType]


async def test_inside_a_tool_it_uses_the_host_of_the_session(
    program: Program, tmp_path: Path
) -> None:
    async def think(context: ToolContext) -> str:
        """Think."""
        return await chat("helper", "Hi")

    from swarm.testing import call_tool

    program.agent(steps=[call_tool("think", tool_id="1"), "Done."], tools=[think])
    with use_catalog(program.catalog):
        add_completion(completion_name="helper", get_completion=_repeat)
    other = Host(catalog=Catalog(), home=tmp_path / "other", environment={})
    async with program.chat() as talk, other:
        assert await talk.complete("Hi") == "Done."
        assert [m.content for m in talk.history.messages if m.role == "tool"] == ["user: Hi"]


async def test_a_copy_of_the_catalog_counts_where_it_is_the_current_one(tmp_path: Path) -> None:
    catalog = Catalog()
    async with Host(catalog=catalog, home=tmp_path, environment={}):
        with use_catalog(catalog.copy()):
            add_completion(completion_name="model", get_completion=_repeat)
            assert await chat("model", "Hi") == "user: Hi"
        with pytest.raises(UnknownNameError):
            await chat("model", "Hi")
