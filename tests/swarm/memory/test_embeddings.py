"""Embeddings: in batches, nothing twice, the built-in ones."""

import math
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from swarm import Host
from swarm.errors import MissingExtraError, UnknownNameError
from swarm.memory import MemoryCallbackError
from swarm.memory.hashing import DIMENSIONS, hash_texts
from swarm.memory.owner import Owner
from tests.swarm.memory.conftest import Declare, Open, giving

ANNA = Owner("shop", "anna")


@pytest.mark.anyio
async def test_texts_are_embedded_in_batches_and_never_twice(
    declare: Declare, opened: Open
) -> None:
    """kit:embedding:cache, by the sha256 of the text."""
    batches: list[list[str]] = []

    async def create(texts: list[str]) -> list[list[float]]:
        batches.append(list(texts))
        return [[len(text), 1.0] for text in texts]

    declare(embedding_name="own", create=create, batch_size=2)
    declare(storage_name="goods", embedding="own")
    texts = ["a", "bb", "a", "ccc", "dddd"]
    items = [{"id": n, "text": text} for n, text in enumerate(texts)]
    async with opened() as host:
        await host.memory.storages.upsert("goods", items, ANNA)
        assert batches == [["a", "bb"], ["ccc", "dddd"]]
        await host.memory.storages.upsert("goods", items, Owner("shop", "bert"))
    async with opened() as host:
        found = await host.memory.storages.take("goods", "bb", 1, None, ANNA)
        assert [item["id"] for item in found] == [1]
        assert len(batches) == 2, "the search was known too"
        await host.memory.storages.take("goods", "new", 1, None, ANNA)
        await host.memory.storages.take("goods", "new", 1, None, ANNA)
    assert batches[2:] == [["new"], ["new"]], "what is searched for is not kept"


@pytest.mark.anyio
async def test_a_new_version_forgets_the_old_vectors(declare: Declare, opened: Open) -> None:
    calls: list[str] = []

    def create(texts: Sequence[str]) -> list[list[float]]:
        calls.extend(texts)
        return [[1.0] for _ in texts]

    declare(embedding_name="one", create=create)
    declare(embedding_name="two", create=create, version="2")
    declare(embedding_name="none", create=create, persist=False)
    async with opened() as host:
        for name in ("one", "two", "none", "one", "two", "none"):
            await host.memory.embeddings.embed(name, [name], is_search=False)
        with pytest.raises(UnknownNameError):
            await host.memory.embeddings.embed("three", ["x"], is_search=False)
    assert calls == ["one", "two", "none", "none"]


def test_hashed_words_find_other_forms_and_nothing_else() -> None:
    near, same, other, empty = hash_texts(
        ["Something against headaches", "a headache remedy", "sun cream for children", "!?"]
    )
    assert len(near) == DIMENSIONS
    assert sum(map(abs, empty)) == 0
    assert math.isclose(sum(value * value for value in near), 1.0)
    assert _product(near, same) > 2 * abs(_product(near, other))
    # Kept vectors are read again by other processes and machines.
    assert hash_texts(["Ärzte"])[0] == hash_texts(["ärzte"])[0]
    assert [n for n, value in enumerate(hash_texts(["a"])[0]) if value] == [217, 279]


@pytest.mark.requirement("kit:memory:vectors-kept")
@pytest.mark.anyio
async def test_a_cache_of_ones_own_takes_the_place_of_the_database(
    declare: Declare, opened: Open
) -> None:
    """kit:embedding:read-cache, kit:embedding:write-cache; keyed by the sha256."""
    kept: dict[str, list[float]] = {}
    calls: list[str] = []

    def create(texts: list[str]) -> list[list[float]]:
        calls.extend(texts)
        return [[1.0, float(len(text))] for text in texts]

    def read(hashes: list[str], embedding_name: str) -> dict[str, list[float]]:
        assert embedding_name == "own"
        return {key: kept[key] for key in hashes if key in kept}

    async def write(vectors: dict[str, list[float]], embedding_name: str) -> None:
        kept.update(vectors)

    cache: dict[str, Any] = {"read_embedding_cache": read, "write_embedding_cache": write}
    declare(embedding_name="own", create=create, **cache)
    declare(embedding_name="odd", create=create, **cache | {"read_embedding_cache": giving([1])})
    declare(embedding_name="bad", create=create, **cache | {"read_embedding_cache": read_nothing})
    for _ in range(2):
        async with opened() as host:
            embeddings = host.memory.embeddings
            vectors = await embeddings.embed("own", ["a", "bb"], is_search=False)
            assert [vector.tolist() for vector in vectors] == [[1, 1], [1, 2]]
            assert await _count(host) is None, "the database is not used"
    assert calls == ["a", "bb"]
    assert [len(key) for key in kept] == [64, 64]
    async with opened() as host:
        for name, reason in (("odd", "no mapping of vectors"), ("bad", "what is no vector")):
            with pytest.raises(MemoryCallbackError, match=reason):
                await host.memory.embeddings.embed(name, ["a"], is_search=False)


