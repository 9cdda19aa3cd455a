"""The journal: queued events, written in groups.

Whoever needs durability first starts a write of everything that is queued, for all sessions, in
one transaction; those who come meanwhile wait for the next one. So many sessions share one sync
of the disk. What nobody waits for is written a moment later by itself.

The insert of an event holds the check of its session's lease, so the two cannot come apart.
"""

import asyncio  # noqa: TID251 - a timer and a callback of the loop cost less than a task
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import anyio
import orjson
from pydantic import ValidationError

from swarm.errors import SessionError, StoreError
from swarm.events import Event, decode_event
from swarm.runtime.journal import StoredEvent
from swarm.secrets import hide
from swarm.store.database import Database
from swarm.store.leases import Leases, Release
from swarm.store.tables import Tables

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["SqlJournal", "decode_row"]

_MAX_QUEUED = 50_000
"""Events that may wait for a disk that fails; then sessions are refused."""

_LONGEST_WAIT = 0.02
"""Seconds that an event may stay in memory when nobody waits for it."""

_Row = dict[str, object]


@dataclass(slots=True, eq=False)
class _Write:
    """A transaction under way."""

    rows: list[_Row]
    """Those that are not settled yet."""
    releases: list[Release]
    """Leases to give up after them."""
    last: int
    """The ticket of its newest event."""
    done: anyio.Event = field(default_factory=anyio.Event)
    error: BaseException | None = None


class _RefusedError(Exception):
    """A row was not inserted, because its lease is another's."""


