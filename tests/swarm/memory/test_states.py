"""States: defaults, changes in order, functions that fail, what is kept."""

import copy
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


def add_length(old: list[int]) -> list[int]:
    """Change a list so that the order of changes shows."""
    return [*old, len(old)]


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


@pytest.mark.parametrize("place", ["middleware", "not_json"])
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

    declare(state_name="cart", default=0, middlewares=[explode])
    expected = NotJsonError if place == "not_json" else MemoryCallbackError
    async with opened() as host:
        states = host.memory.states
        await states.set("cart", {"a": [1]}, ANNA)
        given = {"a": [2]}
        with pytest.raises(expected) as caught:
            await states.set("cart", given, ANNA)
        if place != "not_json":
            said = "middleware 'explode' of state 'cart' failed: ValueError: no more"
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


@pytest.mark.requirement("kit:memory:callbacks")
async def test_observers_are_told_and_harm_nothing(
    declare: Declare, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """kit:state:callbacks."""
    told: list[tuple[object, ...]] = []

    def telling(event: str) -> Any:
        async def tell(*values: Any) -> None:
            told.append((event, *copy.deepcopy(values)))
            if event not in ("on_init", "on_dispose"):
                values[0].append("changed by an observer")
            raise ValueError(f"{event} is broken")

        return tell

    events = ("on_init", "on_load", "on_read", "on_write", "on_dispose")
    callbacks = {event: telling(event) for event in events}
    declare(state_name="note", get_default=giving([]), callbacks=callbacks)
    async with opened() as host:
        states = host.memory.states
        assert await states.set("note", lambda old: [*old, 1], ANNA) == [1]
        assert await states.get("note", ANNA) == [1]
        await states.clear("note", ANNA)
        await host.memory.dispose(*ANNA)
        assert await states.get("note", ANNA) == []
    names = ("anna", "note")
    assert told == [
        ("on_init", *names),
        ("on_load", [], *names),
        ("on_write", [1], *names),
        ("on_read", [1], *names),
        ("on_dispose", *names),
        ("on_init", *names),
        ("on_load", [], *names),
        ("on_read", [], *names),
        ("on_dispose", *names),
    ]
    assert "callback 'tell' of state 'note' failed" in caplog.text
    assert "on_write is broken" in caplog.text


class _Shelf:
    """A store of the program's own."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], Any] = {}

    def get(self, client_id: str, state_name: str) -> Any:
        return self.values.get((client_id, state_name))

    async def set(self, client_id: str, state_name: str, value: Any) -> None:
        if value == "broken":
            raise ConnectionError("the shelf is gone")
        self.values[client_id, state_name] = value


@pytest.mark.requirement("kit:memory:own-store")
async def test_a_store_of_ones_own_takes_the_place_of_the_database(
    declare: Declare, opened: Open
) -> None:
    """kit:state:get-state, kit:state:set-state."""
    shelf = _Shelf()
    own: dict[str, Any] = {"get_state": shelf.get, "set_state": shelf.set}
    declare(state_name="cart", default=[], **own)
    declare(state_name="made", get_default=giving({"a": 1}), **own)
    async with opened() as host:
        states = host.memory.states
        assert await states.get("cart", ANNA) == []
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(states.set, "cart", add_length, ANNA)
        assert shelf.values == {("anna", "cart"): list(range(20))}
        shelf.values["anna", "cart"] = ["put there by another program"]
        assert await states.get("cart", ANNA) == ["put there by another program"]
        with pytest.raises(MemoryCallbackError, match=r"'set' of state 'cart'.*the shelf is gone"):
            await states.set("cart", "broken", ANNA)
        await states.clear("cart", ANNA)
        assert await states.get("cart", ANNA) == []
        assert await states.get("made", ANNA) == {"a": 1}
        assert shelf.values == {("anna", "cart"): None, ("anna", "made"): {"a": 1}}

        def rows(connection: Any) -> int:
            return connection.exec_driver_sql(
                "SELECT count(*) FROM sqlite_master WHERE name LIKE 'memory%'"
            ).scalar()

        assert await host.database.run(rows) == 0, "the database is not used"


async def test_what_a_store_of_ones_own_gives_is_checked(declare: Declare, opened: Open) -> None:
    values = iter([{1}, float("nan")])

    def explode(client_id: str, state_name: str) -> Any:
        raise OSError("no disk")

    def odd(client_id: str, state_name: str) -> Any:
        return next(values)

    declare(state_name="odd", get_state=odd, set_state=giving(None))
    declare(state_name="gone", get_state=explode, set_state=giving(None))
    async with opened() as host:
        for _ in range(2):
            with pytest.raises(NotJsonError, match="state 'odd'"):
                await host.memory.states.get("odd", ANNA)
        with pytest.raises(
            MemoryCallbackError, match="get_state 'explode' of state 'gone' failed: OSError"
        ):
            await host.memory.states.set("gone", 1, ANNA)


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
