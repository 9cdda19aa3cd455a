"""The index of a wiki's documents: kept in step with the files, searched by words and by meaning.

Content hashes decide what is read again. One process indexes at a time; the others answer from
what is there. An indexing that is cut short goes on with the next file when it is called again.
"""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from swarm.errors import DataError, StoreError
from swarm.locks import folder_lock
from swarm.memory.specs import EmbeddingSpec
from wiki.documents.chunk import OVERLAP, SIZE, Passage, cut
from wiki.documents.embedding import Embedding, open_embedding
from wiki.documents.lock import try_lock
from wiki.documents.read import check_size, read_file
from wiki.documents.sources import Found, Skipped, SourceFile, find_files
from wiki.documents.store import PassageStore, StoredFile
from wiki.documents.vectors import Backend, Near, Vectors, open_vectors
from wiki.registry.files import hash_file

__all__ = ["DocumentIndex", "Hit", "IndexReport"]

_FORMAT = 1
_CANDIDATES = 50
"""How many passages each of the two searches proposes."""
_DAMPING = 60
"""The constant of reciprocal rank fusion."""
_FRESH = 2 * 10**9
"""Nanoseconds in which a file may change again without another time."""
_BATCH = 256
_PAUSE = 0.05
"""Seconds between two looks at whether another process has finished."""


class IndexReport(NamedTuple):
    """What an indexing found and did."""

    files: int
    """Documents that are in the index now."""
    passages: int
    read: int
    """Documents that were read because they were new or had changed."""
    removed: int
    """Documents that were there before and are gone."""
    skipped: tuple[Skipped, ...]
    """Documents that could not be read or may not be, each with the reason."""
    embedding: str
    """Which embedding made the vectors: wordllama, hash, or a function."""
    vectors: Backend
    """Where they are searched."""


class Hit(NamedTuple):
    """A passage that bears on a question."""

    passage: Passage
    score: float
    """From 0 to 1: its rank in both searches together; 1 is the first of both."""


class _Open(NamedTuple):
    store: PassageStore
    embedding: Embedding
    bytes: int
    """The size of a vector: a function of the user's may come to give others."""
    vectors: Vectors


def _go_on() -> None:
    """Stand for a caller that never interrupts."""


