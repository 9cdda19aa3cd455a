"""`dispose_connection` and `make_auto_dispose`: sessions that are ended from outside."""

import logging

import anyio
import pytest

from swarm import (
    ToolContext,
    dispose_connection,
    make_auto_dispose,
    make_connection,
    session,
)
from swarm.connect.disposal import AutoDispose
from swarm.errors import InvalidIdError, SessionError, TurnInterruptedError
from swarm.runtime.directory import live_sessions
from swarm.testing import call_tool
from tests.swarm.connect.clock import Gate, HandClock, echo
from tests.swarm.program import Program, output_of

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("kit:talk:dispose-connection")
async def test_the_session_of_other_code_is_closed_and_free_again(program: Program) -> None:
    gate = Gate()
    program.agent(model=gate)
    program.swarm()
    errors: list[Exception] = []

    async with program.host() as host, program.host() as elsewhere:
        async with (
            session("client", "shop", host=host) as chat,
            anyio.create_task_group() as group,
        ):

            async def running() -> None:
                try:
                    await chat.complete("hi")
                except TurnInterruptedError as error:
                    errors.append(error)

            group.start_soon(running)
            await gate.entered()
            with anyio.fail_after(5):
                assert await dispose_connection("client", "shop")
            assert not await dispose_connection("client", "shop")
            with pytest.raises(SessionError, match="is not open"):
                await chat.complete("more")
            # The lease is free, so another host on the same store may go on.
            async with session("client", "shop", host=elsewhere) as again:
                gate.release()
                assert await again.complete("again") == "re: again"
        assert len(errors) == 1
    assert [run.status for run in await program.runs()] == ["answered", "interrupted"]


async def test_only_the_swarm_that_is_named_is_closed(program: Program) -> None:
    program.agent(model=echo)
    program.swarm("first")
    program.swarm("second")
    async with (
        program.host() as host,
        session("client", "first", host=host),
        session("client", "second", host=host) as second,
        session("other", "first", host=host) as other,
    ):
        assert await dispose_connection("client", "first")
        assert live_sessions("client") == [second]
        assert live_sessions("other") == [other]
        with pytest.raises(InvalidIdError):
            await dispose_connection("a/b", "first")


async def test_a_tool_cannot_dispose_the_session_it_serves(program: Program) -> None:
    async def leave(context: ToolContext) -> bool:
        """Close the session."""
        return await dispose_connection(context.client_id, "shop")

    model = program.agent(steps=[call_tool("leave"), "done"], tools=[leave])
    async with program.chat() as chat:
        with anyio.fail_after(5):
            assert await chat.complete("bye") == "done"
    assert "a tool cannot dispose its own session" in output_of(model.requests[1])


class Destroyed:
    """Hears that the watching ended."""

    def __init__(self) -> None:
        self.names: list[tuple[str, str]] = []
        self.came = anyio.Event()

    async def __call__(self, client_id: str, swarm_name: str) -> None:
        self.names.append((client_id, swarm_name))
        self.came.set()


@pytest.mark.requirement("kit:talk:auto-dispose")
async def test_a_client_that_is_idle_is_disposed(program: Program) -> None:
    clock, destroyed = HandClock(), Destroyed()
    program.agent(model=echo)
    program.swarm()
    async with (
        program.host() as host,
        make_connection(lambda message: None, "client", "shop", host=host) as send,
        make_auto_dispose("client", "shop", on_destroy=destroyed, clock=clock) as watcher,
    ):
        await clock.wait_for_sleeper()
        await clock.advance(899)
        watcher.tick()
        await clock.advance(899)
        await clock.wait_for_sleeper()
        assert await send("still here") == "re: still here"
        assert destroyed.names == []
        await clock.advance(1)
        with anyio.fail_after(5):
            await destroyed.came.wait()
        assert live_sessions("client") == []
        with pytest.raises(SessionError):
            await send("too late")
        await watcher.destroy()
    assert destroyed.names == [("client", "shop")]


async def test_destroy_stops_watching_and_leaves_the_session(program: Program) -> None:
    clock, destroyed = HandClock(), Destroyed()
    program.agent(model=echo)
    program.swarm()
    async with (
        program.host() as host,
        session("client", "shop", host=host) as chat,
        make_auto_dispose("client", "shop", 5, destroyed, clock=clock) as watcher,
    ):
        await clock.wait_for_sleeper()
        await watcher.destroy()
        await watcher.destroy()
        await clock.advance(100)
        assert await chat.complete("hi") == "re: hi"
    assert destroyed.names == [("client", "shop")]


async def test_leaving_the_block_closes_nothing(program: Program) -> None:
    clock, destroyed = HandClock(), Destroyed()
    program.agent(model=echo)
    program.swarm()
    async with program.host() as host, session("client", "shop", host=host) as chat:
        with pytest.raises(ZeroDivisionError):
            async with make_auto_dispose("client", "shop", 5, destroyed, clock=clock):
                await clock.wait_for_sleeper()
                raise ZeroDivisionError
        await clock.advance(100)
        assert await chat.complete("hi") == "re: hi"
    assert destroyed.names == []


async def test_what_fails_while_nobody_waits_is_logged(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    clock, done = HandClock(), anyio.Event()

    def heard(client_id: str, swarm_name: str) -> None:
        done.set()

    watchers: list[AutoDispose] = []

    async def watch(context: ToolContext) -> str:
        """Watch the own session from inside its turn, and let the time pass."""
        async with make_auto_dispose(context.client_id, "shop", 1, heard, clock=clock) as watcher:
            watchers.append(watcher)
            await clock.wait_for_sleeper()
            await clock.advance(1)
            with anyio.fail_after(5):
                await done.wait()
        return "watched"

    program.agent(steps=[call_tool("watch"), "done"], tools=[watch])
    with caplog.at_level(logging.ERROR, "wikiswarm"):
        async with program.chat() as chat:
            assert await chat.complete("hi") == "done"
    assert len(watchers) == 1
    assert "make_auto_dispose: SessionError: a tool cannot dispose its own session" in caplog.text
