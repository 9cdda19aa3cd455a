"""The index on disk: files, passages with their vectors, and full-text search, in one SQLite file.

It is the truth; a Chroma collection beside it is derived from it and can be made anew. A file and
its passages change in one transaction, so a killed indexing leaves whole files only.
"""

import re
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, cast

from swarm.errors import StoreError
from wiki.documents.blocks import Unit
from wiki.documents.chunk import Passage

__all__ = ["PassageStore", "StoredFile", "StoredVector"]

_TABLES = """
create table if not exists meta (key text primary key, value text not null);
create table if not exists files (
    path text primary key, sha256 text not null, size integer not null, mtime_ns integer not null,
    problem text
);
create table if not exists passages (
    id integer primary key autoincrement, path text not null, title text not null,
    start integer not null, "end" integer not null, unit text not null, text text not null,
    vector blob not null
);
create index if not exists passages_of_file on passages (path);
create virtual table if not exists words using fts5 (
    title, text, tokenize = 'porter unicode61 remove_diacritics 2'
);
create table if not exists outbox (id integer primary key);
"""
_WORD = re.compile(r"\w+")
_MAX_WORDS = 32


class StoredFile(NamedTuple):
    """A file as it was when it was indexed."""

    sha256: str
    size: int
    mtime_ns: int
    """0 when the file was so fresh that a later change could carry the same time."""
    problem: str | None
    """Why it has no passages."""


class StoredVector(NamedTuple):
    """A passage's vector, packed."""

    id: int
    vector: bytes


