"""Finding the items of storages by their meaning: what is embedded, and which index holds it."""

import functools
import logging
from array import array
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import anyio
import anyio.to_thread

from swarm.chroma import ChromaFolder
from swarm.errors import StoreError
from swarm.extension import Services
from swarm.functions import reason_of
from swarm.memory.calling import ask, failure_of
from swarm.memory.cells import CellKey
from swarm.memory.chroma import ChromaIndex
from swarm.memory.embeddings import Embeddings
from swarm.memory.errors import MemoryCallbackError
from swarm.memory.index import ExactIndex
from swarm.memory.owner import Owner
from swarm.memory.specs import StorageSpec
from swarm.memory.values import decode_value
from swarm.vector_index import Entry, Found, VectorIndex

__all__ = ["ChromaHome", "Searches"]

_MOST_INDEXES = 256
"""Indexes of storages that are held in memory, between two calls."""

_log = logging.getLogger("wikiswarm")

Result = TypeVar("Result")


class ChromaHome:
    """The one Chroma folder of a host, made at its first use."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._folder: ChromaFolder | None = None
        self.threads = anyio.CapacityLimiter(1)
        """It serves one caller at a time, and the others must not hold all worker threads."""

    def folder(self) -> ChromaFolder:
        """Return the folder.

        Raises:
            MissingExtraError: Chroma is not installed.
        """
        if self._folder is None:
            self._folder = ChromaFolder(self._services.home / "memory" / "chroma")
        return self._folder

    async def aclose(self) -> None:
        """Let go of its files."""
        if self._folder is not None:
            await anyio.to_thread.run_sync(self._folder.close)


class Searches:
    """The indexes of a host's storages, and the embeddings that fill them."""

    def __init__(self, embeddings: Embeddings, chroma: ChromaHome) -> None:
        self._embeddings = embeddings
        self._chroma = chroma
        self._indexes: OrderedDict[CellKey, tuple[str, VectorIndex]] = OrderedDict()
        """With what each was made of."""

    async def embed(self, spec: StorageSpec, search: str) -> "array[float]":
        """Return the vector of what is searched for."""
        (asked,) = await self._embeddings.embed(spec.embedding, [search], is_search=True)
        return asked

    async def entries(
        self, spec: StorageSpec, key: CellKey, texts: Mapping[str, str]
    ) -> dict[str, Entry]:
        """Return items with their vectors: one for each text that `index` names."""
        named = {item: await _named_texts(spec, key, text) for item, text in texts.items()}
        flat = [text for its in named.values() for text in its]
        vectors = iter(await self._embeddings.embed(spec.embedding, flat, is_search=False))
        return {
            item: Entry(texts[item], [next(vectors) for _ in its]) for item, its in named.items()
        }

    async def put(self, spec: StorageSpec, key: CellKey, entries: Mapping[str, Entry]) -> None:
        """Bring items into the index; where that fails, the next search tries it again."""
        index = self._index(spec, key)
        try:
            await self._call(index, functools.partial(index.put, entries))
        except (ValueError, StoreError) as wrong:
            _log.warning("the index of %s is behind until its next search: %s", key.place, wrong)

    async def search(
        self,
        spec: StorageSpec,
        key: CellKey,
        texts: Mapping[str, str],
        asked: "array[float]",
        total: int,
        score: float,
    ) -> list[Found]:
        """Return the best of the items, the best first; the index is brought up to date before.

        Raises:
            MemoryCallbackError: The vectors differ in length, or `get_similarity` failed.
            StoreError: The folder of Chroma cannot be read or written.
        """
        index = self._index(spec, key)
        missing = await self._call(index, functools.partial(index.sync, texts))
        entries = await self.entries(spec, key, {item: texts[item] for item in missing})
        look = functools.partial(index.search, asked, total=total, score=score)
        try:
            if entries:
                await self._call(index, functools.partial(index.put, entries))
            found = await self._call(index, look)
        except ValueError as wrong:
            what = f"embedding {spec.embedding!r} of {key.place}"
            reason = f"{wrong}; change its `version` whenever it changes"
            raise MemoryCallbackError(what, reason) from wrong
        except StoreError:
            raise
        except (Exception, SystemExit) as error:
            compare = self._embeddings.spec(spec.embedding).get_similarity or index.search
            raise failure_of(compare, "get_similarity", key.place, reason_of(error)) from error
        # Another process may have put something into a folder that both use.
        return [one for one in found if one.key in texts]

    async def tell(self, spec: StorageSpec, search: str, scores: Mapping[str | int, float]) -> None:
        """Tell the embedding's observer what a search found."""
        await self._embeddings.compared(spec.embedding, search, scores)

    def forget(self, owner: Owner) -> None:
        """Free the memory that an owner's indexes take."""
        for key in [k for k in self._indexes if (k.swarm_name, k.client_id) == owner]:
            del self._indexes[key]

    def _index(self, spec: StorageSpec, key: CellKey) -> VectorIndex:
        embedding = self._embeddings.spec(spec.embedding)
        is_cosine = embedding.similarity == "cosine"
        made_of = f"{spec.vectors} {embedding.similarity} {embedding.get_similarity!r}"
        made_of += f" {embedding.source}"
        known = self._indexes.get(key)
        if known is None or known[0] != made_of:
            index: VectorIndex
            if spec.vectors == "chroma":
                index = ChromaIndex(
                    self._chroma.folder(), key, embedding.source, is_cosine=is_cosine
                )
            else:
                index = ExactIndex(embedding.get_similarity, is_cosine=is_cosine)
            known = self._indexes[key] = (made_of, index)
        self._indexes.move_to_end(key)
        while len(self._indexes) > _MOST_INDEXES:
            self._indexes.popitem(last=False)
        return known[1]

    async def _call(self, index: VectorIndex, work: Callable[[], Result]) -> Result:
        if not index.is_blocking:
            return work()
        return await anyio.to_thread.run_sync(work, limiter=self._chroma.threads)


async def _named_texts(spec: StorageSpec, key: CellKey, text: str) -> list[str]:
    # A fresh item: what the user's function does to it must not reach anybody.
    item = cast("dict[str, Any]", decode_value(text))
    if spec.index is None:
        return [" ".join(v for k, v in item.items() if k != "id" and isinstance(v, str))]
    made = await ask(spec.index, item, role="index", place=key.place)
    if isinstance(made, str):
        return [made]
    texts = list(cast("Mapping[str, Any]", made).values()) if isinstance(made, Mapping) else None
    if texts is None or not all(isinstance(text, str) for text in texts):
        reason = "it returns neither a text nor a mapping of texts"
        raise failure_of(spec.index, "index", key.place, reason)
    return texts
