"""The tables of states, storages and vectors, in the host's database beside the journal."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import anyio

if TYPE_CHECKING:
    import sqlalchemy

    from swarm.store import Database

__all__ = ["MemoryTables", "Tables"]

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of this package."""

    cells: "sqlalchemy.Table"
    """One row for each state that was written, and each storage that was changed."""
    items: "sqlalchemy.Table"
    vectors: "sqlalchemy.Table"
    """By the hash of their text, with the second of their last use."""


class MemoryTables:
    """The tables in a database; they are created at the first use."""

    def __init__(self, database: "Database") -> None:
        self._database = database
        self._tables: Tables | None = None

    async def run(self, work: "Callable[[sqlalchemy.Connection, Tables], Result]") -> Result:
        """Run work in one transaction, to its end even when the caller is cancelled.

        Raises:
            StoreError: The database failed.
            sqlalchemy.exc.IntegrityError: Somebody else has inserted the same row.
        """
        # A write that was started is done; who is cancelled must not leave that open.
        with anyio.CancelScope(shield=True):
            tables = self._tables or await self._create()
            return await self._database.run(lambda connection: work(connection, tables))
        raise AssertionError("nothing cancels a shielded scope of ours")

    async def _create(self) -> Tables:
        import sqlalchemy as sa

        metadata = sa.MetaData()
        tables = _tables(metadata)
        await self._database.create_tables(metadata)
        self._tables = tables
        return tables


def _tables(metadata: "sqlalchemy.MetaData") -> Tables:
    import sqlalchemy as sa

    # Shared things belong to the empty swarm and the empty client, which nobody can be called.
    cells = sa.Table(
        "memory_cells",
        metadata,
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("swarm_name", sa.String(64), primary_key=True),
        sa.Column("client_id", sa.String(256), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("payload", sa.Text, nullable=True),
    )
    items = sa.Table(
        "memory_items",
        metadata,
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("swarm_name", sa.String(64), primary_key=True),
        sa.Column("client_id", sa.String(256), primary_key=True),
        sa.Column("item_id", sa.String(600), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
    )
    vectors = sa.Table(
        "memory_embeddings",
        metadata,
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("used_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )
    return Tables(cells, items, vectors)
