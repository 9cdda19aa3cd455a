"""Forgetting a client: everything that the database holds of one, gone in one transaction.

Events and feedback are here; other rooms keep their own tables beside them, all of which name
the client in a column `client_id`, so they are found by it, also those of later versions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from swarm.events import SessionOpened
from swarm.runtime.ids import check_client_id
from swarm.store.database import Database
from swarm.store.journal import decode_row

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["Forgotten", "forget_client"]

_KEPT = frozenset({"policy_bans"})
"""Bans hold nothing that was said, and forgetting must be no way out of one."""

_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed, in numbers."""

    sessions: tuple[str, ...]
    """The ids of the sessions that are gone."""
    run_ids: tuple[str, ...]
    rows: Mapping[str, int]
    """Rows by table."""


async def forget_client(
    database: Database, client_id: str, *, project: str | None = None, is_trial: bool = False
) -> Forgotten:
    """Remove a client's events, feedback, memory and candidates, in one transaction.

    A process that has a session of the client open cannot write to it any more. Leases keep the
    session's id, which holds nothing that was said: without it a writer that was thought dead
    could write again.

    Args:
        database: The journal's database.
        client_id: The client, in every swarm.
        project: Only the sessions of this project; with it, memory stays unless all sessions of
            the client are of the project.
        is_trial: Count only, and remove nothing.

    Raises:
        InvalidIdError: No client can be called that.
        StoreError: The database failed; nothing is removed.
    """
    check_client_id(client_id)

    def work(connection: "sqlalchemy.Connection") -> Forgotten:
        return _forget(connection, database, client_id, project, is_trial)

    found = await database.run(work)
    if not is_trial and database.engine.dialect.name == "sqlite":
        # What was overwritten in the file still stands in the log beside it until this.
        await database.run(lambda connection: connection.exec_driver_sql(_TRUNCATE).all())
    return found


_TRUNCATE = "PRAGMA wal_checkpoint(TRUNCATE)"


def _forget(
    connection: "sqlalchemy.Connection",
    database: Database,
    client_id: str,
    project: str | None,
    is_trial: bool,
) -> Forgotten:
    import sqlalchemy as sa

    if not is_trial and connection.dialect.name == "sqlite":
        # Overwrites what is deleted; otherwise it stays readable in free pages of the file.
        connection.exec_driver_sql("PRAGMA secure_delete=ON").all()
    tables = database.tables
    events, feedback, leases = tables.events, tables.feedback, tables.leases
    ending = f"/{client_id}"
    own = sa.func.substr(events.c.session_id, sa.func.length(events.c.session_id) - len(ending) + 1)
    every = connection.execute(
        sa.select(events.c.session_id, events.c.kind, events.c.payload)
        .where(events.c.seq == 1, own == ending)
        .order_by(events.c.session_id)
    ).all()
    sessions = [
        row.session_id
        for row in every
        if project is None or _project(row.kind, row.payload) == project
    ]
    run_ids: set[str] = set()
    counts: dict[str, int] = {}
    for some in _parts(sessions):
        inside = events.c.session_id.in_(some)
        run_ids |= _run_ids(connection, database, inside)
        _count(connection, counts, events, inside, is_trial)
        if not is_trial:
            taken = sa.update(leases).where(leases.c.session_id.in_(some))
            # A live writer holds the old number, so the database refuses what it still sends.
            connection.execute(taken.values(owner="", token=leases.c.token + 1))
    for some in _parts(sorted(run_ids)):
        _count(connection, counts, feedback, feedback.c.run_id.in_(some), is_trial)
    for table in _others(connection):
        condition = table.c.client_id == client_id
        if project is not None and "project" in table.c:
            condition = sa.and_(condition, sa.func.coalesce(table.c.project, "") == project)
        elif len(sessions) < len(every):
            continue
        _count(connection, counts, table, condition, is_trial)
    return Forgotten(tuple(sessions), tuple(sorted(run_ids)), counts)


def _project(kind: str, payload: str) -> str:
    opened = decode_row(kind, payload)
    return (opened.project or "") if isinstance(opened, SessionOpened) else ""


def _parts(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[first : first + _TOGETHER] for first in range(0, len(names), _TOGETHER)]


def _run_ids(connection: "sqlalchemy.Connection", database: Database, inside: Any) -> set[str]:
    import orjson
    import sqlalchemy as sa

    events = database.tables.events
    query = sa.select(events.c.payload).where(inside, events.c.kind == "turn_started")
    return {orjson.loads(row.payload)["run_id"] for row in connection.execute(query)}


def _others(connection: "sqlalchemy.Connection") -> "list[sqlalchemy.Table]":
    """Return the tables of other rooms that hold something of clients."""
    import sqlalchemy as sa

    inspector, metadata = sa.inspect(connection), sa.MetaData()
    found: list[sa.Table] = []
    for name in sorted(inspector.get_table_names()):
        columns = {column["name"] for column in inspector.get_columns(name)}
        if "client_id" in columns and name not in _KEPT:
            found.append(sa.Table(name, metadata, autoload_with=connection))
    return found


def _count(
    connection: "sqlalchemy.Connection",
    counts: dict[str, int],
    table: "sqlalchemy.Table",
    condition: Any,
    is_trial: bool,
) -> None:
    """Remove rows, or count them only."""
    import sqlalchemy as sa

    if is_trial:
        query = sa.select(sa.func.count()).select_from(table).where(condition)
        found = connection.execute(query).scalar_one()
    else:
        found = connection.execute(sa.delete(table).where(condition)).rowcount
    if found:
        counts[table.name] = counts.get(table.name, 0) + found
