"""`make_connection` and `notify`: what is pushed, in which order, and what a failure means."""

import logging
from typing import Any

import anyio
import pytest

from swarm import (
    OutgoingMessage,
    ToolContext,
    change_to_agent,
    emit,
    make_connection,
    notify,
    notify_force,
    session,
)
from swarm.connect import ConnectorError, NoConnectorError, Send
from swarm.errors import CallbackError, ProviderDownError, SessionError
from swarm.runtime import find_live
from swarm.testing import call_tool
from tests.swarm.connect.clock import Gate, HandClock, echo, settle
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


class Inbox:
    """A connector that keeps what it gets."""

    def __init__(self) -> None:
        self.messages: list[OutgoingMessage] = []

    async def __call__(self, message: OutgoingMessage) -> None:
        self.messages.append(message)


@pytest.mark.requirement("kit:talk:connection")
async def test_an_answer_is_pushed_and_returned(program: Program) -> None:
    inbox = Inbox()
    seen: list[Any] = []

    def on_connect(*names: str) -> None:
        seen.append(names)

    model = program.agent(steps=["ok"])
    program.swarm(callbacks={"on_connect": on_connect})
    async with program.host() as host:
        async with make_connection(inbox, "client", "shop", host=host) as send:
            assert seen == [("client", "shop")]
            assert await send("hi", {"page": 1}) == "ok"
            assert inbox.messages == [OutgoingMessage("ok", "seller", "client")]
            assert find_live("client").mode == "connection"
            assert find_live("client").history.messages[0].payload == {"page": 1}
        with pytest.raises(SessionError):
            await send("closed")
    model.assert_complete()


async def test_a_connector_may_be_plain(program: Program) -> None:
    program.agent(model=echo)
    program.swarm()
    messages: list[str] = []
    async with (
        program.host() as host,
        make_connection(lambda m: messages.append(m.data), "client", "shop", host=host) as send,
    ):
        await send("hi")
    assert messages == ["re: hi"]


@pytest.mark.requirement("kit:talk:connection-empty")
async def test_an_empty_answer_is_returned_only(program: Program) -> None:
    async def silent(context: ToolContext) -> None:
        """Say nothing."""
        await emit("", context.client_id, context.agent_name)

    inbox = Inbox()
    program.agent(steps=[call_tool("silent")], tools=[silent])
    program.swarm()
    async with (
        program.host() as host,
        make_connection(inbox, "client", "shop", host=host) as send,
    ):
        assert await send("hi") == ""
    assert inbox.messages == []


async def test_the_agent_that_answered_is_named(program: Program) -> None:
    async def go(context: ToolContext) -> None:
        """Hand over."""
        await change_to_agent("nurse", context.client_id)

    inbox = Inbox()
    program.agent("seller", steps=[call_tool("go")], tools=[go])
    program.agent("nurse", steps=["the nurse"])
    program.swarm()
    async with (
        program.host() as host,
        make_connection(inbox, "client", "shop", host=host) as send,
    ):
        await send("hi")
    assert [message.agent_name for message in inbox.messages] == ["nurse"]


async def test_a_connector_that_raises_loses_no_answer(program: Program) -> None:
    def broken(message: OutgoingMessage) -> None:
        raise ConnectionResetError("the client is gone")

    program.agent(model=echo)
    program.swarm()
    async with (
        program.host() as host,
        make_connection(broken, "client", "shop", host=host) as send,
    ):
        with pytest.raises(
            ConnectorError, match="connector 'broken' of client 'client' failed"
        ) as caught:
            await send("hi")
        assert isinstance(caught.value, CallbackError)
        assert caught.value.data == "re: hi"
        assert caught.value.reason == "ConnectionResetError: the client is gone"
        assert isinstance(caught.value.__cause__, ConnectionResetError)
        with pytest.raises(ConnectorError):
            await notify("news", "client", "seller")
        with pytest.raises(ConnectorError):
            await send("again")
    (second, first) = await program.runs()
    assert (first.status, second.status) == ("answered", "answered")


