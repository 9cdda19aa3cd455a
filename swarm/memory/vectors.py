"""Vectors as they are kept, and those that the database remembers by the hash of their text."""

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from swarm.memory.tables import MemoryTables, Tables

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["VectorCache", "pack_vector"]

_CHUNK = 500
"""Hashes in one query."""


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
    """The vectors of texts that were embedded before."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    async def read(self, hashes: Sequence[str]) -> "dict[str, array[float]]":
        """Return those that are known."""
        import sqlalchemy as sa

        def work(connection: "sqlalchemy.Connection", tables: Tables) -> "dict[str, array[float]]":
            found: dict[str, array[float]] = {}
            table = tables.vectors
            for start in range(0, len(hashes), _CHUNK):
                chunk = hashes[start : start + _CHUNK]
                query = sa.select(table.c.sha256, table.c.vector).where(table.c.sha256.in_(chunk))
                for row in connection.execute(query):
                    vector = array("f")
                    vector.frombytes(row.vector)
                    found[row.sha256] = vector
            return found

        return await self._tables.run(work)

    async def write(self, vectors: "Mapping[str, array[float]]") -> None:
        """Remember vectors by the hashes of their texts."""
        import sqlalchemy as sa
        import sqlalchemy.exc

        rows = [{"sha256": key, "vector": vector.tobytes()} for key, vector in vectors.items()]

        def work(connection: "sqlalchemy.Connection", tables: Tables) -> None:
            table = tables.vectors
            old = sa.delete(table).where(table.c.sha256 == sa.bindparam("old"))
            connection.execute(old, [{"old": row["sha256"]} for row in rows])
            connection.execute(sa.insert(table), rows)

        try:
            await self._tables.run(work)
        except sqlalchemy.exc.IntegrityError:
            return  # another process remembers the same text at this moment
