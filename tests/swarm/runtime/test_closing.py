"""The edges of a session: verbs that come too early or too late, and openings that are cut off."""

import threading
from contextlib import aclosing

import anyio
import anyio.lowlevel
import pytest

from swarm import (
    CompletionRequest,
    Message,
    State,
    add_state,
    commit_tool_output_force,
    commit_tool_request_force,
    commit_user_message_force,
    session,
    use_catalog,
)
from swarm.callbacks import SwarmCallbacks
from swarm.errors import SessionError, SwarmError
from swarm.events import TurnEnded
from swarm.memory import StateCallbacks
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


async def test_an_opening_that_is_cut_off_leaves_no_session_behind(program: Program) -> None:
    is_stuck = anyio.Event()

    async def wait_once(client_id: str, swarm_name: str) -> None:
        if not is_stuck.is_set():
            is_stuck.set()
            await anyio.sleep_forever()

    async def open_it(scope: anyio.CancelScope) -> None:
        with scope:
            async with session("client", "shop", host=host):
                raise AssertionError("it was cut off")

    program.agent("seller", ["one"])
    program.swarm(callbacks=SwarmCallbacks(on_init=wait_once))
    async with program.host() as host, anyio.create_task_group() as group:
        scope = anyio.CancelScope()
        group.start_soon(open_it, scope)
        await is_stuck.wait()
        scope.cancel()
        await anyio.wait_all_tasks_blocked()
        assert not has_session("client")
        async with session("client", "shop", host=host) as chat:
            assert await chat.complete("1") == "one"


async def test_a_session_that_is_cancelled_tells_its_observers_of_the_end(
    program: Program,
) -> None:
    told: list[str] = []

    async def swarm_ends(client_id: str, swarm_name: str) -> None:
        await anyio.lowlevel.checkpoint()
        told.append("swarm")

    async def state_ends(client_id: str, state_name: str) -> None:
        await anyio.lowlevel.checkpoint()
        told.append("state")

    with use_catalog(program.catalog):
        add_state(state_name="cart", default=0, callbacks=StateCallbacks(on_dispose=state_ends))
    program.agent("seller", states=["cart"])
    program.swarm(callbacks=SwarmCallbacks(on_dispose=swarm_ends))
    async with program.host() as host:
        with anyio.CancelScope() as scope:
            async with session("client", "shop", host=host):
                await State.get("cart", client_id="client", agent_name="seller")
                scope.cancel()
                await anyio.lowlevel.checkpoint()
        assert told == ["state", "swarm"]


async def test_an_observer_of_the_end_that_hangs_does_not_hold_the_end(program: Program) -> None:
    async def hang(client_id: str, state_name: str) -> None:
        await anyio.sleep_forever()

    with use_catalog(program.catalog):
        add_state(state_name="cart", default=0, callbacks=StateCallbacks(on_dispose=hang))
    program.agent("seller", states=["cart"])
    program.swarm(turn_timeout=0.1)
    with anyio.fail_after(5):
        async with program.host() as host, session("client", "shop", host=host):
            await State.get("cart", client_id="client", agent_name="seller")


async def test_a_call_that_was_requested_before_a_restart_gets_its_output_after_it(
    program: Program,
) -> None:
    model = program.agent("seller", ["Three boxes."])
    async with program.chat():
        ids = [
            *await commit_tool_request_force({"name": "look_up"}, "client"),
            *await commit_tool_request_force({"name": "look_up"}, "client"),
        ]
        await commit_tool_output_force(ids[0], "two", "client")
    async with program.chat() as chat:
        await commit_tool_output_force(ids[1], "three", "client")
        with pytest.raises(SwarmError):
            await commit_tool_output_force(ids[0], "again", "client")
        assert await chat.complete("How many?") == "Three boxes."
    outputs = [m.content for m in model.requests[0].messages if m.role == "tool"]
    assert outputs == ["two", "three"]


async def test_a_turn_whose_reader_left_in_a_hurry_was_interrupted_and_did_not_fail(
    program: Program,
) -> None:
    async def look_up() -> str:
        """Looks up."""
        return "found"

    calls = call_tools(*["look_up"] * 20)

    def model(request: CompletionRequest) -> Message:
        return calls

    program.agent("seller", model=model, tools=[look_up], max_tool_calls=10_000)
    async with program.chat() as chat, aclosing(chat.stream("Look!")) as events:
        async for _ in events:
            await anyio.wait_all_tasks_blocked()  # the turn fills the buffer and waits
            break
    ends = [row.event for row in await program.events() if isinstance(row.event, TurnEnded)]
    assert [end.status for end in ends] == ["interrupted"]
