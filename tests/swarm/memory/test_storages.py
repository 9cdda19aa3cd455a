"""Storages: items found by their meaning, changed as a whole or not at all."""

import copy
from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from swarm.errors import InvalidIdError, UnknownNameError, ValidationError
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


@pytest.fixture(params=["exact", "chroma"])
def vectors(request: pytest.FixtureRequest) -> str:
    """Each back end; storages behave the same on both."""
    return str(request.param)


@pytest.mark.parametrize("persist", [True, False])
async def test_items_are_found_changed_and_removed(
    declare: Declare, opened: Open, vectors: str, persist: bool
) -> None:
    """kit:storage:take, upsert, remove, get, list, clear."""
    if vectors == "chroma" and not persist:
        with pytest.raises(ValidationError, match="it needs `persist`"):
            declare(storage_name="goods", persist=persist, vectors=vectors)
        return
    declare(storage_name="goods", persist=persist, vectors=vectors)
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


async def test_an_index_may_name_several_texts_of_an_item(
    declare: Declare, opened: Open, vectors: str
) -> None:
    """kit:storage:create-index; the best of the vectors counts."""

    async def index(item: dict[str, Any]) -> dict[str, str]:
        item["text"] = "an index changes nothing"
        return {"name": item["name"], "use": item["use"]}

    declare(storage_name="goods", index=index, vectors=vectors)
    async with opened() as host:
        storages = host.memory.storages
        aspirin = {"id": 1, "name": "aspirin", "use": "headache fever pain"}
        cream = {"id": 2, "name": "cream", "use": "sun skin summer"}
        await storages.upsert("goods", [aspirin, cream], ANNA)
        for search in ("aspirin", "fever"):
            assert await storages.take("goods", search, 1, 0.4, ANNA) == [aspirin]
        assert await storages.list("goods", ANNA) == [aspirin, cream]


