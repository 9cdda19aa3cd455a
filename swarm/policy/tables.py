"""The table of bans, in the host's database beside the journal: one row for each ban.

A ban is one insert and its end one delete, so writers need no order among them, in one process or
in many, and a check reads one client's rows only.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import anyio

from swarm.errors import StoreError

if TYPE_CHECKING:
    import sqlalchemy

    from swarm.store import Database

__all__ = ["BanTable"]

Result = TypeVar("Result")


class BanTable:
    """The table in a database; it is created at the first use."""

    def __init__(self, database: "Database") -> None:
        self._database = database
        self._table: sqlalchemy.Table | None = None

    async def policies_of(
        self, swarm_name: str, client_id: str, policy_names: Sequence[str]
    ) -> frozenset[str]:
        """Return those of the policies that ban a client, in one read.

        Raises:
            StoreError: The database failed.
        """
        import sqlalchemy as sa

        def read(connection: "sqlalchemy.Connection", bans: "sqlalchemy.Table") -> frozenset[str]:
            query = sa.select(bans.c.policy_name).where(
                bans.c.swarm_name == swarm_name,
                bans.c.client_id == client_id,
                bans.c.policy_name.in_(policy_names),
            )
            return frozenset(connection.execute(query).scalars())

        return await self._run(read, is_read=True)

    async def add(self, swarm_name: str, client_id: str, policy_name: str) -> bool:
        """Keep a ban, durably; returns whether it is new.

        Raises:
            StoreError: The database failed.
        """
        import sqlalchemy as sa

        database = self._database

        def write(connection: "sqlalchemy.Connection", bans: "sqlalchemy.Table") -> bool:
            at = connection.execute(sa.select(database.time())).scalar_one()
            row = {"swarm_name": swarm_name, "client_id": client_id, "policy_name": policy_name}
            # Without the option the count of an insert is lost when its result is read.
            inserted = connection.execute(
                database.insert_missing(bans),
                {**row, "at": at},
                execution_options={"preserve_rowcount": True},
            )
            return inserted.rowcount == 1

        return await self._run(write)

    async def remove(self, swarm_name: str, client_id: str, policy_name: str) -> bool:
        """Take a ban back, durably; returns whether there was one.

        Raises:
            StoreError: The database failed.
        """
        import sqlalchemy as sa

        def write(connection: "sqlalchemy.Connection", bans: "sqlalchemy.Table") -> bool:
            delete = sa.delete(bans).where(
                bans.c.swarm_name == swarm_name,
                bans.c.client_id == client_id,
                bans.c.policy_name == policy_name,
            )
            return connection.execute(delete).rowcount == 1

        return await self._run(write)

    async def _run(
        self,
        work: "Callable[[sqlalchemy.Connection, sqlalchemy.Table], Result]",
        *,
        is_read: bool = False,
    ) -> Result:
        # A write that was started is done; who is cancelled must not leave that open. A read
        # leaves nothing, and the deadline of a turn must hold where the database is stuck.
        with anyio.CancelScope(shield=not is_read):
            table = self._table
            if table is None:
                table = await self._create()
            return await self._database.run(lambda connection: work(connection, table))
        raise AssertionError("nothing cancels a scope of ours from inside")

    async def _create(self) -> "sqlalchemy.Table":
        import sqlalchemy as sa
        import sqlalchemy.exc

        table = sa.Table(
            "policy_bans",
            sa.MetaData(),
            sa.Column("swarm_name", sa.String(64), primary_key=True),
            sa.Column("client_id", sa.String(256), primary_key=True),
            sa.Column("policy_name", sa.String(64), primary_key=True),
            sa.Column("at", sa.Double, nullable=False),
        )

        def create(connection: "sqlalchemy.Connection") -> None:
            connection.execute(sa.schema.CreateTable(table, if_not_exists=True))

        try:
            await self._database.run(create)
        except (sqlalchemy.exc.IntegrityError, StoreError):
            # Two processes may create it at once; the second finds it now.
            await self._database.run(create)
        self._table = table
        return table