class DocumentIndex:
    """Blocking; call it from a worker thread. Opens its files at its first use."""

    def __init__(
        self,
        root: Path,
        patterns: Sequence[str],
        folder: Path,
        *,
        embedding: str | None = None,
        declared: EmbeddingSpec | None = None,
        vectors: Backend | None = None,
    ) -> None:
        self._root = root
        self._patterns = tuple(patterns)
        self._folder = folder
        self._embedding, self._declared = embedding, declared
        self._vectors: Backend | None = vectors
        self._opened: _Open | None = None
        # Invariant: the parts are opened once.
        self._opening = threading.Lock()
        # Invariant: an embedding is called by one thread at a time.
        self._encoding = threading.Lock()

    def refresh(
        self, check: Callable[[], None] = _go_on, *, is_patient: bool = True
    ) -> IndexReport:
        """Bring the index in step with the files and return what that took.

        Args:
            check: Called between files; what it raises ends the indexing there.
            is_patient: Wait for another process or thread that is indexing; without patience,
                the last whole index is good enough, if there ever was one.

        Raises:
            DataError: The root is no folder, or holds too many files.
            StoreError: The index cannot be read or written.
            MissingExtraError: A library is missing.
        """
        try:
            return self._refresh(check, is_patient=is_patient)
        except OSError as error:
            place = error.filename or self._folder
            raise StoreError(f"{place}: {error.strerror or error} (index of documents)") from error

    def search(self, question: str, limit: int) -> list[Hit]:
        """Return the passages that bear on a question, the best first.

        Raises:
            StoreError: The index cannot be read.
            ProviderError: The embedding failed.
        """
        parts = self._open()
        words = parts.store.match(question, _CANDIDATES)
        nearest: list[Near] = []
        [vector] = self._encode(parts, [question])
        if any(vector):
            nearest = parts.vectors.search(vector, _CANDIDATES)
        shared = set(words)
        near = [n.id for n in nearest if n.id in shared or n.similarity >= parts.embedding.floor]
        scores: dict[int, float] = {}
        for ranking in (near, words):
            for rank, number in enumerate(ranking, start=1):
                scores[number] = scores.get(number, 0.0) + 1 / (_DAMPING + rank)
        # Equal scores keep the order of the documents.
        ranked = sorted(scores, key=lambda number: (-scores[number], number))
        passages = parts.store.passages(ranked[: limit + _CANDIDATES])
        best = (_DAMPING + 1) / 2
        hits = [Hit(passages[n], round(scores[n] * best, 4)) for n in ranked if n in passages]
        return hits[:limit]

    @property
    def retrieval(self) -> str:
        """Which embedding and which back end serve, such as `wordllama, chroma`."""
        parts = self._open()
        return f"{parts.embedding.name}, {parts.vectors.name}"

    def close(self) -> None:
        """Let go of the files."""
        with self._opening:
            if self._opened is not None:
                self._opened.vectors.close()
            self._opened = None

    def _open(self) -> _Open:
        with self._opening:
            if self._opened is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                opened = open_embedding(self._embedding, self._declared)
                # Of two processes one makes the tables.
                with folder_lock(self._folder):
                    store = PassageStore(self._folder / "passages.sqlite3")
                vectors = open_vectors(self._vectors, store, self._folder)
                [probe] = opened.encode(["probe"])
                self._opened = _Open(store, opened, len(probe), vectors)
            return self._opened

    def _refresh(self, check: Callable[[], None], *, is_patient: bool) -> IndexReport:
        parts = self._open()
        while True:
            check()
            found = find_files(self._root, self._patterns)
            if not self._is_due(parts, found):
                return self._report(parts, found)
            with try_lock(self._folder) as is_ours:
                if is_ours:
                    return self._catch_up(parts, found, check)
            if not is_patient and parts.store.settings("whole") == self._fingerprint(parts):
                return self._report(parts, found)
            time.sleep(_PAUSE)

    def _is_due(self, parts: _Open, found: Found) -> bool:
        """Tell by sizes and times, without a lock, whether there is anything to do."""
        store = parts.store
        if store.settings("fingerprint") != self._fingerprint(parts) or store.waiting(1):
            return True
        if store.settings("vectors") != parts.vectors.name:
            return True
        known = store.files()
        if set(known) != {file.path for file in found.files}:
            return True
        return any(_stat(file) != known[file.path][1:3] for file in found.files)

    def _fingerprint(self, parts: _Open) -> str:
        embedding = f"{parts.embedding.name} {parts.bytes}"
        return f"{_FORMAT} {SIZE} {OVERLAP} {embedding} {self._root.resolve()}"

    def _catch_up(self, parts: _Open, found: Found, check: Callable[[], None]) -> IndexReport:
        self._start_over_if_needed(parts)
        known = parts.store.files()
        gone = set(known) - {file.path for file in found.files}
        for path in sorted(gone):
            parts.store.remove(path)
        read = 0
        for file in found.files:
            check()
            read += self._read(parts, file, known.get(file.path))
        check()
        parts.vectors.sync()
        parts.store.record("whole", self._fingerprint(parts))
        return self._report(parts, found, read=read, removed=len(gone))

    def _start_over_if_needed(self, parts: _Open) -> None:
        store, fingerprint = parts.store, self._fingerprint(parts)
        if store.settings("fingerprint") != fingerprint:
            store.start_over(fingerprint)
        if store.settings("vectors") != parts.vectors.name:
            # What the other back end was told of, this one has not seen.
            store.wait_for_all()
            store.record("vectors", parts.vectors.name)

    def _read(self, parts: _Open, file: SourceFile, known: StoredFile | None) -> bool:
        """Index a file if its content is not the one that is known."""
        stat = _stat(file)
        if stat is None or (known is not None and stat == known[1:3]):
            return False
        size, mtime_ns = stat
        if time.time_ns() - mtime_ns < _FRESH:
            mtime_ns = 0
        problem: str | None = None
        passages: list[Passage] = []
        sha256 = ""
        try:
            check_size(file.file, size)
            sha256 = hash_file(file.file).sha256
            if known is not None and known.sha256 == sha256:
                parts.store.touch(file.path, known._replace(size=size, mtime_ns=mtime_ns))
                return False
            passages = cut(file.path, read_file(file.file))
        except DataError as wrong:
            problem = str(wrong)
        except OSError as wrong:
            problem = f"cannot be read: {wrong.strerror or wrong}"
        texts = [f"{passage.title}\n{passage.text}" for passage in passages]
        vectors: list[bytes] = []
        for start in range(0, len(texts), _BATCH):
            vectors += self._encode(parts, texts[start : start + _BATCH])
        stored = StoredFile(sha256, size, mtime_ns, problem)
        parts.store.replace(file.path, stored, passages, vectors)
        return True

    def _encode(self, parts: _Open, texts: Sequence[str]) -> list[bytes]:
        with self._encoding:
            return parts.embedding.encode(texts)

    def _report(
        self, parts: _Open, found: Found, *, read: int = 0, removed: int = 0
    ) -> IndexReport:
        files = parts.store.files()
        broken = [Skipped(path, file.problem) for path, file in files.items() if file.problem]
        return IndexReport(
            files=len(files) - len(broken),
            passages=parts.store.count(),
            read=read,
            removed=removed,
            skipped=tuple(sorted([*found.skipped, *broken])),
            embedding=parts.embedding.name,
            vectors=parts.vectors.name,
        )


def _stat(file: SourceFile) -> tuple[int, int] | None:
    try:
        stat = file.file.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns
