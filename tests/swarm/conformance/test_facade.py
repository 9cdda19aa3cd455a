"""The facades: states, storages, computes and what a session notes down, through their verbs."""

from collections.abc import Mapping
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from swarm import (
    Compute,
    SharedCompute,
    SharedState,
    SharedStorage,
    State,
    Storage,
    add_compute,
    add_embedding,
    add_state,
    add_storage,
    read_session_memory,
    serialize,
    session,
    use_catalog,
    write_session_memory,
)
from swarm.errors import SwarmError
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio

SELLER: dict[str, Any] = {"client_id": "client", "agent_name": "seller"}


@pytest.mark.requirement("kit:facade:state", "kit:memory:queued", "kit:memory:clear")
async def test_a_state_of_a_client(program: Program) -> None:
    with use_catalog(program.catalog):
        add_state(state_name="count", default=0)

    async def add_one(old: Any) -> int:
        await anyio.lowlevel.checkpoint()
        return old + 1

    async def set_many() -> None:
        for _ in range(10):
            await State.set("count", add_one, **SELLER)

    program.agent(states=["count"])
    async with program.chat():
        assert await State.get("count", **SELLER) == 0
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(set_many)
        assert await State.get("count", **SELLER) == 50
        await State.clear("count", **SELLER)
        assert await State.get("count", **SELLER) == 0
    async with program.chat():
        assert await State.get("count", **SELLER) == 0, "persisted as cleared"


@pytest.mark.requirement("kit:facade:shared-state")
async def test_a_state_of_everybody(program: Program) -> None:
    with use_catalog(program.catalog):
        add_state(state_name="visits", default=0, shared=True)
    program.agent(states=["visits"])
    program.swarm()
    async with program.host() as host:
        async with session("one", "shop", host=host), session("two", "shop", host=host):
            for client_id in ("one", "two"):
                whose: Any = {"client_id": client_id, "agent_name": "seller"}
                await State.set("visits", lambda old: old + 1, **whose)
            assert await SharedState.get("visits") == 2
            assert await SharedState.set("visits", 7) == 7
        await SharedState.clear("visits")
        assert await SharedState.get("visits") == 0


@pytest.mark.requirement("kit:memory:middlewares")
async def test_middlewares_see_a_value_before_it_is_kept(program: Program) -> None:
    def double(value: Any, client_id: str, state_name: str) -> Any:
        return value * 2

    def at_most_ten(value: Any, client_id: str, state_name: str) -> None:
        if value > 10:
            raise ValueError("too many")

    with use_catalog(program.catalog):
        add_state(state_name="count", default=0, middlewares=[double, at_most_ten])
    program.agent(states=["count"])
    async with program.chat():
        assert await State.set("count", 3, **SELLER) == 6
        with pytest.raises(SwarmError, match="too many"):
            await State.set("count", 6, **SELLER)
        assert await State.get("count", **SELLER) == 6


@pytest.mark.requirement("kit:facade:storage", "kit:memory:score", "kit:memory:numbers-once")
async def test_a_storage_of_a_client(program: Program) -> None:
    with use_catalog(program.catalog):
        add_storage(storage_name="goods")
    program.agent(storages=["goods"])
    items = [
        {"id": 1, "text": "Aspirin against headaches"},
        {"id": 2, "text": "A plaster for small wounds"},
        {"id": 3, "text": "Aspirin for children"},
    ]
    async with program.chat():
        await Storage.upsert("goods", items, **SELLER)
        found = await Storage.take("goods", "aspirin", total=2, **SELLER)
        assert {item["id"] for item in found} == {1, 3}
        assert len(await Storage.take("goods", "aspirin", total=1, **SELLER)) == 1
        assert await Storage.take("goods", "aspirin", total=3, score=0.99, **SELLER) == []
        await Storage.upsert("goods", {"id": 1, "text": "Ibuprofen"}, **SELLER)
        assert await Storage.get("goods", 1, **SELLER) == {"id": 1, "text": "Ibuprofen"}
        assert await Storage.remove("goods", 2, **SELLER)
        assert [item["id"] for item in await Storage.list("goods", **SELLER)] == [1, 3]
        numbers: list[int] = []

        async def number() -> None:
            numbers.append(await Storage.create_numeric_index("goods", **SELLER))

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(number)
        assert sorted(numbers) == [4, 5, 6, 7, 8]
        await Storage.clear("goods", **SELLER)
        assert await Storage.list("goods", **SELLER) == []


@pytest.mark.requirement("kit:facade:shared-storage")
async def test_a_storage_of_everybody(program: Program) -> None:
    with use_catalog(program.catalog):
        add_storage(storage_name="faq", shared=True)
    program.agent(storages=["faq"])
    async with program.host():
        await SharedStorage.upsert("faq", {"id": "hours", "text": "Open from nine to five"})
        assert await SharedStorage.create_numeric_index("faq") == 1
    async with program.chat():
        (found,) = await Storage.take("faq", "open", total=5, **SELLER)
        assert found["id"] == "hours"
        assert await SharedStorage.remove("faq", "hours")
        assert await SharedStorage.get("faq", "hours") is None
        assert await SharedStorage.list("faq") == []


