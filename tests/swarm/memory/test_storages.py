"""Storages: items found by their meaning, changed as a whole or not at all."""

from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from swarm.errors import InvalidIdError, UnknownNameError
from swarm.memory import MemoryCallbackError, NotJsonError
from swarm.memory.owner import EVERYBODY, Owner
from tests.swarm.memory.conftest import Declare, Open

pytestmark = pytest.mark.anyio

ANNA, BERT = Owner("shop", "anna"), Owner("shop", "bert")
GOODS: list[dict[str, Any]] = [
    {"id": 1, "text": "Aspirin against headaches and fever"},
    {"id": 2, "text": "Syrup against a dry cough"},
    {"id": "three", "text": "Sun cream for the whole family"},
]


@pytest.mark.parametrize("persist", [True, False])
async def test_items_are_found_changed_and_removed(
    declare: Declare, opened: Open, persist: bool
) -> None:
    """kit:storage:take, upsert, remove, get, list, clear."""
    declare(storage_name="goods", persist=persist)
    async with opened() as host:
        storages = host.memory.storages
        assert await storages.list("goods", ANNA) == []
        assert await storages.take("goods", "headache", 3, None, ANNA) == []
        await storages.upsert("goods", GOODS, ANNA)
        assert await storages.list("goods", ANNA) == GOODS
        assert await storages.list("goods", BERT) == []
        found = await storages.take("goods", "something against a headache", 1, None, ANNA)
        assert found == [GOODS[0]]
        assert await storages.take("goods", "dry cough", 3, 0.9, ANNA) == []
        changed = {"id": 2, "text": "Pills against headaches", "price": 3.5}
        await storages.upsert("goods", changed, ANNA)
        assert await storages.get("goods", 2, ANNA) == changed
        assert await storages.get("goods", "2", ANNA) is None
        assert [item["id"] for item in await storages.list("goods", ANNA)] == [1, 2, "three"]
        found = await storages.take("goods", "headaches", 2, None, ANNA)
        assert {item["id"] for item in found} == {1, 2}
        assert await storages.remove("goods", 1, ANNA)
        assert not await storages.remove("goods", 1, ANNA)
        found = await storages.take("goods", "headaches", 1, None, ANNA)
        assert [item["id"] for item in found] == [2]
    async with opened() as host:
        storages = host.memory.storages
        kept = [changed, GOODS[2]] if persist else []
        assert await storages.list("goods", ANNA) == kept
        found = await storages.take("goods", "sun cream", 1, None, ANNA)
        assert found == kept[1:]
        await storages.clear("goods", ANNA)
        assert await storages.list("goods", ANNA) == []
        assert await storages.take("goods", "sun cream", 1, None, ANNA) == []


@pytest.mark.requirement("kit:memory:defaults")
async def test_default_items_are_there_until_they_are_removed(
    declare: Declare, opened: Open
) -> None:
    """kit:storage:get-default-data."""
    made: list[str] = []

    def make(client_id: str, storage_name: str) -> list[dict[str, Any]]:
        made.append(client_id)
        return GOODS[:1]

    declare(storage_name="fixed", default=GOODS)
    declare(storage_name="made", get_default=make)
    async with opened() as host:
        storages = host.memory.storages
        assert await storages.remove("fixed", 2, ANNA)
        assert await storages.list("fixed", BERT) == GOODS
        assert await storages.list("made", ANNA) == GOODS[:1]
        await storages.clear("fixed", BERT)
    async with opened() as host:
        storages = host.memory.storages
        assert await storages.list("fixed", ANNA) == [GOODS[0], GOODS[2]]
        assert await storages.list("fixed", BERT) == []
        assert await storages.list("made", ANNA) == GOODS[:1]
    assert made == ["anna"]


async def test_an_index_may_name_several_texts_of_an_item(declare: Declare, opened: Open) -> None:
    """kit:storage:create-index; the best of the vectors counts."""

    async def index(item: dict[str, Any]) -> dict[str, str]:
        item["text"] = "an index changes nothing"
        return {"name": item["name"], "use": item["use"]}

    declare(storage_name="goods", index=index)
    async with opened() as host:
        storages = host.memory.storages
        aspirin = {"id": 1, "name": "aspirin", "use": "headache fever pain"}
        cream = {"id": 2, "name": "cream", "use": "sun skin summer"}
        await storages.upsert("goods", [aspirin, cream], ANNA)
        for search in ("aspirin", "fever"):
            assert await storages.take("goods", search, 1, 0.4, ANNA) == [aspirin]
        assert await storages.list("goods", ANNA) == [aspirin, cream]


