"""Hand-offs at the same time, where a program keeps the active agent and the way back itself."""

from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from swarm import Session, change_to_agent, change_to_default_agent, change_to_prev_agent
from swarm.errors import NavigationError
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


class SlowStore:
    """What a program keeps, in a store that takes its time for one agent until it may go on."""

    def __init__(self, slow: str) -> None:
        self.slow = slow
        self.reached = anyio.Event()
        self.may_go_on = anyio.Event()
        self.agent = ""
        self.stack: list[str] = []
        self.told: list[str] = []

    async def write_agent(self, client_id: str, agent_name: str, swarm_name: str) -> None:
        if agent_name == self.slow:
            self.reached.set()
            await self.may_go_on.wait()
        self.agent = agent_name
        self.told.append(agent_name)

    async def write_stack(self, client_id: str, agent_names: list[str], swarm_name: str) -> None:
        await checkpoint()
        self.stack = agent_names


def declare(program: Program, store: SlowStore) -> None:
    for name in ("seller", "clerk", "boss"):
        program.agent(name, [])
    program.swarm(set_active_agent=store.write_agent, set_navigation_stack=store.write_stack)


_Verb = Callable[[], Coroutine[Any, Any, object]]


async def both(store: SlowStore, first: _Verb, second: _Verb) -> None:
    """Run the first until the store is asked, then the second beside it."""
    async with anyio.create_task_group() as group:
        group.start_soon(first)
        await store.reached.wait()
        group.start_soon(second)
        await anyio.wait_all_tasks_blocked()
        store.may_go_on.set()


def agrees(store: SlowStore, chat: Session) -> bool:
    return (store.agent, tuple(store.stack)) == (chat.agent_name, chat.stack)


@pytest.mark.requirement("kit:navigate:own-store", "kit:navigate:previous")
async def test_two_hand_offs_at_once_come_one_after_the_other(program: Program) -> None:
    store = SlowStore("clerk")
    declare(program, store)
    async with program.chat() as chat:
        await both(
            store,
            lambda: change_to_agent("clerk", "client"),
            lambda: change_to_agent("boss", "client"),
        )
        assert (chat.agent_name, chat.stack) == ("boss", ("seller", "clerk"))
        assert agrees(store, chat)
        assert store.told == ["clerk", "boss"]
        assert await change_to_prev_agent("client")
        assert chat.agent_name == "clerk"
    async with program.chat() as chat:
        assert (chat.agent_name, chat.stack) == ("clerk", ("seller",))


@pytest.mark.requirement("kit:navigate:own-store")
async def test_the_second_of_two_equal_hand_offs_finds_the_agent_active(program: Program) -> None:
    store = SlowStore("clerk")
    declare(program, store)
    refused: list[str] = []

    async def again() -> None:
        with pytest.raises(NavigationError) as caught:
            await change_to_agent("clerk", "client")
        refused.append(caught.value.text)

    async with program.chat() as chat:
        await both(store, lambda: change_to_agent("clerk", "client"), again)
        assert refused == ["agent 'clerk' is active already"]
        assert (chat.agent_name, chat.stack) == ("clerk", ("seller",))
        assert agrees(store, chat)


@pytest.mark.requirement("kit:navigate:previous")
async def test_two_steps_back_at_once_go_back_two_steps(program: Program) -> None:
    store = SlowStore("")
    declare(program, store)

    async def back() -> None:
        assert await change_to_prev_agent("client")

    async with program.chat() as chat:
        for name in ("clerk", "boss"):
            await change_to_agent(name, "client")
        store.slow = "clerk"
        await both(store, back, back)
        assert (chat.agent_name, chat.stack) == ("seller", ())
        assert agrees(store, chat)


@pytest.mark.requirement("kit:navigate:default")
async def test_a_second_way_to_the_default_agent_changes_nothing(program: Program) -> None:
    store = SlowStore("")
    declare(program, store)
    changed: list[bool] = []

    async def home() -> None:
        changed.append(await change_to_default_agent("client"))

    async with program.chat() as chat:
        await change_to_agent("clerk", "client")
        store.slow = "seller"
        await both(store, home, home)
        assert sorted(changed) == [False, True]
        assert (chat.agent_name, chat.stack) == ("seller", ("seller", "clerk"))
        assert agrees(store, chat)


async def test_a_hand_off_that_is_cancelled_makes_way_for_the_next(program: Program) -> None:
    store = SlowStore("clerk")
    declare(program, store)
    async with program.chat() as chat:
        async with anyio.create_task_group() as group:
            group.start_soon(change_to_agent, "clerk", "client")
            await store.reached.wait()
            group.cancel_scope.cancel()
        assert await change_to_agent("boss", "client")
        assert (chat.agent_name, chat.stack) == ("boss", ("seller",))


@pytest.mark.requirement("kit:navigate:own-store")
async def test_the_function_that_is_told_of_a_hand_off_cannot_make_one(program: Program) -> None:
    async def redirect(client_id: str, agent_name: str, swarm_name: str) -> None:
        await change_to_agent("boss", client_id)

    for name in ("seller", "clerk", "boss"):
        program.agent(name, [])
    program.swarm(set_active_agent=redirect)
    async with program.chat() as chat:
        with pytest.raises(NavigationError, match="cannot make one"):
            await change_to_agent("clerk", "client")
        assert (chat.agent_name, chat.stack) == ("seller", ())


@pytest.mark.requirement("kit:navigate:own-store")
async def test_a_hand_off_does_not_wait_for_ever_for_another(program: Program) -> None:
    """As when the function is told in another process, and calls back from there."""
    store = SlowStore("clerk")
    for name in ("seller", "clerk", "boss"):
        program.agent(name, [])
    program.swarm(set_active_agent=store.write_agent, turn_timeout=0.05)
    async with program.chat() as chat, anyio.create_task_group() as group:
        group.start_soon(change_to_agent, "clerk", "client")
        await store.reached.wait()
        with pytest.raises(NavigationError, match="has not ended within"):
            await change_to_agent("boss", "client")
        store.may_go_on.set()
        await anyio.wait_all_tasks_blocked()
        assert await change_to_agent("boss", "client")
        assert chat.stack == ("seller", "clerk")