@pytest.mark.parametrize("place", ["index", "create", "length", "count", "index-type"])
async def test_a_function_that_fails_changes_nothing_and_is_named(
    declare: Declare, opened: Open, vectors: str, place: str
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
    declare(storage_name="goods", embedding="own", index=index, vectors=vectors)
    async with opened() as host:
        storages = host.memory.storages
        await storages.upsert("goods", GOODS[:1], ANNA)
        fails[0] = True
        with pytest.raises(MemoryCallbackError) as caught:
            await storages.upsert("goods", GOODS[1:], ANNA)
        what = "create 'create' of embedding 'own' failed: "
        if place.startswith("index"):
            what = "index 'index' of storage 'goods' failed: "
        assert str(caught.value).startswith(what)
        assert await storages.list("goods", ANNA) == GOODS[:1]
        fails[0] = False
        await storages.upsert("goods", GOODS[1:], ANNA)
        assert await storages.list("goods", ANNA) == GOODS


@pytest.mark.requirement("kit:memory:callbacks")
async def test_observers_are_told_and_harm_nothing(
    declare: Declare, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """kit:storage:callbacks, kit:embedding:callbacks."""
    told: list[tuple[Any, ...]] = []

    def telling(event: str) -> Any:
        def tell(*values: Any) -> None:
            told.append((event, *copy.deepcopy(values)))
            for value in values:
                if isinstance(value, list | dict):
                    value.clear()
            raise ValueError(f"{event} is broken")

        return tell

    def create(texts: list[str]) -> list[list[float]]:
        return [[float("cough" in text), float("Sun" in text)] for text in texts]

    events = ("on_init", "on_search", "on_update", "on_dispose")
    seen = {event: telling(event) for event in ("on_create", "on_compare")}
    declare(embedding_name="own", create=create, callbacks=seen)
    callbacks = {event: telling(event) for event in events}
    declare(storage_name="goods", embedding="own", callbacks=callbacks)
    async with opened() as host:
        storages = host.memory.storages
        await storages.upsert("goods", GOODS[1:], ANNA)
        assert await storages.take("goods", "cough", 1, 0.5, ANNA) == [GOODS[1]]
        assert await storages.remove("goods", 2, ANNA)
        assert not await storages.remove("goods", 2, ANNA)
        assert await storages.list("goods", ANNA) == [GOODS[2]]
        await storages.clear("goods", ANNA)
        await host.memory.dispose(*ANNA)
    names = ("anna", "goods")
    texts = [item["text"] for item in GOODS[1:]]
    assert told == [
        ("on_init", *names),
        ("on_create", texts, [[1.0, 0.0], [0.0, 1.0]], "own"),
        ("on_update", GOODS[1:], *names),
        ("on_create", ["cough"], [[1.0, 0.0]], "own"),
        ("on_compare", "cough", {2: 1.0}, "own"),
        ("on_search", "cough", [GOODS[1]], *names),
        ("on_update", GOODS[2:], *names),
        ("on_update", [], *names),
        ("on_dispose", *names),
    ]
    assert "callback 'tell' of storage 'goods' failed" in caplog.text
    assert "callback 'tell' of embedding 'own' failed" in caplog.text


@pytest.mark.requirement("kit:memory:own-store")
async def test_a_store_of_ones_own_takes_the_place_of_the_database(
    declare: Declare, opened: Open, vectors: str
) -> None:
    """kit:storage:get-data, kit:storage:set-data."""
    shelf: dict[str, Any] = {}
    fails = [False]

    def get(client_id: str, storage_name: str) -> Any:
        return shelf.get(client_id)

    async def keep(client_id: str, storage_name: str, items: list[Any]) -> None:
        if fails[0]:
            raise ConnectionError("the shelf is gone")
        shelf[client_id] = items

    own: dict[str, Any] = {"get_data": get, "set_data": keep, "vectors": vectors}
    declare(storage_name="goods", default=GOODS[:1], **own)
    async with opened() as host:
        storages = host.memory.storages
        assert await storages.list("goods", ANNA) == GOODS[:1]
        await storages.upsert("goods", GOODS[1:], ANNA)
        assert shelf == {"anna": GOODS}
        assert await storages.take("goods", "dry cough", 1, None, ANNA) == [GOODS[1]]
        shelf["anna"] = [GOODS[0], {"id": 2, "text": "Gummy bears"}, {"id": 8, "text": "Tea"}]
        assert await storages.take("goods", "gummy bear", 1, 0.1, ANNA) == [shelf["anna"][1]]
        assert await storages.take("goods", "sun cream", 5, 0.3, ANNA) == []
        assert [await storages.create_numeric_index("goods", ANNA) for _ in range(2)] == [9, 10]
        fails[0] = True
        with pytest.raises(MemoryCallbackError, match=r"'keep' of storage 'goods'.*is gone"):
            await storages.remove("goods", 8, ANNA)
        fails[0] = False
        assert await storages.remove("goods", 8, ANNA)
        await storages.clear("goods", ANNA)
        assert shelf == {"anna": []}
        assert await storages.list("goods", ANNA) == []
    shelf["bert"] = "no list"
    async with opened() as host:
        with pytest.raises(
            MemoryCallbackError, match=r"'get' of storage 'goods'.*no list of items"
        ):
            await host.memory.storages.list("goods", BERT)


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


async def test_two_hosts_see_one_another(declare: Declare, opened: Open, vectors: str) -> None:
    declare(storage_name="goods", shared=True, vectors=vectors)
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
    declare: Declare, opened: Open, vectors: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swarm.memory.storages._MOST_LOADED", 2)
    monkeypatch.setattr("swarm.memory.searches._MOST_INDEXES", 2)
    declare(storage_name="goods", vectors=vectors)
    clients = [Owner("shop", f"client {number}") for number in range(5)]

    async def use(host: Any, owner: Owner) -> None:
        for step in range(3):
            await host.memory.storages.upsert("goods", {"id": step, "text": owner[1]}, owner)
        found = await host.memory.storages.take("goods", "client", 9, -1, owner)
        assert [item["text"] for item in found] == [owner.client_id] * 3

    async with opened() as host, anyio.create_task_group() as group:
        for owner in clients * 2:
            group.start_soon(use, host, owner)