def read_nothing(hashes: list[str], embedding_name: str) -> dict[str, list[float]]:
    """Know everything, as a vector without numbers."""
    return {key: [] for key in hashes}


async def _count(host: Host) -> int | None:
    """Return how many vectors the database has; None without a table."""

    def work(connection: Any) -> int | None:
        query = "SELECT count(*) FROM sqlite_master WHERE name = 'memory_embeddings'"
        if not connection.exec_driver_sql(query).scalar():
            return None
        return connection.exec_driver_sql("SELECT count(*) FROM memory_embeddings").scalar()

    return await host.database.run(work)


@pytest.mark.anyio
async def test_vectors_that_nobody_uses_are_dropped(
    declare: Declare, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swarm.memory.vectors._MOST_VECTORS", 4)
    monkeypatch.setattr("swarm.memory.vectors._TRIM_AFTER", 1)
    now = [1_000_000.0]
    monkeypatch.setattr("swarm.memory.vectors.time.time", lambda: now[0])
    calls: list[str] = []

    def create(texts: list[str]) -> list[list[float]]:
        calls.extend(texts)
        return [[1.0] for _ in texts]

    declare(embedding_name="own", create=create)
    async with opened() as host:

        async def embed(*texts: str) -> None:
            now[0] += 4000
            await host.memory.embeddings.embed("own", texts, is_search=False)

        for text in "abcd":
            await embed(text)
        await embed("a")
        await embed("e", "f")
        assert await _count(host) == 4
        calls.clear()
        await embed("a")
        await embed("d", "e", "f")
        assert calls == [], "the ones that were used last are kept"
        await embed("b")
        assert calls == ["b"]
        now[0] += 200 * 24 * 3600
        await embed("g")
        assert await _count(host) == 1, "what nobody used for half a year is gone"


@pytest.mark.anyio
async def test_an_unknown_embedding_is_told_with_the_nearest_name(
    declare: Declare, opened: Open
) -> None:
    declare(storage_name="goods", embedding="wordlama")
    async with opened() as host:
        with pytest.raises(UnknownNameError, match="did you mean 'wordllama'"):
            await host.memory.storages.take("goods", "a", 1, None, ANNA)


@pytest.mark.anyio
async def test_an_embedding_whose_library_is_missing_says_which_extra_brings_it(
    declare: Declare, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wordllama", None)
    declare(storage_name="goods", embedding="wordllama")
    async with opened() as host:
        with pytest.raises(MissingExtraError, match=r"wikiswarm\[embeddings\]"):
            await host.memory.storages.upsert("goods", {"id": 1}, ANNA)
        assert await host.memory.storages.list("goods", ANNA) == []


@pytest.mark.anyio
async def test_wordllama_knows_related_words(declare: Declare, opened: Open) -> None:
    pytest.importorskip("wordllama")
    declare(storage_name="goods", embedding="wordllama")
    goods = [{"id": 1, "text": "cough syrup"}, {"id": 2, "text": "garden chair"}]
    async with opened() as host:
        await host.memory.storages.upsert("goods", goods, ANNA)
        found = await host.memory.storages.take("goods", "medicine", 1, None, ANNA)
        assert [item["id"] for item in found] == [1]


def _product(first: list[float], second: list[float]) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))