async def test_a_connector_that_hangs_ends(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stuck(message: OutgoingMessage) -> None:
        await anyio.sleep_forever()

    monkeypatch.setattr("swarm.connect.connection._LONGEST_PUSH", 0.01)
    program.agent(model=echo)
    program.swarm()
    async with (
        program.host() as host,
        make_connection(stuck, "client", "shop", host=host) as send,
    ):
        with pytest.raises(ConnectorError, match=r"no end within 0\.01 s"):
            await send("hi")


async def test_the_timeout_of_a_connector_is_its_own(program: Program) -> None:
    async def slow(message: OutgoingMessage) -> None:
        raise TimeoutError

    program.agent(model=echo)
    program.swarm()
    async with program.host() as host, make_connection(slow, "client", "shop", host=host) as send:
        with pytest.raises(ConnectorError, match="TimeoutError"):
            await send("hi")


@pytest.mark.requirement("kit:talk:complete-errors")
async def test_a_provider_error_reaches_the_caller(program: Program) -> None:
    inbox = Inbox()
    program.agent(steps=[ProviderDownError("no connection", provider="stub"), "ok"])
    program.swarm()
    async with (
        program.host() as host,
        make_connection(inbox, "client", "shop", host=host) as send,
    ):
        with pytest.raises(ProviderDownError):
            await send("hi")
        assert inbox.messages == []
        assert await send("again") == "ok"


async def test_an_observer_that_raises_is_logged(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    def greet(client_id: str, swarm_name: str) -> None:
        raise ValueError("no")

    program.agent(model=echo)
    program.swarm(callbacks={"on_connect": greet})
    with caplog.at_level(logging.ERROR, "wikiswarm"):
        async with (
            program.host() as host,
            make_connection(Inbox(), "client", "shop", host=host) as send,
        ):
            assert await send("hi") == "re: hi"
    assert "callback 'greet' of swarm 'shop' failed: ValueError: no" in caplog.text


@pytest.mark.requirement("kit:talk:connection-scheduled")
async def test_one_answer_to_several_messages_is_pushed_once(program: Program) -> None:
    gate, inbox = Gate(), Inbox()
    program.agent(model=gate)
    program.swarm()
    answers: list[str] = []

    async def ask(send: Send, content: str) -> None:
        answers.append(await send(content))

    async with program.host() as host:
        connection = make_connection.scheduled(inbox, "client", "shop", delay=0, host=host)
        async with connection as send:
            async with anyio.create_task_group() as group:
                for content in ("one", "two", "three"):
                    group.start_soon(ask, send, content)
                    await settle()
                gate.release(2)
            assert answers == ["re: one", "re: three", "re: three"]
            assert [message.data for message in inbox.messages] == ["re: one", "re: three"]


@pytest.mark.requirement("kit:rate:connection")
async def test_a_connection_with_a_rate_drops_what_comes_too_soon(program: Program) -> None:
    inbox, clock = Inbox(), HandClock()
    program.agent(model=echo)
    program.swarm()
    async with program.host() as host:
        connection = make_connection.rate(inbox, "client", "shop", host=host, clock=clock)
        async with connection as send:
            assert await send("one") == "re: one"
            await clock.advance(9.9)
            assert await send("two") == ""
            await clock.advance(0.1)
            assert await send("three", {"page": 1}) == "re: three"
    assert [message.data for message in inbox.messages] == ["re: one", "re: three"]


@pytest.mark.requirement("kit:talk:notify", "kit:talk:notify-stale")
async def test_notify_reaches_the_client_outside_of_answers(program: Program) -> None:
    inbox = Inbox()
    program.agent(model=echo)
    program.agent("nurse", model=echo)
    program.swarm()
    async with (
        program.host() as host,
        make_connection(inbox, "client", "shop", host=host) as send,
    ):
        await notify("Your parcel is there.", "client", "seller")
        await notify("not active", "client", "nurse")
        await notify_force("To all.", "client")
        assert [(m.data, m.agent_name) for m in inbox.messages] == [
            ("Your parcel is there.", "seller"),
            ("To all.", "seller"),
        ]
        assert find_live("client").history.messages == []
        await send("hi")


@pytest.mark.requirement("kit:talk:notify-needs-connection")
async def test_notify_without_a_connector(program: Program) -> None:
    program.agent()
    program.swarm()
    with pytest.raises(SessionError, match="no live session"):
        await notify("news", "client", "seller")
    async with program.host() as host, session("client", "shop", host=host):
        with pytest.raises(NoConnectorError, match="open the session with make_connection"):
            await notify("news", "client", "seller")
        with pytest.raises(NoConnectorError, match="client 'client' in swarm 'shop'"):
            await notify_force("news", "client")
        await notify("another agent", "client", "nurse")
