"""The edges of a session: verbs that come too early or too late, and openings that are cut off."""

import threading

import anyio
import pytest

from swarm import commit_user_message_force, session
from swarm.errors import SessionError
from swarm.events import TurnEnded
from swarm.runtime import has_session, note
from tests.swarm.program import Program, call_tools

pytestmark = pytest.mark.anyio


async def _answers(program: Program) -> list[str | None]:
    ends = [row.event for row in await program.events() if isinstance(row.event, TurnEnded)]
    return [end.answer for end in ends]


async def test_a_task_that_outlives_its_session_does_not_harm_the_next_one(
    program: Program,
) -> None:
    is_reopened, refused = anyio.Event(), list[str]()

    async def note_late() -> None:
        await is_reopened.wait()
        try:
            await note("late", {}, "client")
        except SessionError as error:
            refused.append(str(error))

    async with anyio.create_task_group() as group:

        async def leave_task() -> str:
            """Leaves a task behind."""
            group.start_soon(note_late)
            return "left"

        program.agent("seller", [call_tools("leave_task"), "one", "two"], tools=[leave_task])
        program.swarm()
        async with program.host() as host:
            async with session("client", "shop", host=host) as chat:
                assert await chat.complete("1") == "one"
            async with session("client", "shop", host=host) as chat:
                is_reopened.set()
                await anyio.wait_all_tasks_blocked()
                assert await chat.complete("2") == "two"
    assert await _answers(program) == ["one", "two"]
    assert len(refused) == 1
    assert "is not open" in refused[0]


async def test_a_verb_that_comes_while_a_session_opens_is_refused(program: Program) -> None:
    program.agent("seller", ["one", "two"])
    program.swarm()
    refused: list[str] = []

    async def talk() -> None:
        async with session("client", "shop", host=host) as chat:
            assert await chat.complete("2") == "two"

    async with program.host() as host:
        async with session("client", "shop", host=host) as chat:
            assert await chat.complete("1") == "one"
        is_free = threading.Event()
        host.database.submit(is_free.wait)  # the session cannot read the journal yet
        async with anyio.create_task_group() as group:
            group.start_soon(talk)
            await anyio.wait_all_tasks_blocked()
            assert has_session("client")
            try:
                await commit_user_message_force("too early", "user", "client")
            except SessionError as error:
                refused.append(str(error))
            finally:
                is_free.set()
    assert await _answers(program) == ["one", "two"]
    assert "is not open" in refused[0]
