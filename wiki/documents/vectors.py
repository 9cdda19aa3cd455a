"""Nearest passages by vector: exactly, in memory, or in an embedded Chroma collection.

Both follow a `PassageStore`. Chroma runs inside this process: no server, no telemetry, no
embedding function of its own.
"""

import hashlib
import importlib.util
import threading
from array import array
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from swarm.chroma import ChromaFolder
from swarm.errors import require
from wiki.documents.store import PassageStore

__all__ = ["Backend", "ChromaVectors", "ExactVectors", "Near", "Vectors", "open_vectors"]

Backend: TypeAlias = Literal["chroma", "exact"]
"""Where vectors are searched."""


class Near(NamedTuple):
    """A passage and how close it is."""

    id: int
    similarity: float
    """The cosine."""


class Vectors(Protocol):
    """Finds passages by their vectors; called from worker threads."""

    @property
    def name(self) -> Backend:
        """What reports and answers call it."""
        ...

    def sync(self) -> None:
        """Catch up with the store; may be cut short at any point and called again."""
        ...

    def search(self, vector: bytes, limit: int) -> list[Near]:
        """Return the nearest passages, the best first; some may be gone from the store."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


def open_vectors(backend: Backend | None, store: PassageStore, folder: Path) -> Vectors:
    """Return a back end; without a choice Chroma if it is installed, the exact one otherwise.

    Raises:
        MissingExtraError: The library of the chosen one is not installed.
    """
    if backend is None:
        backend = "chroma" if importlib.util.find_spec("chromadb") else "exact"
    return ChromaVectors(store, folder / "chroma") if backend == "chroma" else ExactVectors(store)


class ExactVectors:
    """All vectors in one matrix; nothing is approximated."""

    name: Backend = "exact"

    def __init__(self, store: PassageStore) -> None:
        self._numpy: Any = require("numpy", extra="documents")
        self._store = store
        self._generation = -1
        self._ids: list[int] = []
        self._matrix: Any = None
        # Invariant: ids and matrix are of one generation.
        self._lock = threading.Lock()

    def sync(self) -> None:
        """Do nothing: the matrix is read from the store when it has changed."""

    def search(self, vector: bytes, limit: int) -> list[Near]:
        """Return the nearest passages, the best first."""
        numpy = self._numpy
        with self._lock:
            generation = self._store.generation()
            if generation != self._generation:
                stored = self._store.vectors()
                self._ids = [row.id for row in stored]
                joined = b"".join(row.vector for row in stored)
                self._matrix = numpy.frombuffer(joined, dtype="f4").reshape(len(stored), -1)
                self._generation = generation
            ids, matrix = self._ids, self._matrix
        if not ids:
            return []
        scores = matrix @ numpy.frombuffer(vector, dtype="f4")
        # Stable, so that equal scores keep the order of the passages.
        order = numpy.argsort(-scores, kind="stable")[:limit]
        return [Near(ids[index], float(scores[index])) for index in order.tolist()]

    def close(self) -> None:
        """Let go of the matrix."""
        with self._lock:
            self._ids, self._matrix, self._generation = [], None, -1


class ChromaVectors:
    """A collection of an embedded Chroma, filled from the store."""

    name: Backend = "chroma"

    def __init__(self, store: PassageStore, folder: Path) -> None:
        self._chroma = ChromaFolder(folder)
        self._store = store

    def sync(self) -> None:
        """Bring the collection to what the store holds."""
        with self._chroma.opened():
            self._catch_up()

    def search(self, vector: bytes, limit: int) -> list[Near]:
        """Return the nearest passages, the best first."""
        with self._chroma.opened():
            count = int(self._collection().count())
            if not count and self._store.count():
                # Somebody removed the folder; everything that it held is in the store.
                self._catch_up()
                count = int(self._collection().count())
            if not count:
                return []
            found: Any = self._collection().query(
                query_embeddings=[_unpack(vector)],
                n_results=min(limit, count),
                include=["distances"],
            )
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [Near(int(name), 1.0 - float(distance)) for name, distance in pairs]

    def close(self) -> None:
        """Close the client."""
        self._chroma.close()

    def _catch_up(self) -> None:
        name = self._name()
        former = self._store.settings("collection")
        if former != name:
            # Other settings make other vectors, perhaps of another length.
            if former is not None:
                self._chroma.delete(former)
            self._store.wait_for_all()
            self._store.record("collection", name)
        self._drain()
        if self._collection().count() != self._store.count() and not self._store.waiting(1):
            # The folder is not the one that the store was told of; it is derived, so refill it.
            self._chroma.delete(name)
            self._store.wait_for_all()
            self._drain()

    def _collection(self) -> Any:
        return self._chroma.collection(self._name(), "cosine")

    def _name(self) -> str:
        """Return the collection's name, another one for each way to make the vectors."""
        fingerprint = self._store.settings("fingerprint") or ""
        return f"passages-{hashlib.sha256(fingerprint.encode()).hexdigest()[:12]}"

    def _drain(self) -> None:
        while ids := self._store.waiting(self._chroma.batch):
            rows = self._store.vectors(ids)
            self._chroma.will_write(self._name())
            gone = sorted(set(ids) - {row.id for row in rows})
            if gone:
                self._collection().delete(ids=[str(number) for number in gone])
            if rows:
                names = [str(row.id) for row in rows]
                vectors = [_unpack(row.vector) for row in rows]
                self._collection().upsert(ids=names, embeddings=vectors)
            # Told only now: an indexing that is killed before repeats both, which does no harm.
            self._store.done(ids)


def _unpack(vector: bytes) -> list[float]:
    numbers = array("f")
    numbers.frombytes(vector)
    values = numbers.tolist()
    # A text without a single known word has no direction; Chroma's cosine needs one.
    return values if any(values) else [1.0, *values[1:]]
