"""`Chat`: sessions that open by themselves and close when nobody speaks."""

import logging
from pathlib import Path

import anyio
import pytest
import sqlalchemy as sa

from swarm import Chat, Host, ToolContext, dispose_connection, session, use_catalog
from swarm.errors import (
    InvalidIdError,
    ProviderDownError,
    SessionError,
    StoreError,
    TurnInterruptedError,
    UnknownNameError,
)
from swarm.runtime import find_live
from swarm.runtime.directory import live_sessions
from swarm.testing import call_tool
from tests.swarm.connect.clock import Gate, HandClock, echo
from tests.swarm.program import Program, output_of

pytestmark = pytest.mark.anyio


class Closed:
    """Hears which sessions were closed."""

    def __init__(self) -> None:
        self.names: list[tuple[str, str]] = []
        self._came = anyio.Event()

    def __call__(self, client_id: str, swarm_name: str) -> None:
        self.names.append((client_id, swarm_name))
        self._came.set()

    async def until(self, count: int) -> None:
        """Wait until so many were closed."""
        with anyio.fail_after(5):
            while len(self.names) < count:
                self._came = anyio.Event()
                await self._came.wait()


@pytest.mark.requirement("kit:facade:chat")
async def test_a_message_opens_the_session_and_dispose_closes_it(program: Program) -> None:
    model = program.agent(steps=["one", "two", "three"])
    program.swarm()
    closed = Closed()
    async with program.host() as host, Chat(host) as chat:
        chat.listen_dispose("client", closed)
        await chat.begin_chat("client", "shop")
        opened = find_live("client")
        await chat.begin_chat("client", "shop")
        assert await chat.send_message("client", "1", "shop", {"page": 1}) == "one"
        assert await chat.send_message("client", "2", "shop") == "two"
        assert find_live("client") is opened
        assert await chat.dispose("client", "shop")
        assert not await chat.dispose("client", "shop")
        assert live_sessions("client") == []
        assert closed.names == [("client", "shop")]
        assert await chat.send_message("client", "3", "shop") == "three"
    assert closed.names == [("client", "shop")] * 2
    assert live_sessions("client") == []
    assert [m.content for m in model.requests[2].messages] == ["1", "one", "2", "two", "3"]


async def test_many_first_messages_at_once_open_one_session(program: Program) -> None:
    program.agent(model=echo)
    program.swarm()
    async with program.host() as host, Chat(host) as chat:
        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(chat.send_message, "client", str(number), "shop")
        assert len(find_live("client").history.messages) == 20


async def test_silence_closes_a_session(program: Program) -> None:
    clock, closed = HandClock(), Closed()
    program.agent(model=echo)
    program.swarm()
    async with program.host() as host, Chat(host, clock=clock) as chat:
        for client in ("a", "b"):
            chat.listen_dispose(client, closed)
            await chat.send_message(client, "hi", "shop")
        for _ in range(14):
            await clock.wait_for_sleeper()
            await clock.advance(60)
        await chat.send_message("b", "still here", "shop")
        await clock.wait_for_sleeper()
        await clock.advance(60)
        await closed.until(1)
        assert closed.names == [("a", "shop")]
        assert len(live_sessions("b")) == 1


async def test_a_session_that_is_answering_is_not_idle(program: Program) -> None:
    gate, clock = Gate(), HandClock()
    program.agent(model=gate)
    program.swarm()
    answers: list[str] = []

    async def ask() -> None:
        answers.append(await chat.send_message("client", "hi", "shop"))

    async with program.host() as host:
        chat = Chat(host, idle_timeout=10, check_every=1, clock=clock)
        async with chat, anyio.create_task_group() as group:
            group.start_soon(ask)
            await gate.entered()
            await clock.wait_for_sleeper()
            await clock.advance(100)
            await clock.wait_for_sleeper()
            gate.release()
    assert answers == ["re: hi"]


async def test_dispose_interrupts_a_running_turn(program: Program) -> None:
    gate = Gate()
    program.agent(model=gate)
    program.swarm()
    errors: list[Exception] = []

    async def ask(chat: Chat) -> None:
        try:
            await chat.send_message("client", "hi", "shop")
        except TurnInterruptedError as error:
            errors.append(error)

    async with program.host() as host, Chat(host) as chat:
        async with anyio.create_task_group() as group:
            group.start_soon(ask, chat)
            await gate.entered()
            with anyio.fail_after(5):
                assert await chat.dispose("client", "shop")
        assert len(errors) == 1
        gate.release()
        assert await chat.send_message("client", "again", "shop") == "re: again"


