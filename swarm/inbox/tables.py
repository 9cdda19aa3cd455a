"""The table of the inbox, in the host's database beside the journal."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import anyio

from swarm.errors import StoreError

if TYPE_CHECKING:
    import sqlalchemy

    from swarm.store import Database

__all__ = ["InboxTable"]

Result = TypeVar("Result")


class InboxTable:
    """The table in a database; it is created at the first use."""

    def __init__(self, database: "Database") -> None:
        self.database = database
        self._table: sqlalchemy.Table | None = None

    async def run(
        self,
        work: "Callable[[sqlalchemy.Connection, sqlalchemy.Table], Result]",
        *,
        is_read: bool = False,
    ) -> Result:
        """Run work in one transaction; a write to its end even when the caller is cancelled.

        Raises:
            StoreError: The database failed.
        """
        # What was decided or begun is written down, whoever stops waiting meanwhile. A read
        # leaves nothing, and the deadline of a turn must hold where the database is stuck.
        with anyio.CancelScope(shield=not is_read):
            table = self._table if self._table is not None else await self._create()
            return await self.database.run(lambda connection: work(connection, table))
        raise AssertionError("nothing cancels a scope of ours from inside")

    async def _create(self) -> "sqlalchemy.Table":
        import sqlalchemy as sa
        import sqlalchemy.exc

        table = _table()

        def create(connection: "sqlalchemy.Connection") -> None:
            connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))

        try:
            await self.database.run(create)
        except (sqlalchemy.exc.IntegrityError, StoreError):
            # Two processes may create it at once; the second finds it now.
            await self.database.run(create)
        self._table = table
        return table


def _table() -> "sqlalchemy.Table":
    import sqlalchemy as sa

    return sa.Table(
        "inbox",
        sa.MetaData(),
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("session_id", sa.String(400), nullable=False),
        sa.Column("swarm_name", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(256), nullable=False),
        sa.Column("agent_name", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(32), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("reply", sa.Text, nullable=True),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("decided_at", sa.Double, nullable=True),
        sa.Column("decided_by", sa.String(256), nullable=True),
        sa.Column("settled_at", sa.Double, nullable=True),
        sa.Index("inbox_session", "session_id", "settled_at"),
        sa.Index("inbox_created", "created_at"),
    )
