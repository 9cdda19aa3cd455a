"""Computed values: remembered, computed once for many, never stale, errors forgotten."""

from typing import Any

import anyio
import pytest

from swarm import override_compute, use_catalog
from swarm.errors import DeclarationError
from swarm.memory import MemoryCallbackError, NotJsonError
from swarm.memory.owner import EVERYBODY, Owner
from tests.swarm.memory.conftest import Declare, Open, giving
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio

ANNA, BERT = Owner("shop", "anna"), Owner("shop", "bert")


async def test_a_value_is_computed_once_until_a_state_changes(
    declare: Declare, opened: Open
) -> None:
    """kit:compute:depends-on."""
    calls: list[str] = []
    declare(state_name="cart", default=2)
    declare(state_name="rate", get_default=giving(10), shared=True)
    async with opened() as host:
        states, computes = host.memory.states, host.memory.computes

        async def total(client_id: str, compute_name: str) -> Any:
            calls.append(client_id)
            owner = Owner("shop", client_id)
            cart: Any = await states.get("cart", owner)
            rate: Any = await states.get("rate", owner)
            return cart * rate

        declare(compute_name="total", get=total, depends_on=["cart", "rate"])
        for _ in range(3):
            assert await computes.get("total", ANNA) == 20
        assert await computes.get("total", BERT) == 20
        assert calls == ["anna", "bert"]
        await states.set("cart", 3, ANNA)
        assert await computes.get("total", ANNA) == 30
        assert await computes.get("total", BERT) == 20
        await states.set("rate", 1, EVERYBODY)
        assert [await computes.get("total", owner) for owner in (ANNA, BERT)] == [3, 2]
        await states.clear("cart", ANNA)
        assert await computes.get("total", ANNA) == 2
        assert calls == ["anna", "bert", "anna", "anna", "bert", "anna"]


async def test_a_write_of_another_host_counts_too(declare: Declare, opened: Open) -> None:
    declare(state_name="cart", default=0, shared=True)
    async with opened() as host, opened() as other:

        async def look(client_id: str, compute_name: str) -> Any:
            return await host.memory.states.get("cart", EVERYBODY)

        declare(compute_name="seen", get=look, depends_on=["cart"], shared=True)
        assert await host.memory.computes.get("seen", EVERYBODY) == 0
        await other.memory.states.set("cart", 1, EVERYBODY)
        assert await host.memory.computes.get("seen", EVERYBODY) == 1


async def test_many_callers_share_one_computation(declare: Declare, opened: Open) -> None:
    """kit:compute:concurrent."""
    calls, got = list[str](), list[object]()
    go = anyio.Event()

    async def slow(client_id: str, compute_name: str) -> list[int]:
        calls.append(client_id)
        await go.wait()
        return [1]

    declare(compute_name="slow", get=slow)
    async with opened() as host:

        async def ask() -> None:
            value: Any = await host.memory.computes.get("slow", ANNA)
            value.append(2)  # nobody else sees it
            got.append(value)

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            go.set()
    assert calls == ["anna"]
    assert got == [[1, 2]] * 50


async def test_who_computes_may_be_cancelled_and_the_others_get_their_value(
    declare: Declare, opened: Open
) -> None:
    calls, got = list[int](), list[object]()
    go = anyio.Event()

    async def slow(client_id: str, compute_name: str) -> int:
        calls.append(1)
        await go.wait()
        return 7

    declare(compute_name="slow", get=slow)
    async with opened() as host:
        scope = anyio.CancelScope()

        async def first() -> None:
            with scope:
                await host.memory.computes.get("slow", ANNA)

        async def second() -> None:
            got.append(await host.memory.computes.get("slow", ANNA))

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(first)
                await anyio.wait_all_tasks_blocked()
                group.start_soon(second)
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
                await anyio.wait_all_tasks_blocked()
                go.set()
    assert (len(calls), got) == (2, [7])


async def test_what_changes_during_a_computation_is_not_missed(
    declare: Declare, opened: Open
) -> None:
    declare(state_name="cart", default=1)
    begun, go = anyio.Event(), anyio.Event()
    results: list[object] = []
    async with opened() as host:
        states, computes = host.memory.states, host.memory.computes

        async def copy(client_id: str, compute_name: str) -> Any:
            value = await states.get("cart", ANNA)
            begun.set()
            await go.wait()
            return value

        declare(compute_name="copy", get=copy, depends_on=["cart"])

        async def ask() -> None:
            results.append(await computes.get("copy", ANNA))

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(ask)
                await begun.wait()
                await states.set("cart", 2, ANNA)
                group.start_soon(ask)
                await anyio.wait_all_tasks_blocked()
                go.set()
        assert results == [1, 2]
        assert await computes.get("copy", ANNA) == 2


