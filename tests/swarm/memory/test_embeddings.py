"""Embeddings: in batches, nothing twice, the built-in ones."""

import math
import sys
from collections.abc import Sequence

import pytest

from swarm.errors import MissingExtraError, UnknownNameError
from swarm.memory.hashing import DIMENSIONS, hash_texts
from swarm.memory.owner import Owner
from tests.swarm.memory.conftest import Declare, Open

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
