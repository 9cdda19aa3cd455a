"""An open database: transactions in a thread of its own, told from damage and disconnects."""

import asyncio  # noqa: TID251 - for the executor below
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from swarm.errors import StoreError
from swarm.store.location import Location, locate
from swarm.store.tables import Tables, make_tables

if TYPE_CHECKING:
    import sqlalchemy
    import sqlalchemy.exc

__all__ = ["Database", "open_database"]

Result = TypeVar("Result")

_FORMAT = 1
"""Version of the tables; raised when a change needs a migration."""

_PREPARING = 7_215_021_337
"""The advisory lock under which PostgreSQL's tables are made."""

_NETWORK = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""How libpq notices, within about 25 seconds, that nobody is at the other end any more; the last
is in milliseconds. Sockets of the same machine need none of it."""

_LIMITS = {"lock_timeout": "15s", "statement_timeout": "60s"}
"""How long PostgreSQL waits for a lock and works on a statement. All that a turn waits for at its
end is done by one thread, so nothing may hold that thread for ever."""

_ADVICE = {
    "55P03": "another transaction holds a lock on its tables; end that one, or allow more time"
    " with options=-clock_timeout%3D60s in the store's URL",
    "57014": "the server stopped a statement, mostly for the time it took; look at its load, or"
    " allow more time with options=-cstatement_timeout%3D300s in the store's URL",
}
"""What to do about a failure, by PostgreSQL's code of it."""


class Database:
    """An open database. Its calls run in a worker thread, one at a time."""

    def __init__(self, engine: "sqlalchemy.Engine", tables: Tables, location: Location) -> None:
        self.engine = engine
        self.tables = tables
        self.place = location.place
        """What messages call it: the file or the URL, without any password."""
        self._secret = location.secret
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

    def run_sync(
        self,
        work: "Callable[[sqlalchemy.Connection], Result]",
        *,
        is_repeatable: bool = False,
    ) -> Result:
        """Run work in one transaction, in the calling thread.

        When the connection turns out to be lost, it is made anew once.

        Args:
            work: What to do; it may be called twice.
            is_repeatable: Whether work that may have been committed can be done again.
        """
        import sqlalchemy.exc

        for is_last in (False, True):
            is_committing = False
            try:
                connection = self._connect()
                with connection.begin():
                    result = work(connection)
                    is_committing = True
                return result
            except sqlalchemy.exc.IntegrityError:
                raise
            except sqlalchemy.exc.DBAPIError as error:
                is_lost = error.connection_invalidated
                if is_last or not is_lost or (is_committing and not is_repeatable):
                    is_safe = not self._secret or self._secret not in str(error)
                    raise self._failure(error) from (error if is_safe else None)
        raise AssertionError("the second try returns or raises")

    async def create_tables(self, metadata: "sqlalchemy.MetaData") -> None:
        """Create what is missing of some tables and their indexes.

        Raises:
            StoreError: The database failed.
        """
        import sqlalchemy as sa
        import sqlalchemy.exc

        def create(connection: "sqlalchemy.Connection") -> None:
            for table in metadata.sorted_tables:
                connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
                for index in table.indexes:
                    connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))

        try:
            await self.run(create)
        except (sqlalchemy.exc.IntegrityError, StoreError):
            # Two processes may create them at once; the second finds them now.
            await self.run(create)

    def time(self) -> "sqlalchemy.ColumnElement[float]":
        """Return what the clock of the database says, in seconds since the epoch."""
        import sqlalchemy as sa

        if self.engine.dialect.name == "sqlite":
            return sa.literal(time.time(), sa.Double)  # all its processes are on one machine
        return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)

    def insert_missing(self, table: "sqlalchemy.Table") -> "sqlalchemy.Executable":
        """Return an insert that leaves rows alone that exist."""
        # Both databases write it alike, and SQLAlchemy has it once for each.
        if self.engine.dialect.name == "sqlite":
            from sqlalchemy.dialects import sqlite

            return sqlite.insert(table).on_conflict_do_nothing()
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table).on_conflict_do_nothing()

    def close(self) -> None:
        """Close the connections; work that runs is waited for."""
        self._executor.shutdown()
        if self._connection is not None:
            self._connection.close()
        self.engine.dispose()

    def _connect(self) -> "sqlalchemy.Connection":
        if self._connection is not None and self._connection.invalidated:
            self._connection.close()
            self._connection = None
        if self._connection is None:
            self._connection = self.engine.connect()
        return self._connection

    def _failure(self, error: "sqlalchemy.exc.DBAPIError") -> StoreError:
        reason = " ".join(str(error.orig).split())
        if self._secret:
            reason = reason.replace(self._secret, "***")
        advice = _ADVICE.get(getattr(error.orig, "sqlstate", None) or "")
        return StoreError(
            f"the journal {self.place} failed: {reason}" + (f"; {advice}" if advice else "")
        )


