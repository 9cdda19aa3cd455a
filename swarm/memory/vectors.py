"""Vectors as they are kept, and those that the database remembers by the hash of their text."""

import math
import time
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from swarm.memory.tables import MemoryTables, Tables

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["VectorCache", "pack_vector"]

_CHUNK = 500
"""Hashes in one query."""
_MOST_VECTORS = 200_000
"""Vectors that are kept; 256 numbers each, they take 200 MB."""
_LONGEST = 180 * 24 * 3600
"""Seconds that a vector is kept without being used."""
_USED = 3600
"""Seconds for which a use counts as the same one, so that reading seldom writes."""
_TRIM_AFTER = 1000
"""Vectors that this process writes between two looks at how many there are."""


def pack_vector(numbers: Iterable[float]) -> "array[float]":
    """Return numbers as a vector of 32-bit ones, as the cache and the search take it.

    Raises:
        ValueError: There are none, or they are no finite numbers.
    """
    vector = array("f", numbers)
    if not vector:
        raise ValueError("a vector is empty")
    if not all(map(math.isfinite, vector)):
        raise ValueError("a vector holds something that is no finite number")
    return vector


class VectorCache:
    """The vectors of texts that were embedded before; those that nobody asked for are dropped."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables
        self._written = _TRIM_AFTER
        """Since the last look at how many there are; the first write looks."""

    async def read(self, hashes: Sequence[str]) -> "dict[str, array[float]]":
        """Return those that are known."""
        import sqlalchemy as sa

        now = int(time.time())

        def work(connection: "sqlalchemy.Connection", tables: Tables) -> "dict[str, array[float]]":
            found: dict[str, array[float]] = {}
            used: list[str] = []
            table = tables.vectors
            for start in range(0, len(hashes), _CHUNK):
                query = sa.select(table).where(table.c.sha256.in_(hashes[start : start + _CHUNK]))
                for row in connection.execute(query):
                    vector = array("f")
                    vector.frombytes(row.vector)
                    found[row.sha256] = vector
                    if row.used_at < now - _USED:
                        used.append(row.sha256)
            for start in range(0, len(used), _CHUNK):
                its = table.c.sha256.in_(used[start : start + _CHUNK])
                connection.execute(sa.update(table).where(its).values(used_at=now))
            return found

        return await self._tables.run(work)

    async def write(self, vectors: "Mapping[str, array[float]]") -> None:
        """Remember vectors by the hashes of their texts, and forget some when there are many."""
        import sqlalchemy as sa
        import sqlalchemy.exc

        now = int(time.time())
        rows = [
            {"sha256": key, "used_at": now, "vector": vector.tobytes()}
            for key, vector in vectors.items()
        ]
        self._written += len(rows)
        is_due = self._written >= _TRIM_AFTER

        def work(connection: "sqlalchemy.Connection", tables: Tables) -> None:
            table = tables.vectors
            old = sa.delete(table).where(table.c.sha256 == sa.bindparam("old"))
            connection.execute(old, [{"old": row["sha256"]} for row in rows])
            connection.execute(sa.insert(table), rows)
            if is_due:
                _trim(connection, table, now)

        try:
            await self._tables.run(work)
        except sqlalchemy.exc.IntegrityError:
            return  # another process remembers the same text at this moment
        if is_due:
            self._written = 0


def _trim(connection: "sqlalchemy.Connection", table: "sqlalchemy.Table", now: int) -> None:
    """Forget what nobody has used for long, and beyond the limit what was used longest ago."""
    import sqlalchemy as sa

    connection.execute(sa.delete(table).where(table.c.used_at < now - _LONGEST))
    count = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    if count > _MOST_VECTORS:
        oldest = sa.select(table.c.sha256).order_by(table.c.used_at, table.c.sha256)
        gone = oldest.limit(count - _MOST_VECTORS).scalar_subquery()
        connection.execute(sa.delete(table).where(table.c.sha256.in_(gone)))