@pytest.mark.requirement("kit:memory:compute-ttl")
async def test_update_discards_and_time_does_too(
    declare: Declare, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kit:compute:update, kit:compute:ttl."""
    now, calls, told = [100.0], list[int](), list[object]()
    monkeypatch.setattr("swarm.memory.computes.time.monotonic", lambda: now[0])

    def count(client_id: str, compute_name: str) -> int:
        calls.append(1)
        return len(calls)

    def tell(*values: object) -> None:
        told.append(values)

    callbacks = {"on_update": tell, "on_compute": tell}
    declare(compute_name="count", get=count, ttl=10, callbacks=callbacks)
    async with opened() as host:
        computes = host.memory.computes
        assert await computes.get("count", ANNA) == 1
        await computes.update("count", ANNA)
        assert await computes.get("count", ANNA) == 2
        now[0] += 9
        assert await computes.get("count", ANNA) == 2
        now[0] += 2
        assert await computes.get("count", ANNA) == 3
    names = ("anna", "count")
    assert told == [(1, *names), names, (2, *names), (3, *names)]


@pytest.mark.requirement("kit:memory:callbacks")
async def test_observers_are_told_and_harm_nothing(
    declare: Declare, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """kit:compute:callbacks; the kit declares onCompute and never calls it."""
    told: list[tuple[object, ...]] = []

    def telling(event: str) -> Any:
        def tell(*values: object) -> None:
            told.append((event, *values))
            raise ValueError(f"{event} is broken")

        return tell

    events = ("on_init", "on_dispose", "on_compute", "on_calculate", "on_update")
    declare(state_name="cart", default=1)
    declare(state_name="rate", default=1)
    declare(
        compute_name="total",
        get=giving(7),
        depends_on=["cart", "rate"],
        callbacks={event: telling(event) for event in events},
    )
    async with opened() as host:
        computes = host.memory.computes
        assert await computes.get("total", ANNA) == 7
        assert await computes.get("total", ANNA) == 7
        await host.memory.states.set("rate", 2, ANNA)
        assert await computes.get("total", ANNA) == 7
        await computes.update("total", ANNA)
        await host.memory.dispose(*ANNA)
        await computes.get("total", BERT)
    names = ("anna", "total")
    assert told == [
        ("on_init", *names),
        ("on_compute", 7, *names),
        ("on_calculate", "rate", *names),
        ("on_compute", 7, *names),
        ("on_update", *names),
        ("on_dispose", *names),
        ("on_init", "bert", "total"),
        ("on_compute", 7, "bert", "total"),
        ("on_dispose", "bert", "total"),
    ]
    assert "callback 'tell' of compute 'total' failed" in caplog.text
    assert "on_calculate is broken" in caplog.text


async def test_an_overridden_compute_leaves_nothing_behind(
    program: Program, declare: Declare, opened: Open
) -> None:
    declare(compute_name="total", get=giving(1))
    async with opened() as host:
        computes = host.memory.computes
        assert await computes.get("total", ANNA) == 1
        with use_catalog(program.catalog), override_compute("total", get=giving(2)):
            assert await computes.get("total", ANNA) == 2
        assert await computes.get("total", ANNA) == 1


async def test_update_during_a_computation_discards_what_it_gives(
    declare: Declare, opened: Open
) -> None:
    begun, go = anyio.Event(), anyio.Event()
    calls: list[int] = []

    async def count(client_id: str, compute_name: str) -> int:
        calls.append(1)
        begun.set()
        await go.wait()
        return len(calls)

    declare(compute_name="count", get=count)
    async with opened() as host, anyio.create_task_group() as group:
        group.start_soon(host.memory.computes.get, "count", ANNA)
        await begun.wait()
        await host.memory.computes.update("count", ANNA)
        go.set()
        await anyio.wait_all_tasks_blocked()
        assert await host.memory.computes.get("count", ANNA) == 2


@pytest.mark.parametrize("place", ["get", "middleware", "not_json"])
async def test_an_error_is_told_and_not_remembered(
    declare: Declare, opened: Open, place: str
) -> None:
    """kit:compute:errors."""
    fails = [True]

    def explode(*values: object) -> None:
        if fails[0]:
            raise ValueError("not now")

    def get(client_id: str, compute_name: str) -> object:
        if place == "get":
            explode()
        return {1, 2} if place == "not_json" and fails[0] else 5

    declare(
        compute_name="five",
        get=get,
        middlewares=[explode] if place == "middleware" else [],
    )
    async with opened() as host:
        with pytest.raises(NotJsonError if place == "not_json" else MemoryCallbackError) as caught:
            await host.memory.computes.get("five", ANNA)
        assert "compute 'five'" in str(caught.value)
        fails[0] = False
        assert await host.memory.computes.get("five", ANNA) == 5


async def test_computes_that_wait_for_each_other_are_told(declare: Declare, opened: Open) -> None:
    async with opened() as host:
        computes = host.memory.computes

        async def other(client_id: str, compute_name: str) -> Any:
            await anyio.lowlevel.checkpoint()
            return await computes.get({"a": "b", "b": "a"}[compute_name], ANNA)

        declare(compute_name="a", get=other)
        declare(compute_name="b", get=other)
        with anyio.fail_after(5):
            with pytest.raises(DeclarationError, match="wait for each other: 'b' -> 'a'"):
                await computes.get("a", ANNA)
            errors: list[Exception] = []

            async def ask(name: str) -> None:
                try:
                    await computes.get(name, ANNA)
                except DeclarationError as error:
                    errors.append(error)

            async with anyio.create_task_group() as group:
                group.start_soon(ask, "a")
                group.start_soon(ask, "b")
        assert len(errors) == 2


async def test_the_value_asked_for_longest_ago_is_dropped_first(
    declare: Declare, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swarm.memory.computes._MOST_VALUES", 2)
    calls: list[str] = []

    def remember(client_id: str, compute_name: str) -> str:
        calls.append(client_id)
        return client_id

    declare(compute_name="name", get=remember)
    async with opened() as host:
        for client_id in ("a", "b", "a", "c", "a", "b"):
            assert await host.memory.computes.get("name", Owner("shop", client_id)) == client_id
    assert calls == ["a", "b", "c", "b"]
