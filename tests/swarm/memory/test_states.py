"""States: defaults, changes in order, functions that fail, what is kept."""

from typing import Any

import anyio
import pytest

from swarm.errors import DeclarationError, SessionError, StoreError, ToolFailed
from swarm.memory import MemoryCallbackError, NotJsonError
from swarm.memory.owner import EVERYBODY, Owner
from tests.swarm.memory.conftest import Declare, Open, giving

pytestmark = pytest.mark.anyio


def add_one(old: int) -> int:
    """Change a number as most tests do."""
    return old + 1


ANNA, BERT = Owner("shop", "anna"), Owner("shop", "bert")


@pytest.mark.parametrize("persist", [True, False])
async def test_a_value_is_the_default_until_it_is_set_and_after_clear(
    declare: Declare, opened: Open, persist: bool
) -> None:
    """kit:state:clear; the kit's clear returns the persisted value and resets nothing."""
    declare(state_name="cart", default={"items": []}, persist=persist)
    async with opened() as host:
        states = host.memory.states
        assert await states.get("cart", ANNA) == {"items": []}
        assert await states.set("cart", {"items": [1]}, ANNA) == {"items": [1]}
        assert await states.get("cart", ANNA) == {"items": [1]}
        assert await states.get("cart", BERT) == {"items": []}
        await states.clear("cart", ANNA)
        assert await states.get("cart", ANNA) == {"items": []}
        await states.clear("cart", ANNA)


async def test_nobody_holds_a_piece_of_another_ones_value(declare: Declare, opened: Open) -> None:
    declare(state_name="cart", default=[[]])
    async with opened() as host:
        states = host.memory.states
        mine: Any = [["a"]]
        returned: Any = await states.set("cart", mine, ANNA)
        read: Any = await states.get("cart", ANNA)
        for value in (mine, returned, read):
            value[0].append("changed from outside")
        assert await states.get("cart", ANNA) == [["a"]]
        first: Any = await states.get("cart", BERT)
        first[0].append("changed from outside")
        assert await states.get("cart", BERT) == [[]]


@pytest.mark.parametrize("persist", [True, False])
async def test_two_hundred_changes_at_once_are_all_there(
    declare: Declare, opened: Open, persist: bool
) -> None:
    """kit:state:set-function, queued read-modify-write."""
    declare(state_name="count", default=0, persist=persist)

    async def slowly(old: int) -> int:
        await anyio.lowlevel.checkpoint()
        return old + 1

    async with opened() as host, anyio.create_task_group() as group:
        for number in range(200):
            change = slowly if number % 2 else add_one
            group.start_soon(host.memory.states.set, "count", change, ANNA)
    async with opened() as host:
        expected = 200 if persist else 0
        assert await host.memory.states.get("count", ANNA) == expected


async def test_two_hosts_on_one_database_lose_nothing(declare: Declare, opened: Open) -> None:
    declare(state_name="count", default=0, shared=True)
    async with opened() as first, opened() as second:
        async with anyio.create_task_group() as group:
            for _ in range(10):
                for host in (first, second):
                    group.start_soon(host.memory.states.set, "count", add_one, ANNA)
        for host in (first, second):
            assert await host.memory.states.get("count", EVERYBODY) == 20


@pytest.mark.requirement("kit:memory:defaults")
async def test_a_default_that_is_made_is_made_once(declare: Declare, opened: Open) -> None:
    """kit:state:get-default-state."""
    made: list[tuple[str, str]] = []

    async def make(client_id: str, state_name: str) -> dict[str, int]:
        made.append((client_id, state_name))
        await anyio.lowlevel.checkpoint()
        return {"number": len(made)}

    declare(state_name="cart", get_default=make)
    async with opened() as host, anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(host.memory.states.get, "cart", ANNA)
    async with opened() as host:
        states = host.memory.states
        assert await states.get("cart", ANNA) == {"number": 1}
        await states.set("cart", lambda old: {"number": old["number"] * 10}, BERT)
        assert await states.get("cart", BERT) == {"number": 20}
        await states.clear("cart", ANNA)
        assert await states.get("cart", ANNA) == {"number": 3}
    assert made == [("anna", "cart"), ("bert", "cart"), ("anna", "cart")]


async def test_middlewares_change_a_new_value_in_order(declare: Declare, opened: Open) -> None:
    """kit:state:middlewares."""

    def double(value: int, client_id: str, state_name: str) -> int:
        assert (client_id, state_name) == ("anna", "count")
        return value * 2

    async def one_more(value: int, client_id: str, state_name: str) -> int:
        return value + 1

    def only_look(value: int, client_id: str, state_name: str) -> None:
        seen.append(value)

    seen: list[int] = []
    declare(state_name="count", default=0, middlewares=[double, one_more, only_look])
    async with opened() as host:
        assert await host.memory.states.set("count", 5, ANNA) == 11
        assert await host.memory.states.get("count", ANNA) == 11
    assert seen == [11]


@pytest.mark.parametrize("place", ["middleware", "on_write", "not_json"])
async def test_a_function_that_fails_changes_nothing_and_is_named(
    declare: Declare, opened: Open, place: str
) -> None:
    """kit:state:middleware-throws."""

    def explode(value: Any, client_id: str, state_name: str) -> object:
        if value == {"a": [1]}:
            return None
        value["a"].append("half a change")
        if place == "not_json":
            return {"a": object()}
        raise ValueError("no more")

    if place == "on_write":
        declare(state_name="cart", default=0, callbacks={"on_write": explode})
    else:
        declare(state_name="cart", default=0, middlewares=[explode])
    expected = NotJsonError if place == "not_json" else MemoryCallbackError
    async with opened() as host:
        states = host.memory.states
        await states.set("cart", {"a": [1]}, ANNA)
        given = {"a": [2]}
        with pytest.raises(expected) as caught:
            await states.set("cart", given, ANNA)
        if place != "not_json":
            said = "function 'explode' of state 'cart' failed: ValueError: no more"
            assert str(caught.value) == said
        assert given == {"a": [2]}
        assert await states.get("cart", ANNA) == {"a": [1]}
        assert await states.set("cart", {"a": [1]}, ANNA) == {"a": [1]}, "the queue goes on"