@pytest.mark.parametrize("place", ["index", "on_update", "create", "length", "count", "index-type"])
async def test_a_function_that_fails_changes_nothing_and_is_named(
    declare: Declare, opened: Open, place: str
) -> None:
    """kit:storage:callback-throws."""
    fails = [False]

    def explode(*values: object) -> Any:
        if fails[0]:
            raise ValueError("no more")
        return "text"

    def create(texts: Sequence[str]) -> list[list[float]]:
        if place == "create":
            explode()
        if fails[0] and place == "length":
            return [[1.0] * (2 + n) for n in range(len(texts))]
        return [[1.0, 2.0] for _ in texts[1 if fails[0] and place == "count" else 0 :]]

    def index(item: dict[str, Any]) -> Any:
        if place == "index":
            explode()
        return 5 if fails[0] and place == "index-type" else str(item["id"])

    declare(embedding_name="own", create=create)
    declare(
        storage_name="goods",
        embedding="own",
        index=index,
        callbacks={"on_update": explode} if place == "on_update" else None,
    )
    async with opened() as host:
        storages = host.memory.storages
        await storages.upsert("goods", GOODS[:1], ANNA)
        fails[0] = True
        with pytest.raises(MemoryCallbackError) as caught:
            await storages.upsert("goods", GOODS[1:], ANNA)
        names = {"on_update": "explode", "index": "index", "index-type": "index"}
        assert f"function {names.get(place, 'create')!r}" in str(caught.value)
        assert await storages.list("goods", ANNA) == GOODS[:1]
        fails[0] = False
        await storages.upsert("goods", GOODS[1:], ANNA)
        assert await storages.list("goods", ANNA) == GOODS


async def test_a_search_is_told_and_may_be_refused(declare: Declare, opened: Open) -> None:
    """kit:storage:on-search."""
    seen: list[object] = []

    def watch(search: str, items: list[Any], client_id: str, storage_name: str) -> None:
        seen.append((search, len(items), client_id, storage_name))
        items.clear()
        if search == "secret":
            raise PermissionError("not for you")

    declare(storage_name="goods", default=GOODS, callbacks={"on_search": watch})
    async with opened() as host:
        storages = host.memory.storages
        assert len(await storages.take("goods", "cough", 1, None, ANNA)) == 1
        with pytest.raises(MemoryCallbackError, match="function 'watch'"):
            await storages.take("goods", "secret", 1, -1, ANNA)
    assert seen == [("cough", 1, "anna", "goods"), ("secret", 1, "anna", "goods")]


async def test_a_wrong_item_refuses_the_whole_batch(declare: Declare, opened: Open) -> None:
    declare(storage_name="goods")
    wrong: list[tuple[Any, type[Exception]]] = [
        ({"text": "no id"}, InvalidIdError),
        ({"id": "../up"}, InvalidIdError),
        ({"id": ""}, InvalidIdError),
        ({"id": 5, "value": {1, 2}}, NotJsonError),
        ("text", NotJsonError),
    ]
    async with opened() as host:
        storages = host.memory.storages
        for item, error in wrong:
            with pytest.raises(error):
                await storages.upsert("goods", [GOODS[0], item], ANNA)
        assert await storages.list("goods", ANNA) == []
        await storages.upsert("goods", [], ANNA)
        with pytest.raises(UnknownNameError, match="did you mean 'goods'"):
            await storages.list("good", ANNA)


async def test_a_number_is_handed_out_once(declare: Declare, opened: Open) -> None:
    """kit:storage:create-numeric-index; the kit reserves nothing."""
    declare(storage_name="goods", default=[{"id": 7}, {"id": "99"}])
    numbers: list[int] = []

    async def draw(host: Any) -> None:
        numbers.append(await host.memory.storages.create_numeric_index("goods", ANNA))

    async with opened() as first, opened() as second, anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(draw, first)
            group.start_soon(draw, second)
    async with opened() as host:
        await host.memory.storages.clear("goods", ANNA)
        await draw(host)
    assert sorted(numbers) == list(range(8, 19))


async def test_two_hosts_see_one_another(declare: Declare, opened: Open) -> None:
    declare(storage_name="goods", shared=True)
    async with opened() as first, opened() as second:
        one, two = first.memory.storages, second.memory.storages
        await one.upsert("goods", GOODS[0], EVERYBODY)
        assert await two.take("goods", "headache", 1, None, ANNA) == [GOODS[0]]
        changed = {"id": 1, "text": "Gummy bears"}
        await two.upsert("goods", [changed, GOODS[1]], EVERYBODY)
        assert await one.take("goods", "gummy bear", 1, 0.1, BERT) == [changed]
        assert await one.take("goods", "headache", 5, 0.3, BERT) == []
        async with anyio.create_task_group() as group:
            for number in range(100, 120):
                group.start_soon(one.upsert, "goods", {"id": number}, EVERYBODY)
                group.start_soon(two.upsert, "goods", {"id": number + 100}, EVERYBODY)
        for storages in (one, two):
            assert len(await storages.list("goods", EVERYBODY)) == 42


async def test_more_clients_than_fit_in_memory_are_all_served(
    declare: Declare, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swarm.memory.storages._MOST_LOADED", 2)
    declare(storage_name="goods")
    clients = [Owner("shop", f"client {number}") for number in range(5)]

    async def use(host: Any, owner: Owner) -> None:
        for step in range(3):
            await host.memory.storages.upsert("goods", {"id": step, "text": owner[1]}, owner)
        found = await host.memory.storages.take("goods", "client", 9, -1, owner)
        assert [item["text"] for item in found] == [owner.client_id] * 3

    async with opened() as host, anyio.create_task_group() as group:
        for owner in clients * 2:
            group.start_soon(use, host, owner)