@pytest.mark.requirement("kit:memory:best-vector", "kit:memory:vectors-kept")
@pytest.mark.requirement("kit:memory:embedding")
async def test_an_item_is_found_by_its_best_text_and_embedded_once(program: Program) -> None:
    embedded: list[str] = []

    def embed(texts: list[str]) -> list[list[float]]:
        embedded.extend(texts)
        return [[1.0, 0.0] if "red" in text else [0.0, 1.0] for text in texts]

    def index(item: Mapping[str, Any]) -> dict[str, str]:
        return {"name": item["name"], "colour": item["colour"]}

    with use_catalog(program.catalog):
        add_embedding(embedding_name="colours", create=embed)
        add_storage(storage_name="paint", embedding="colours", index=index)
    program.agent(storages=["paint"])
    pots = [
        {"id": 1, "name": "Sunset", "colour": "red"},
        {"id": 2, "name": "Ocean", "colour": "blue"},
    ]
    for _ in range(2):
        async with program.chat():
            await Storage.upsert("paint", pots, **SELLER)
            (best, _) = await Storage.take("paint", "something red", total=2, score=-1, **SELLER)
            assert best["id"] == 1
    texts = [text for text in embedded if text != "something red"]
    assert sorted(texts) == ["Ocean", "Sunset", "blue", "red"]


def everything(client_id: str, compute_name: str) -> int:
    """Compute what all share."""
    return 42


@pytest.mark.requirement("kit:facade:compute", "kit:memory:compute-states")
async def test_a_compute_of_a_client(program: Program) -> None:
    computed: list[Any] = []

    async def total(client_id: str, compute_name: str) -> Any:
        computed.append(compute_name)
        return await State.get("count", client_id=client_id, agent_name="seller")

    with use_catalog(program.catalog):
        add_state(state_name="count", default=1)
        add_compute(compute_name="total", get=total, depends_on=["count"])
        add_compute(compute_name="all", get=everything, shared=True)
    program.agent(states=["count"])
    async with program.chat():
        for _ in range(2):
            assert await Compute.get("total", client_id="client") == 1
        await State.set("count", 2, **SELLER)
        assert await Compute.get("total", client_id="client") == 2
        assert len(computed) == 2
        await Compute.update("total", client_id="client")
        assert await Compute.get("total", client_id="client") == 2
        assert len(computed) == 3
        assert await SharedCompute.get("all") == 42
        await SharedCompute.update("all")


@pytest.mark.requirement("kit:memory:compute-middlewares")
async def test_middlewares_of_a_compute(program: Program) -> None:
    computed: list[str] = []

    def count(client_id: str, compute_name: str) -> int:
        computed.append(compute_name)
        return 20

    def double(value: Any, client_id: str, compute_name: str) -> Any:
        return value * 2

    with use_catalog(program.catalog):
        add_compute(compute_name="count", get=count, middlewares=[double, double])
    program.agent()
    async with program.chat():
        for _ in range(2):
            assert await Compute.get("count", client_id="client") == 80
    assert computed == ["count"]


@pytest.mark.requirement("kit:memory:embedding")
async def test_an_embedding_may_compare_by_itself(program: Program) -> None:
    def embed(texts: list[str]) -> list[list[float]]:
        return [[float(len(text))] for text in texts]

    def alike(first: list[float], second: list[float]) -> float:
        return 1.0 / (1.0 + abs(first[0] - second[0]))

    with use_catalog(program.catalog):
        add_embedding(embedding_name="length", create=embed, get_similarity=alike)
        add_storage(storage_name="words", embedding="length")
    program.agent(storages=["words"])
    words = [{"id": word, "text": word} for word in ("a", "abc", "abcdef")]
    async with program.chat():
        await Storage.upsert("words", words, **SELLER)
        found = await Storage.take("words", "xyz", total=2, **SELLER)
    assert [item["id"] for item in found] == ["abc", "a"]


@pytest.mark.requirement("kit:facade:session-memory")
async def test_a_sessions_scratch_memory(program: Program) -> None:
    read, write = read_session_memory, write_session_memory
    program.agent(steps=[])
    program.swarm("shop")
    program.swarm("office")
    async with program.host() as host:
        async with session("client", "shop", host=host):
            assert await read("client") is None
            await write("client", {"page": 1})
            assert await read("client") == {"page": 1}
        async with session("client", "office", host=host):
            assert await read("client") is None
        async with session("client", "shop", host=host):
            assert await read("client") == {"page": 1}


@pytest.mark.requirement("kit:facade:serialize")
def test_an_object_as_text_for_a_prompt() -> None:
    text = serialize({"unitPrice": 2.5, "in_stock": True, "note": "x" * 100})
    lines = text.split("\n")
    assert lines[0] == "Unit price: 2.5"
    assert lines[1].startswith("In stock: ")
    assert len(lines[2]) == len("Note: ") + 50