class PassageStore:
    """Opens a connection per call, so that any thread may use it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._connect() as connection:
            connection.executescript(_TABLES)

    def settings(self, key: str) -> str | None:
        """Return a recorded setting."""
        with self._connect() as connection:
            row = connection.execute("select value from meta where key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def record(self, key: str, value: str) -> None:
        """Record a setting."""
        with self._connect() as connection:
            _record(connection, key, value)

    def start_over(self, fingerprint: str) -> None:
        """Forget everything, because it was made with other settings."""
        with self._connect() as connection:
            connection.execute("insert or ignore into outbox select id from passages")
            for table in ("files", "passages", "words"):
                connection.execute(f"delete from {table}")
            _record(connection, "fingerprint", fingerprint)
            _step(connection)

    def generation(self) -> int:
        """Return a number that grows with every change."""
        return int(self.settings("generation") or 0)

    def files(self) -> dict[str, StoredFile]:
        """Return what is indexed, by path."""
        with self._connect() as connection:
            rows = connection.execute("select path, sha256, size, mtime_ns, problem from files")
            return {path: StoredFile(*rest) for path, *rest in rows}

    def count(self) -> int:
        """Return how many passages there are."""
        with self._connect() as connection:
            return int(connection.execute("select count(*) from passages").fetchone()[0])

    def touch(self, path: str, file: StoredFile) -> None:
        """Note that a file has another time and the same content."""
        with self._connect() as connection:
            _put_file(connection, path, file)

    def replace(
        self, path: str, file: StoredFile, passages: Sequence[Passage], vectors: Sequence[bytes]
    ) -> None:
        """Put a file and its passages in the place of what was known of it, all or nothing."""
        with self._connect() as connection:
            _forget(connection, path)
            _put_file(connection, path, file)
            for passage, vector in zip(passages, vectors, strict=True):
                row = connection.execute(
                    'insert into passages (path, title, start, "end", unit, text, vector)'
                    " values (?, ?, ?, ?, ?, ?, ?)",
                    (*passage, vector),
                ).lastrowid
                words = (row, f"{_stem(path)} {passage.title}", passage.text)
                connection.execute("insert into words (rowid, title, text) values (?, ?, ?)", words)
                connection.execute("insert or ignore into outbox values (?)", (row,))
            _step(connection)

    def remove(self, path: str) -> None:
        """Forget a file that is gone."""
        with self._connect() as connection:
            _forget(connection, path)
            connection.execute("delete from files where path = ?", (path,))
            _step(connection)

    def passages(self, ids: Iterable[int]) -> dict[int, Passage]:
        """Return the passages of these ids that still exist."""
        found: dict[int, Passage] = {}
        with self._connect() as connection:
            for number in ids:
                row = connection.execute(
                    'select path, title, start, "end", unit, text from passages where id = ?',
                    (number,),
                ).fetchone()
                if row is not None:
                    path, title, start, end, unit, text = row
                    found[number] = Passage(path, title, start, end, cast("Unit", unit), text)
        return found

    def vectors(self, ids: Sequence[int] | None = None) -> list[StoredVector]:
        """Return the vectors of these ids that exist, or all of them, by ascending id."""
        with self._connect() as connection:
            if ids is None:
                rows = connection.execute("select id, vector from passages order by id")
                return [StoredVector(*row) for row in rows]
            found: list[StoredVector] = []
            for number in sorted(ids):
                row = connection.execute(
                    "select id, vector from passages where id = ?", (number,)
                ).fetchone()
                if row is not None:
                    found.append(StoredVector(*row))
            return found

    def match(self, question: str, limit: int) -> list[int]:
        """Return the passages that share words with a question, the best first.

        Words that stand in more than half of the passages say nothing and are left out.
        """
        words = list(dict.fromkeys(_WORD.findall(question.casefold())))[:_MAX_WORDS]
        with self._connect() as connection:
            total = int(connection.execute("select count(*) from passages").fetchone()[0])
            telling: list[str] = []
            for word in words:
                # Quoted, a word is never an operator of the query language.
                quoted = f'"{word}"'
                counted = "select count(*) from words where words match ?"
                number = int(connection.execute(counted, (quoted,)).fetchone()[0])
                if number and (total < 8 or number * 2 <= total):
                    telling.append(quoted)
            if not telling:
                return []
            rows = connection.execute(
                "select rowid from words where words match ?"
                " order by bm25(words, 2.0, 1.0), rowid limit ?",
                (" OR ".join(telling), limit),
            )
            return [int(row[0]) for row in rows]

    def waiting(self, limit: int) -> list[int]:
        """Return passages that changed since `done` was told of them."""
        with self._connect() as connection:
            rows = connection.execute("select id from outbox order by id limit ?", (limit,))
            return [int(row[0]) for row in rows]

    def wait_for_all(self) -> None:
        """Let every passage count as changed."""
        with self._connect() as connection:
            connection.execute("insert or ignore into outbox select id from passages")

    def done(self, ids: Iterable[int]) -> None:
        """Note that whatever is derived from these passages is up to date."""
        with self._connect() as connection:
            connection.executemany("delete from outbox where id = ?", [(n,) for n in ids])

    @contextmanager
    def _connect(self) -> Generator[sqlite3.Connection, None, None]:
        try:
            connection = sqlite3.connect(self._path, timeout=30)
            try:
                connection.execute("pragma journal_mode = wal")
                connection.execute("pragma synchronous = normal")
                with connection:
                    yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            text = f"{self._path}: {error} (index of documents; delete the file to make it anew)"
            raise StoreError(text) from error


def _forget(connection: sqlite3.Connection, path: str) -> None:
    ids = connection.execute("select id from passages where path = ?", (path,)).fetchall()
    connection.executemany("insert or ignore into outbox values (?)", ids)
    connection.executemany("delete from words where rowid = ?", ids)
    connection.execute("delete from passages where path = ?", (path,))


def _put_file(connection: sqlite3.Connection, path: str, file: StoredFile) -> None:
    connection.execute("insert or replace into files values (?, ?, ?, ?, ?)", (path, *file))


def _record(connection: sqlite3.Connection, key: str, value: str) -> None:
    connection.execute("insert or replace into meta values (?, ?)", (key, value))


def _step(connection: sqlite3.Connection) -> None:
    connection.execute(
        "insert into meta values ('generation', '1')"
        " on conflict (key) do update set value = cast(value as integer) + 1"
    )


def _stem(path: str) -> str:
    """Return the name of a file as words."""
    return re.sub(r"[\W_]+", " ", path.rpartition("/")[2].rpartition(".")[0])
