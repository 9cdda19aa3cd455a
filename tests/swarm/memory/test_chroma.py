"""The vectors of storages in an embedded Chroma: on disk, derived, made anew when lost."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from swarm import override_storage, use_catalog
from swarm.chroma import ChromaFolder
from swarm.errors import MissingExtraError, StoreError, require
from swarm.memory import MemoryCallbackError
from swarm.memory.cells import CellKey
from swarm.memory.chroma import ChromaIndex
from swarm.memory.owner import EVERYBODY, Owner
from swarm.memory.vectors import pack_vector
from swarm.vector_index import Entry
from tests.swarm.memory.conftest import Declare, Open
from tests.swarm.program import Program

ANNA, BERT = Owner("shop", "anna"), Owner("shop", "bert")
GOODS: list[dict[str, Any]] = [{"id": n, "text": text} for n, text in enumerate("abc")]
KEY = CellKey("storage", "goods", "", "")


def _embedding(calls: list[str]) -> Any:
    def create(texts: list[str]) -> list[list[float]]:
        calls.extend(texts)
        return [[float(ord(text[0])), 1.0] for text in texts]

    return create


@pytest.mark.anyio
async def test_vectors_outlive_the_host_and_nothing_is_embedded_twice(
    declare: Declare, opened: Open
) -> None:
    calls: list[str] = []
    declare(embedding_name="own", create=_embedding(calls), persist=False, similarity="dot")
    declare(storage_name="goods", embedding="own", shared=True, vectors="chroma")
    async with opened() as host:
        await host.memory.storages.upsert("goods", GOODS, EVERYBODY)
    assert calls == ["a", "b", "c"]
    async with opened() as host:
        (best,) = await host.memory.storages.take("goods", "z", 1, None, EVERYBODY)
        assert best == GOODS[2]
    assert calls[3:] == ["z"]


@pytest.mark.anyio
async def test_a_lost_folder_is_made_anew(program: Program, declare: Declare, opened: Open) -> None:
    declare(storage_name="goods", vectors="chroma")
    folder = program.home / "memory" / "chroma"
    async with opened() as host:
        storages = host.memory.storages
        await storages.upsert("goods", GOODS, ANNA)
        assert folder.is_dir()
        shutil.rmtree(folder)
        assert await storages.take("goods", "b", 1, 0.9, ANNA) == [GOODS[1]]
    shutil.rmtree(folder)
    folder.write_text("no folder", encoding="utf-8")
    async with opened() as host:
        storages = host.memory.storages
        await storages.upsert("goods", {"id": 9, "text": "d"}, ANNA)
        with pytest.raises(StoreError, match="delete the folder, it is made anew"):
            await storages.take("goods", "d", 1, None, ANNA)
        folder.unlink()
        (found,) = await storages.take("goods", "d", 1, 0.9, ANNA)
        assert found["id"] == 9


@pytest.mark.anyio
async def test_another_embedding_replaces_the_vectors(declare: Declare, opened: Open) -> None:
    calls: list[str] = []
    declare(embedding_name="own", create=_embedding(calls))
    declare(storage_name="goods", embedding="own", vectors="chroma", default=GOODS)
    async with opened() as host:
        await host.memory.storages.take("goods", "a", 1, None, ANNA)
        with use_catalog(host.catalog), override_storage("goods", embedding="hash"):
            storages = host.memory.storages
            assert await storages.take("goods", "c", 1, 0.9, ANNA) == [GOODS[2]]


@pytest.mark.anyio
async def test_vectors_of_another_length_are_told(declare: Declare, opened: Open) -> None:
    length = [2]

    def create(texts: list[str]) -> list[list[float]]:
        return [[1.0] * length[0] for _ in texts]

    declare(embedding_name="own", create=create, persist=False)
    declare(storage_name="goods", embedding="own", vectors="chroma")
    async with opened() as host:
        storages = host.memory.storages
        await storages.upsert("goods", GOODS, ANNA)
        length[0] = 3
        with pytest.raises(MemoryCallbackError, match="length 3, among vectors of length 2"):
            await storages.take("goods", "a", 1, None, ANNA)
        await storages.clear("goods", ANNA)
        assert await storages.take("goods", "a", 1, None, ANNA) == []
        await storages.upsert("goods", GOODS[:1], ANNA)
        assert await storages.take("goods", "a", 1, None, ANNA) == GOODS[:1]


@pytest.mark.anyio
async def test_without_the_library_it_says_which_extra_brings_it(
    declare: Declare, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "chromadb", None)
    declare(storage_name="goods", vectors="chroma")
    async with opened() as host:
        with pytest.raises(MissingExtraError, match=r"wikiswarm\[chroma\]"):
            await host.memory.storages.take("goods", "a", 1, None, ANNA)


def test_vectors_that_a_killed_process_left_half_written_are_made_anew(tmp_path: Path) -> None:
    folder = ChromaFolder(tmp_path)
    index = ChromaIndex(folder, KEY, "x")
    entry = Entry("text", [pack_vector([1, 0]), pack_vector([0, 1])])
    index.put({"a": entry, "b": Entry("other", [pack_vector([1, 1])])})
    folder.close()
    client: Any = require("chromadb", extra="chroma").PersistentClient(str(tmp_path))
    (collection,) = client.list_collections()
    client.get_collection(collection.name, embedding_function=None).delete(ids=["a#1"])
    client.close()
    again = ChromaIndex(ChromaFolder(tmp_path), KEY, "x")
    assert again.sync({"a": "text", "b": "other"}) == ["a"]
    again.put({"a": entry})
    asked = pack_vector([0, 1])
    assert [one.key for one in again.search(asked, total=2, score=-1)] == ["a", "b"]


CHILD = """
import sys
from pathlib import Path
from tests.swarm.memory.test_chroma import fill

fill(Path(sys.argv[1]))
"""


def fill(folder: Path) -> None:
    """Put an item into an index, as another process."""
    index = ChromaIndex(ChromaFolder(folder), KEY, "x")
    assert index.sync({"a": "text", "b": "other"}) == ["b"]
    index.put({"b": Entry("other", [pack_vector([0, 1])])})


def test_what_another_process_wrote_is_seen(tmp_path: Path) -> None:
    folder = ChromaFolder(tmp_path)
    index = ChromaIndex(folder, KEY, "x")
    index.put({"a": Entry("text", [pack_vector([1, 0])])})
    assert [one.key for one in index.search(pack_vector([0, 1]), total=1, score=-1)] == ["a"]
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", CHILD, str(tmp_path)], cwd=root, check=True)
    assert [one.key for one in index.search(pack_vector([0, 1]), total=1, score=-1)] == ["b"]
    assert index.sync({"a": "text", "b": "other", "c": "new"}) == ["c"]
    folder.close()


def test_thousands_of_items_are_written_and_removed_in_batches(tmp_path: Path) -> None:
    folder = ChromaFolder(tmp_path)
    index = ChromaIndex(folder, KEY, "x")
    texts = {str(number): f"text {number}" for number in range(2500)}
    index.put({k: Entry(t, [pack_vector([float(k), 1.0])]) for k, t in texts.items()})
    assert len(index.search(pack_vector([1, 0]), total=50, score=-1)) == 50
    left = dict(list(texts.items())[:5])
    assert index.sync(left) == []
    found = index.search(pack_vector([1, 0]), total=50, score=-1)
    assert {one.key for one in found} == set(left)
    folder.close()
