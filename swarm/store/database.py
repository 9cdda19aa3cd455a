"""The database under a home: opened, checked that it can be written, and its tables."""

import asyncio  # noqa: TID251 - for the executor below
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from swarm.errors import StoreError

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["Database", "Tables", "open_database"]

Result = TypeVar("Result")

_FORMAT = 1
"""Version of the tables; raised when a change needs a migration."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables, made once per database."""

    events: "sqlalchemy.Table"
    feedback: "sqlalchemy.Table"
    meta: "sqlalchemy.Table"
    metadata: "sqlalchemy.MetaData"


class Database:
    """An open database. Its calls run in a worker thread, one at a time."""

    def __init__(self, engine: "sqlalchemy.Engine", tables: Tables, place: str) -> None:
        self.engine = engine
        self.tables = tables
        self.place = place
        """What messages call it: the file, without any password."""
        # Invariant: one transaction at a time, so group commits keep their order. A thread of its
        # own, because waiting for the disk must neither stop the event loop nor queue behind tools.
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="wikiswarm-journal")
        self._connection: sqlalchemy.Connection | None = None

    async def run(self, work: "Callable[[sqlalchemy.Connection], Result]") -> Result:
        """Run work in one transaction.

        Raises:
            StoreError: The database failed; says why and where.
        """
        return await self.submit(lambda: self.run_sync(work))

    def submit(self, job: Callable[[], Result]) -> "asyncio.Future[Result]":
        """Start a job in the database's thread, behind those that were started before."""
        # anyio's threads would cost two more rounds of the event loop in each turn.
        return asyncio.get_running_loop().run_in_executor(self._executor, job)

    def run_sync(self, work: "Callable[[sqlalchemy.Connection], Result]") -> Result:
        """Run work in one transaction, in the calling thread."""
        import sqlalchemy.exc

        try:
            if self._connection is None or self._connection.invalidated:
                self._connection = self.engine.connect()
            with self._connection.begin():
                return work(self._connection)
        except sqlalchemy.exc.IntegrityError:
            raise
        except sqlalchemy.exc.DBAPIError as error:
            raise StoreError(f"the journal {self.place} failed: {error.orig}") from error

    def close(self) -> None:
        """Close the connections; work that runs is waited for."""
        self._executor.shutdown()
        if self._connection is not None:
            self._connection.close()
        self.engine.dispose()


def open_database(home: Path) -> Database:
    """Open, or create, the database of a home folder and prove that it can be written.

    Blocks; call it in a worker thread.

    Raises:
        StoreError: The folder or the file cannot be written, the disk is full, or the file is
            no database of ours.
    """
    import sqlalchemy as sa
    import sqlalchemy.event
    import sqlalchemy.exc

    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds private conversations
    except OSError as error:
        raise StoreError(
            f"cannot create the folder {home}: {error.strerror}; choose another with --home"
            " or WIKISWARM_HOME"
        ) from error
    path = home / "journal.sqlite3"
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
    sqlalchemy.event.listen(engine, "connect", _set_pragmas)
    database = Database(engine, _tables(), str(path))
    try:
        database.run_sync(lambda connection: _prepare(connection, database.tables))
    except sqlalchemy.exc.IntegrityError as error:
        raise StoreError(f"the journal {path} is damaged: {error.orig}") from error
    except StoreError as error:
        raise StoreError(f"{error}; is {home} writable, and is there space left?") from error
    return database


def _set_pragmas(connection: Any, record: object) -> None:
    """Acknowledged means kept: FULL syncs the log at each commit, also against power loss."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _prepare(connection: "sqlalchemy.Connection", tables: Tables) -> None:
    import sqlalchemy as sa

    if connection.dialect.name == "sqlite":
        # Two processes may open a fresh home at once; the second waits here for the tables.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    tables.metadata.create_all(connection)
    rows = connection.execute(sa.select(tables.meta.c.value).where(tables.meta.c.key == "format"))
    found = rows.scalar_one_or_none()
    if found is None:
        connection.execute(sa.insert(tables.meta).values(key="format", value=str(_FORMAT)))
    elif found != str(_FORMAT):
        raise StoreError(f"the journal has format {found}; this version reads up to {_FORMAT}")
    # The write that tells a full disk before the first message is accepted.
    connection.execute(sa.delete(tables.meta).where(tables.meta.c.key == "opened"))
    connection.execute(sa.insert(tables.meta).values(key="opened", value=repr(time.time())))


def _tables() -> Tables:
    import sqlalchemy as sa

    metadata = sa.MetaData()
    events = sa.Table(
        "events",
        metadata,
        sa.Column("session_id", sa.String(400), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Index("events_kind_at", "kind", "at"),
    )
    feedback = sa.Table(
        "feedback",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.String(32), nullable=False, index=True),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    meta = sa.Table(
        "meta",
        metadata,
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    return Tables(events, feedback, meta, metadata)