def open_database(home: Path, store: str | None = None) -> Database:
    """Open, or create, the database of a home folder and prove that it can be written.

    Blocks; call it in a worker thread.

    Args:
        home: The folder of the state; holds the database unless `store` names another.
        store: A URL such as `postgresql://user:password@host/database`.

    Raises:
        StoreError: The folder, the file or the server cannot be written, the disk is full, or the
            file is no database of ours.
        MissingExtraError: The driver of the database is not installed.
    """
    import sqlalchemy as sa
    import sqlalchemy.event
    import sqlalchemy.exc

    location = locate(home, store)
    if location.folder is not None:
        try:
            # It holds private conversations.
            location.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"cannot create the folder {location.folder}: {error.strerror}; choose another"
                " with --home or WIKISWARM_HOME"
            ) from error
    settings = {} if location.folder is not None else _NETWORK
    settings = {name: value for name, value in settings.items() if name not in location.url.query}
    # Without the parameters: an error in a log must not quote what was said.
    engine = sa.create_engine(location.url, hide_parameters=True, connect_args=settings)
    is_sqlite = engine.dialect.name == "sqlite"
    sqlalchemy.event.listen(engine, "connect", _set_pragmas if is_sqlite else _set_session)
    database = Database(engine, make_tables(), location)
    try:
        database.run_sync(lambda connection: _prepare(connection, database.tables))
    except (sqlalchemy.exc.IntegrityError, StoreError) as error:
        database.close()
        if isinstance(error, sqlalchemy.exc.IntegrityError):
            raise StoreError(f"the journal {location.place} is damaged: {error.orig}") from error
        if location.folder is None:
            raise
        if "not a database" in str(error):
            hint = f"move it away, and a new one is made, or choose another home than {home}"
        else:
            hint = f"is {location.folder} writable, and is there space left?"
        raise StoreError(f"{error}; {hint}") from error
    return database


def _set_pragmas(connection: Any, record: object) -> None:
    """Acknowledged means kept: FULL syncs the log at each commit, also against power loss."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _set_session(connection: Any, record: object) -> None:
    """The same for PostgreSQL; a process that is stopped in a transaction must not hold others."""
    cursor = connection.cursor()
    cursor.execute(
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'"
    )
    cursor.execute("SET idle_in_transaction_session_timeout = '10s'")
    for name, limit in _LIMITS.items():
        # What the URL, the user or the database sets is left alone; 0 is none.
        cursor.execute(
            "SELECT set_config(%s, %s, false) WHERE current_setting(%s) = '0'", (name, limit, name)
        )
    cursor.execute("SET default_transaction_isolation = 'read committed'")
    cursor.close()
    connection.commit()


def _prepare(connection: "sqlalchemy.Connection", tables: Tables) -> None:
    import sqlalchemy as sa

    # Two processes may open a fresh store at once; the second waits here for the tables.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_PREPARING)))
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