async def test_a_session_that_was_closed_elsewhere_is_opened_again(program: Program) -> None:
    clock, closed = HandClock(), Closed()
    program.agent(model=echo)
    program.swarm()
    async with program.host() as host, Chat(host, clock=clock) as chat:
        chat.listen_dispose("client", closed)
        await chat.begin_chat("client", "shop")
        assert await dispose_connection("client", "shop")
        assert await chat.send_message("client", "hi", "shop") == "re: hi"
        assert closed.names == [("client", "shop")]
        assert await dispose_connection("client", "shop")
        await clock.wait_for_sleeper()
        await clock.advance(60)
        await closed.until(2)


async def test_errors_reach_the_caller_and_the_chat_goes_on(program: Program) -> None:
    program.agent(steps=[ProviderDownError("no connection", provider="stub"), "ok"])
    program.swarm()
    async with program.host() as host, Chat(host) as chat:
        with pytest.raises(UnknownNameError):
            await chat.begin_chat("client", "shpo")
        with pytest.raises(InvalidIdError):
            await chat.send_message("a/b", "hi", "shop")
        async with session("other", "shop", host=host):
            with pytest.raises(SessionError, match="open already"):
                await chat.send_message("other", "hi", "shop")
        with pytest.raises(ProviderDownError):
            await chat.send_message("client", "hi", "shop")
        assert await chat.send_message("client", "again", "shop") == "ok"
    with pytest.raises(SessionError, match="the chat is not open"):
        await chat.begin_chat("client", "shop")


async def test_a_tool_cannot_dispose_its_own_chat(program: Program) -> None:
    chats: list[Chat] = []

    async def leave(context: ToolContext) -> bool:
        """End the chat."""
        return await chats[0].dispose(context.client_id, "shop")

    model = program.agent(steps=[call_tool("leave"), "done"], tools=[leave])
    program.swarm()
    async with program.host() as host, Chat(host) as chat:
        chats.append(chat)
        with anyio.fail_after(5):
            assert await chat.send_message("client", "bye", "shop") == "done"
    assert "a tool cannot dispose its own chat" in output_of(model.requests[1])


@pytest.mark.requirement("kit:facade:chat-dispose")
async def test_listeners_can_leave_and_may_fail(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = Closed(), Closed()

    def broken(client_id: str, swarm_name: str) -> None:
        raise ValueError("no")

    program.agent(model=echo)
    program.swarm()
    async with program.host() as host, Chat(host) as chat:
        stop = chat.listen_dispose("client", first)
        chat.listen_dispose("client", broken)
        chat.listen_dispose("client", second)
        stop()
        stop()
        await chat.begin_chat("client", "shop")
        with caplog.at_level(logging.ERROR, "wikiswarm"):
            await chat.dispose("client", "shop")
    assert (first.names, second.names) == ([], [("client", "shop")])
    assert "function 'broken' of chat: listen_dispose raised ValueError: no" in caplog.text


async def test_a_chat_brings_a_host_where_none_is_open(program: Program, home: Path) -> None:
    program.agent(model=echo)
    program.swarm()
    with use_catalog(program.catalog):
        async with Chat() as chat:
            assert await chat.send_message("client", "hi", "shop") == "re: hi"
    assert (home / "journal.sqlite3").is_file()


async def test_a_failure_to_close_reaches_who_closes(program: Program) -> None:
    program.agent(model=echo)
    program.swarm()
    async with program.host() as host, Chat(host) as chat:
        await chat.begin_chat("client", "shop")
        await _rename(host, "leases", "elsewhere")
        with pytest.raises(StoreError, match="leases"):
            await chat.dispose("client", "shop")
        await _rename(host, "elsewhere", "leases")
        assert await chat.send_message("client", "hi", "shop") == "re: hi"


async def test_a_failure_to_close_that_nobody_waits_for_is_logged(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    program.agent(model=echo)
    program.swarm()
    async with program.host() as host:
        with caplog.at_level(logging.ERROR, "wikiswarm"):
            async with Chat(host) as chat:
                await chat.begin_chat("client", "shop")
                await _rename(host, "leases", "elsewhere")
        await _rename(host, "elsewhere", "leases")
        assert live_sessions("client") == []
    assert "chat of client 'client': StoreError:" in caplog.text


async def _rename(host: Host, old: str, new: str) -> None:
    """Let the database fail at a table, or work again."""
    statement = sa.text(f"ALTER TABLE {old} RENAME TO {new}")
    await host.database.run(lambda connection: connection.execute(statement))


async def test_a_listener_that_hangs_keeps_no_other_session_open(program: Program) -> None:
    async def hang(client_id: str, swarm_name: str) -> None:
        await anyio.sleep_forever()

    clock, closed = HandClock(), Closed()
    program.agent(model=echo)
    program.swarm()
    async with program.host() as host, Chat(host, idle_timeout=10, clock=clock) as chat:
        for client, listener in (("a", hang), ("b", closed)):
            chat.listen_dispose(client, listener)
            await chat.send_message(client, "hi", "shop")
        await clock.wait_for_sleeper()
        await clock.advance(60)
        await closed.until(1)
        assert live_sessions("b") == []
