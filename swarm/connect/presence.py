"""Who is online: clients with an open session, and those that a program marked.

A session that is open in any process on the store holds a lease there, which ends with it and with
its process. A mark counts for as long as the host that made it holds a lease of its own, so
nothing of a process that died is left online.
"""

import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from swarm.host import Host, open_host
from swarm.runtime.ids import check_client_id, session_id

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["get_online", "is_online", "mark_offline", "mark_online"]


async def mark_online(client_id: str, swarm_name: str, *, host: Host | None = None) -> None:
    """Count a client as online that has no session open, until `mark_offline`.

    The mark is this host's; it ends with it. Another process may mark the same client.

    Raises:
        InvalidIdError: No client can be called that.
        UnknownNameError: No such swarm.
        SessionError: No host is open.
        StoreError: The database failed.
    """
    presence, name = await _find(client_id, swarm_name, host)
    await presence.mark(name)


async def mark_offline(client_id: str, swarm_name: str, *, host: Host | None = None) -> None:
    """Take back what `mark_online` said; a client whose session is open stays online.

    Raises:
        InvalidIdError: No client can be called that.
        UnknownNameError: No such swarm.
        SessionError: No host is open.
        StoreError: The database failed.
    """
    presence, name = await _find(client_id, swarm_name, host)
    await presence.unmark(name)


async def is_online(client_id: str, swarm_name: str, *, host: Host | None = None) -> bool:
    """Whether a client has a session open in any process, or is marked.

    Raises:
        InvalidIdError: No client can be called that.
        UnknownNameError: No such swarm.
        SessionError: No host is open.
        StoreError: The database failed.
    """
    presence, name = await _find(client_id, swarm_name, host)
    return bool(await presence.online(name=name))


async def get_online(swarm_name: str, *, host: Host | None = None) -> list[str]:
    """Return the ids of all clients of a swarm that are online, sorted.

    Raises:
        UnknownNameError: No such swarm.
        SessionError: No host is open.
        StoreError: The database failed.
    """
    used = _host_of(swarm_name, host)
    prefix = session_id(swarm_name, "")
    found = await (await _presence(used)).online(prefix=prefix)
    return sorted(name.removeprefix(prefix) for name in found)


class _Presence:
    """The marks of a host, and what the leases of its store say."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._table: sqlalchemy.Table | None = None
        # No swarm has a colon in its name, so no session is called this.
        self._marker = f"online:{secrets.token_hex(8)}"

    async def mark(self, name: str) -> None:
        # Again for each mark: a lease that was lost is taken anew, one that is held stays.
        await self._host.journal.acquire(self._marker)
        table = await self._open()
        insert = self._host.database.insert_missing(table)
        row = {"session_id": name, "marker": self._marker}
        await self._host.database.run(lambda connection: connection.execute(insert, row))

    async def unmark(self, name: str) -> None:
        import sqlalchemy as sa

        table = await self._open()
        mine = (table.c.session_id == name) & (table.c.marker == self._marker)
        await self._host.database.run(
            lambda connection: connection.execute(sa.delete(table).where(mine))
        )

    async def online(self, *, name: str = "", prefix: str = "") -> set[str]:
        """Return the sessions that count, of all or by their name or its beginning."""
        import sqlalchemy as sa

        marks = await self._open()
        leases = self._host.database.tables.leases

        def wanted(column: "sqlalchemy.ColumnElement[str]") -> "sqlalchemy.ColumnElement[bool]":
            return column == name if name else column.startswith(prefix, autoescape=True)

        def work(connection: "sqlalchemy.Connection") -> set[str]:
            is_held = leases.c.owner.in_(self._alive(connection))
            sessions = sa.select(leases.c.session_id).where(wanted(leases.c.session_id), is_held)
            marked = (
                sa.select(marks.c.session_id)
                .join(leases, leases.c.session_id == marks.c.marker)
                .where(wanted(marks.c.session_id), is_held)
            )
            return set(connection.scalars(sessions)) | set(connection.scalars(marked))

        return await self._host.database.run(work)

    def _alive(self, connection: "sqlalchemy.Connection") -> list[str]:
        """Return the owners of leases that count."""
        import sqlalchemy as sa

        from swarm.store.owner import is_dead

        database = self._host.database
        writers = database.tables.writers
        query = sa.select(writers.c.owner).where(writers.c.expires_at > database.time())
        return [owner for owner in connection.scalars(query) if not is_dead(owner)]

    async def _open(self) -> "sqlalchemy.Table":
        """Return the table of marks, made at the first use and rid of those that ended."""
        if self._table is not None:
            return self._table
        import sqlalchemy as sa

        table = sa.Table(
            "presence",
            sa.MetaData(),
            sa.Column("session_id", sa.String(400), primary_key=True),
            sa.Column("marker", sa.String(40), primary_key=True),
        )
        database = self._host.database
        leases = database.tables.leases

        def clean(connection: "sqlalchemy.Connection") -> None:
            held = leases.c.owner.in_(self._alive(connection))
            counted = sa.select(leases.c.session_id).where(held)
            connection.execute(sa.delete(table).where(table.c.marker.not_in(counted)))

        await database.create_tables(table.metadata)
        await database.run(clean)
        self._table = table
        return table


def _host_of(swarm_name: str, host: Host | None) -> Host:
    used = open_host("the list of who is online", host)
    used.catalog.swarms.get(swarm_name)
    return used


async def _presence(host: Host) -> _Presence:
    async def start() -> tuple[_Presence, Callable[[], Awaitable[None]]]:
        async def stop() -> None:
            """Nothing to stop; the journal gives up the lease."""

        return _Presence(host), stop

    return await host.shared("connect/presence", start)


async def _find(client_id: str, swarm_name: str, host: Host | None) -> tuple[_Presence, str]:
    used = _host_of(swarm_name, host)
    return await _presence(used), session_id(swarm_name, check_client_id(client_id))
