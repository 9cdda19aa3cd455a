"""Search by an embedded Chroma: vectors lie on disk and are not all compared.

A collection follows one storage of one owner. It is derived: an item whose text differs from the
one that its vectors were made of is forgotten at the next `sync`.
"""

import hashlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swarm.chroma import ChromaFolder
from swarm.memory.cells import CellKey
from swarm.memory.index import other_length, scale_vector
from swarm.vector_index import Entry, Found

__all__ = ["ChromaIndex"]


@dataclass(slots=True)
class _Held:
    digest: str
    count: int
    """Its vectors."""
    text: str | None = None
    """Known once it was compared, so that it is hashed once."""


class ChromaIndex:
    """The vectors of one storage of one owner; see `VectorIndex`."""

    is_blocking = True

    def __init__(
        self, folder: ChromaFolder, key: CellKey, source: str, *, is_cosine: bool = True
    ) -> None:
        """Name a collection; it is opened when it is needed.

        Args:
            folder: Where Chroma keeps it.
            key: Whose it is.
            source: What makes the vectors; those of another source are dropped.
            is_cosine: Compare directions, not lengths.
        """
        self._folder = folder
        self._name = f"storage-{_digest(chr(0).join(key))}"
        self._source = _digest(f"{source}\0{is_cosine}")
        self._is_cosine = is_cosine
        self._stamp: tuple[int, int] | None = None
        """Of the collection, when `_held` was what it holds."""
        self._held: dict[str, _Held] = {}
        self._length = 0

    def sync(self, items: Mapping[str, str]) -> list[str]:
        """Forget what is gone or has changed; see `VectorIndex.sync`.

        Raises:
            StoreError: The folder cannot be read or written.
        """
        with self._folder.opened():
            collection = self._open()
            stale = [key for key, held in self._held.items() if not _is_same(held, items.get(key))]
            self._remove(collection, stale)
        return [key for key in items if key not in self._held]

    def put(self, entries: Mapping[str, Entry]) -> None:
        """Keep the vectors of items; see `VectorIndex.put`.

        Raises:
            StoreError: The folder cannot be read or written.
        """
        if not entries:
            return
        with self._folder.opened():
            collection = self._open()
            lengths = {len(v) for entry in entries.values() for v in entry.vectors}
            known = {self._length} if self._length else lengths
            other = next((length for length in lengths if {length} != known), 0)
            if not other:
                self._remove(collection, [key for key in entries if key in self._held])
                self._write(entries)
                self._length = next(iter(lengths), self._length)
        if other:
            raise other_length(other, known)

    def search(self, vector: "array[float]", *, total: int, score: float) -> list[Found]:
        """Return the best items; see `VectorIndex.search`.

        Raises:
            StoreError: The folder cannot be read.
        """
        with self._folder.opened():
            collection = self._open()
            most = max((held.count for held in self._held.values()), default=0)
            if total < 1 or not most:
                return []
            is_fit = len(vector) == self._length
            found: Any = is_fit and collection.query(
                query_embeddings=[self._numbers(vector)],
                # All of one item's vectors may be nearer than any of the next one's.
                n_results=min(total * most, sum(held.count for held in self._held.values())),
                include=["distances", "metadatas"],
            )
        if not is_fit:
            raise other_length(len(vector), {self._length})
        best: dict[str, float] = {}
        for fields, distance in zip(found["metadatas"][0], found["distances"][0], strict=True):
            best.setdefault(str(fields["item"]), 1.0 - float(distance))
        return [Found(*pair) for pair in best.items() if pair[1] >= score][:total]

    def _open(self) -> Any:
        collection = self._folder.collection(self._name, "ip", self._source)
        if self._stamp == self._folder.stamp(self._name):
            return collection
        found: Any = collection.get(include=["metadatas"])
        self._held.clear()
        whole: dict[str, int] = {}
        for fields in found["metadatas"] or ():
            key = str(fields["item"])
            self._held.setdefault(key, _Held(str(fields["digest"]), 0)).count += 1
            whole[key] = int(fields["of"])
        for key, held in self._held.items():
            if held.count != whole[key]:
                held.digest = ""  # whoever wrote it was killed; the next sync forgets it
        self._length = 0
        if self._held:
            first: Any = collection.get(limit=1, include=["embeddings"])["embeddings"]
            self._length = len(first[0])
        self._stamp = self._folder.stamp(self._name)
        return collection

    def _remove(self, collection: Any, keys: Sequence[str]) -> None:
        gone = [key for key in keys if self._held[key].count]
        if gone:
            self._folder.will_write(self._name)
        batch = self._folder.batch
        for start in range(0, len(gone), batch):
            collection.delete(where={"item": {"$in": gone[start : start + batch]}})
        for key in keys:
            del self._held[key]
        if self._length and not any(held.count for held in self._held.values()):
            # A collection keeps its vectors' length for ever; the next ones may have another.
            self._folder.delete(self._name)
            self._length = 0
        self._stamp = self._folder.stamp(self._name)

    def _write(self, entries: Mapping[str, Entry]) -> None:
        # Fetched anew: it may have started over just now.
        collection = self._folder.collection(self._name, "ip", self._source)
        rows = [
            (f"{key}#{number}", self._numbers(vector), _row(key, entry))
            for key, entry in entries.items()
            for number, vector in enumerate(entry.vectors)
        ]
        if rows:
            self._folder.will_write(self._name)
        batch = self._folder.batch
        for start in range(0, len(rows), batch):
            ids, vectors, fields = zip(*rows[start : start + batch], strict=True)
            collection.upsert(ids=list(ids), embeddings=list(vectors), metadatas=list(fields))
        for key, entry in entries.items():
            self._held[key] = _Held(_digest(entry.text), len(entry.vectors), entry.text)
        self._stamp = self._folder.stamp(self._name)

    def _numbers(self, vector: "array[float]") -> list[float]:
        return (scale_vector(vector) if self._is_cosine else vector).tolist()


def _row(key: str, entry: Entry) -> dict[str, str | int]:
    return {"item": key, "digest": _digest(entry.text), "of": len(entry.vectors)}


def _is_same(held: _Held, text: str | None) -> bool:
    if text is None:
        return False
    if held.text is None and held.digest == _digest(text):
        held.text = text
    return held.text == text


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()