async def test_a_callers_own_function_fails_with_its_own_error(
    declare: Declare, opened: Open
) -> None:
    declare(state_name="cart", default=[1])

    def spoil(old: list[int]) -> list[int]:
        old.clear()
        raise ToolFailed("the model may read this")

    async with opened() as host:
        with pytest.raises(ToolFailed) as caught:
            await host.memory.states.set("cart", spoil, ANNA)
        assert "state 'cart'" in "".join(caught.value.__notes__)
        assert await host.memory.states.get("cart", ANNA) == [1]


async def test_reads_are_told_and_may_be_refused(declare: Declare, opened: Open) -> None:
    """kit:state:on-read."""
    seen: list[object] = []

    def watch(value: Any, client_id: str, state_name: str) -> None:
        seen.append((value, client_id, state_name))
        if value == "secret":
            raise PermissionError("not for you")

    declare(state_name="note", default="open", callbacks={"on_read": watch})
    async with opened() as host:
        assert await host.memory.states.get("note", ANNA) == "open"
        await host.memory.states.set("note", "secret", ANNA)
        with pytest.raises(MemoryCallbackError, match="function 'watch' of state 'note'"):
            await host.memory.states.get("note", ANNA)
    assert seen == [("open", "anna", "note"), ("secret", "anna", "note")]


@pytest.mark.requirement("kit:memory:reentrant")
async def test_a_change_may_read_but_not_change_itself(declare: Declare, opened: Open) -> None:
    """kit:state:reentrant-get."""
    declare(state_name="count", default=1)
    declare(state_name="other", get_default=giving(5))
    async with opened() as host:
        states = host.memory.states

        async def read_both(old: int) -> Any:
            again: Any = await states.get("count", ANNA)
            other: Any = await states.get("other", ANNA)
            return old + again + other

        async def change_again(old: int) -> Any:
            return await states.set("count", 100, ANNA)

        with anyio.fail_after(5):
            assert await states.set("count", read_both, ANNA) == 7
            with pytest.raises(DeclarationError, match="cannot change it again"):
                await states.set("count", change_again, ANNA)
        assert await states.get("count", ANNA) == 7


async def test_a_task_that_a_change_started_may_change_it_later(
    declare: Declare, opened: Open
) -> None:
    declare(state_name="count", default=0)
    go = anyio.Event()
    with anyio.fail_after(5):
        async with opened() as host, anyio.create_task_group() as group:

            async def later() -> None:
                await go.wait()
                await host.memory.states.set("count", add_one, ANNA)

            def change(old: int) -> int:
                group.start_soon(later)
                return old + 1

            assert await host.memory.states.set("count", change, ANNA) == 1
            go.set()
    async with opened() as host:
        assert await host.memory.states.get("count", ANNA) == 2


async def test_a_change_that_is_cancelled_is_made_or_not(declare: Declare, opened: Open) -> None:
    declare(state_name="count", default=0)
    async with opened() as host:
        states = host.memory.states

        async def wait(old: int) -> int:
            await anyio.sleep_forever()
            return 1

        with anyio.move_on_after(0.02):
            await states.set("count", wait, ANNA)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await states.set("count", 2, ANNA)
        with anyio.fail_after(5):
            assert await states.set("count", lambda old: old + 1, ANNA) in (1, 3)


@pytest.mark.requirement("kit:memory:failure")
async def test_a_database_that_fails_is_told_and_the_value_stays(
    declare: Declare, opened: Open
) -> None:
    """kit:state:persist-failure."""
    declare(state_name="count", default=0)
    async with opened() as host:
        states = host.memory.states
        await states.set("count", 1, ANNA)

        def drop(connection: Any) -> None:
            connection.exec_driver_sql("ALTER TABLE memory_cells RENAME TO gone")

        def restore(connection: Any) -> None:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO memory_cells")

        await host.database.run(drop)
        with pytest.raises(StoreError):
            await states.set("count", 2, ANNA)
        await host.database.run(restore)
        assert await states.get("count", ANNA) == 1


async def test_two_changes_that_wait_for_each_other_end(
    declare: Declare, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swarm.memory.queues._LONGEST_WAIT", 0.05)
    declare(state_name="a", default=0)
    declare(state_name="b", default=0)
    errors: list[str] = []
    both = anyio.Event()
    begun: list[str] = []
    async with opened() as host:
        states = host.memory.states

        async def cross(mine: str, other: str) -> None:
            async def change(old: int) -> int:
                begun.append(mine)
                if len(begun) == 2:
                    both.set()
                await both.wait()
                await states.set(other, 1, ANNA)
                return 1

            try:
                await states.set(mine, change, ANNA)
            except SessionError as error:
                errors.append(str(error))

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(cross, "a", "b")
                group.start_soon(cross, "b", "a")
        assert errors
        assert all("is busy: a change of it does not end" in error for error in errors)
        monkeypatch.setattr("swarm.memory.queues._LONGEST_WAIT", 5)
        assert await states.set("a", 7, ANNA) == 7