class SqlJournal:
    """Implements `swarm.runtime.Journal` on a database."""

    def __init__(
        self,
        database: Database,
        *,
        lease_seconds: float = 15.0,
        lease_wait: float = 0.0,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        self._database = database
        self._secrets = secrets or {}
        """Keys by their variables: whoever said one, it is not written."""
        self._fenced, self._unfenced = _statements(database.tables)
        self._leases = Leases(
            database, seconds=lease_seconds, wait=lease_wait, on_release=self._wake
        )
        self._queue: list[_Row] = []
        self._last = 0
        """The newest ticket."""
        self._stored = 0
        """Everything up to this ticket is durable."""
        self._writing: _Write | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._conflicts: set[str] = set()
        """Sessions that somebody else wrote to since they were read here."""

    def append(self, session_id: str, seq: int, event: Event) -> int:
        """Queue an event; see `Journal.append`."""
        if len(self._queue) >= _MAX_QUEUED:
            raise StoreError(f"the journal {self._database.place} cannot be written; queue full")
        self._queue.append(
            {
                "session_id": session_id,
                "seq": seq,
                "kind": event.kind,
                "payload": self._without_secrets(_encode(event)),
                "at": time.time(),
                "owner": self._leases.owner,
                "token": self._leases.token(session_id),
            }
        )
        self._last += 1
        self._wake()
        return self._last

    async def flush(self, session_id: str, ticket: int) -> None:
        """Return once everything up to a ticket is durable; see `Journal.flush`."""
        while self._stored < ticket:
            write = self._writing or self._start()
            await write.done.wait()
            # One that was under way before the event was queued says nothing of it.
            if write.error is not None and self._stored < ticket <= write.last:
                if isinstance(write.error, StoreError):
                    raise StoreError(str(write.error)) from write.error
                raise write.error
        if session_id in self._conflicts:
            raise SessionError(
                f"another process writes to session {session_id!r}; open it in one place only"
            )

    def withdraw(self, session_id: str, seq: int) -> bool:
        """Take back an event that could not be stored; see `Journal.withdraw`."""
        for index in range(len(self._queue) - 1, -1, -1):
            row = self._queue[index]
            if row["session_id"] == session_id:
                if row["seq"] == seq:
                    del self._queue[index]
                return row["seq"] == seq
        return False

    async def read(
        self, session_id: str, *, last: int, kinds: Sequence[str] | None = None
    ) -> list[StoredEvent]:
        """Read the newest events of a session; see `Journal.read`."""
        import sqlalchemy as sa

        await self._settle(session_id)
        events = self._database.tables.events
        query = (
            sa.select(events.c.seq, events.c.at, events.c.kind, events.c.payload)
            .where(events.c.session_id == session_id)
            .order_by(events.c.seq.desc())
            .limit(last)
        )
        if kinds is not None:
            query = query.where(events.c.kind.in_(kinds))
        rows = await self._database.run(lambda connection: connection.execute(query).all())
        return [
            StoredEvent(session_id, row.seq, row.at, decode_row(row.kind, row.payload))
            for row in reversed(rows)
        ]

    async def acquire(self, session_id: str, *, wait: float | None = None) -> None:
        """Become the one who may write to a session; see `Journal.acquire`."""
        # Under a new token, what waits under the old one would be refused.
        await self._settle(session_id)
        await self._leases.take(session_id, wait)

    def release(self, session_id: str) -> int:
        """Let others write to a session; see `Journal.release`."""
        if self._leases.give_up(session_id):
            self._last += 1
        return self._last

    async def aclose(self) -> None:
        """Write what is left and release the leases.

        Raises:
            StoreError: It could not be written.
        """
        try:
            for session_id in self._leases.session_ids:
                self._leases.give_up(session_id)
            if self._leases.released:
                self._last += 1
            await self.flush("", self._last)
        finally:
            self._leases.close()
            if self._timer is not None:
                self._timer.cancel()

    async def _settle(self, session_id: str) -> None:
        # Whoever reads anew continues after the other writer; what was refused stays refused.
        if session_id in self._conflicts:
            self._queue = [row for row in self._queue if row["session_id"] != session_id]
            self._conflicts.discard(session_id)
        if self._writing is not None or any(r["session_id"] == session_id for r in self._queue):
            # What a failing disk kept from being written belongs to the conversation, too.
            await self.flush(session_id, self._last)

    def _wake(self) -> None:
        if self._timer is None and self._writing is None:
            self._write_soon()

    def _without_secrets(self, payload: str) -> str:
        if not self._secrets:
            return payload
        found = {name: value for name, value in self._secrets.items() if value in payload}
        return hide(payload, found) if found else payload

    def _write_soon(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_LONGEST_WAIT, self._start)

    def _start(self) -> _Write:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        write = self._writing = _Write(self._queue, self._leases.released, self._last)
        self._queue, self._leases.released = [], []
        future = self._database.submit(partial(self._insert, write))
        future.add_done_callback(partial(self._finish, write))
        return write

    def _finish(self, write: _Write, future: "asyncio.Future[None]") -> None:
        self._writing = None
        write.error = asyncio.CancelledError() if future.cancelled() else future.exception()
        if write.error is None:
            self._stored = write.last
            if self._queue or self._leases.released:
                self._write_soon()
        else:
            # They stay queued; whoever needs them next tries again.
            self._queue = write.rows + self._queue
            self._leases.released = write.releases + self._leases.released
        write.done.set()

    def _insert(self, write: _Write) -> None:
        """Insert the rows of a write, in the database's thread."""
        import sqlalchemy.exc

        if self._conflicts:
            # A later row of a session with two writers might fit into the other's sequence.
            write.rows = [row for row in write.rows if row["session_id"] not in self._conflicts]

        def work(connection: "sqlalchemy.Connection") -> None:
            self._insert_rows(connection, write.rows)
            if write.releases:
                self._leases.release(connection, write.releases)

        if write.rows or write.releases:
            try:
                self._database.run_sync(work, is_repeatable=True)
            except (sqlalchemy.exc.IntegrityError, _RefusedError):
                self._insert_apart(write)

    def _insert_apart(self, write: _Write) -> None:
        """Insert each session's rows alone, so that one with two writers harms no other."""
        sessions: dict[str, list[_Row]] = {}
        for row in write.rows:
            sessions.setdefault(str(row["session_id"]), []).append(row)
        for session_id, own in sessions.items():
            if not self._insert_own(own) and not self._insert_own(self._without_stored(own)):
                self._conflicts.add(session_id)
            # Settled, so a failure further on does not write these again.
            write.rows = [row for row in write.rows if row["session_id"] != session_id]
        if write.releases:
            self._database.run_sync(
                lambda connection: self._leases.release(connection, write.releases),
                is_repeatable=True,
            )

    def _insert_own(self, own: list[_Row]) -> bool:
        """Insert the rows of one session; returns whether they are stored."""
        import sqlalchemy.exc

        try:
            self._database.run_sync(
                lambda connection: self._insert_rows(connection, own), is_repeatable=True
            )
        except (sqlalchemy.exc.IntegrityError, _RefusedError):
            return False
        return True

    def _insert_rows(self, connection: "sqlalchemy.Connection", rows: list[_Row]) -> None:
        fenced = [row for row in rows if row["token"]]
        others = [row for row in rows if not row["token"]] if len(fenced) < len(rows) else []
        for statement, some in ((self._fenced, fenced), (self._unfenced, others)):
            if some and connection.execute(statement, some).rowcount != len(some):
                raise _RefusedError

    def _without_stored(self, own: list[_Row]) -> list[_Row]:
        """Leave out rows that are stored: the answer to their commit was lost with a connection."""
        import sqlalchemy as sa

        events = self._database.tables.events
        query = sa.select(events).where(
            events.c.session_id == own[0]["session_id"], events.c.seq >= own[0]["seq"]
        )
        found = self._database.run_sync(lambda connection: connection.execute(query).all())
        stored = {(row.seq, row.kind, row.payload, row.at) for row in found}
        return [r for r in own if (r["seq"], r["kind"], r["payload"], r["at"]) not in stored]


def _statements(tables: Tables) -> "tuple[sqlalchemy.Executable, sqlalchemy.Executable]":
    """Return the inserts of an event: under a lease, and of a session that never had one."""
    import sqlalchemy as sa

    events, leases = tables.events, tables.leases
    values = [sa.bindparam(column.name, type_=column.type) for column in events.c]
    own = leases.c.session_id == sa.bindparam("session_id", type_=leases.c.session_id.type)
    # Locked until the commit, so that nobody takes the lease between the check and the event.
    held = (
        sa.select(*values)
        .where(
            own,
            leases.c.owner == sa.bindparam("owner", type_=leases.c.owner.type),
            leases.c.token == sa.bindparam("token", type_=leases.c.token.type),
        )
        .with_for_update(read=True)
    )
    unknown = sa.select(*values).where(~sa.exists().where(own))
    names = [column.name for column in events.c]
    return (
        sa.insert(events).from_select(names, held).execution_options(preserve_rowcount=True),
        sa.insert(events).from_select(names, unknown).execution_options(preserve_rowcount=True),
    )


def _encode(event: Event) -> str:
    """Return an event as JSON."""
    # What `model_dump_json` does, without reading its dozen options first.
    return event.__pydantic_serializer__.to_json(event, exclude_defaults=True).decode()


def decode_row(kind: str, payload: str) -> Event:
    """Return the event of a row.

    Raises:
        StoreError: The row is no event that this version knows.
    """
    try:
        return decode_event(orjson.dumps({"kind": kind, **orjson.loads(payload)}))
    except (ValidationError, orjson.JSONDecodeError, TypeError) as wrong:
        raise StoreError(f"the journal holds an event that cannot be read: {kind!r}") from wrong
