"""The journal: queued events, written in groups.

Whoever needs durability first writes everything that is queued, for all sessions, in one
transaction; those who come meanwhile wait for the next one. So many sessions share one sync of
the disk, and no task runs in the background.
"""

import time
from typing import TYPE_CHECKING

import anyio
import orjson
from pydantic import ValidationError

from swarm.errors import SessionError, StoreError
from swarm.events import Event, decode_event
from swarm.runtime.journal import StoredEvent
from swarm.store.database import Database

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["SqlJournal", "decode_row"]

_MAX_QUEUED = 50_000
"""Events that may wait for a disk that fails; then sessions are refused."""


class SqlJournal:
    """Implements `swarm.runtime.Journal` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: list[dict[str, object]] = []
        self._last = 0
        """The newest ticket."""
        self._stored = 0
        """Everything up to this ticket is durable."""
        self._writing: anyio.Event | None = None
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
                "payload": event.model_dump_json(exclude_defaults=True),
                "at": time.time(),
            }
        )
        self._last += 1
        return self._last

    async def flush(self, session_id: str, ticket: int) -> None:
        """Write what is queued, or wait for who is writing; see `Journal.flush`."""
        while self._stored < ticket:
            if self._writing is not None:
                await self._writing.wait()
            else:
                await self._write()
        if session_id in self._conflicts:
            raise SessionError(
                f"another process writes to session {session_id!r}; open it in one place only"
            )

    async def read(self, session_id: str, *, last: int) -> list[StoredEvent]:
        """Read the newest events of a session; see `Journal.read`."""
        import sqlalchemy as sa

        # Whoever reads anew continues after the other writer; what was refused stays refused.
        if session_id in self._conflicts:
            self._queue = [row for row in self._queue if row["session_id"] != session_id]
            self._conflicts.discard(session_id)
        if self._writing is not None or any(r["session_id"] == session_id for r in self._queue):
            # What a failing disk kept from being written belongs to the conversation, too.
            await self.flush(session_id, self._last)
        events = self._database.tables.events
        query = (
            sa.select(events.c.seq, events.c.at, events.c.kind, events.c.payload)
            .where(events.c.session_id == session_id)
            .order_by(events.c.seq.desc())
            .limit(last)
        )
        rows = await self._database.run(lambda connection: connection.execute(query).all())
        return [
            StoredEvent(session_id, row.seq, row.at, decode_row(row.kind, row.payload))
            for row in reversed(rows)
        ]

    async def _write(self) -> None:
        done = self._writing = anyio.Event()
        last, batch, self._queue = self._last, self._queue, []
        try:
            # Not to be cancelled: the rows have left the queue.
            with anyio.CancelScope(shield=True):
                await self._insert(batch)
            self._stored = last
        except BaseException:
            self._queue = batch + self._queue
            raise
        finally:
            self._writing = None
            done.set()

    async def _insert(self, rows: list[dict[str, object]]) -> None:
        import sqlalchemy as sa
        import sqlalchemy.exc

        insert = sa.insert(self._database.tables.events)
        if self._conflicts:
            # A later row of a session with two writers might fit into the other's sequence.
            rows[:] = [row for row in rows if row["session_id"] not in self._conflicts]
        if not rows:
            return

        def write(connection: "sqlalchemy.Connection") -> None:
            connection.execute(insert, rows)

        try:
            await self._database.run(write)
        except sqlalchemy.exc.IntegrityError:
            await self._insert_apart(rows)

    async def _insert_apart(self, rows: list[dict[str, object]]) -> None:
        """Write each session's rows alone, so that one with two writers harms no other."""
        import sqlalchemy as sa
        import sqlalchemy.exc

        insert = sa.insert(self._database.tables.events)
        sessions: dict[str, list[dict[str, object]]] = {}
        for row in rows:
            sessions.setdefault(str(row["session_id"]), []).append(row)
        for session_id, own in sessions.items():

            def write(
                connection: "sqlalchemy.Connection", own: list[dict[str, object]] = own
            ) -> None:
                connection.execute(insert, own)

            try:
                await self._database.run(write)
            except sqlalchemy.exc.IntegrityError:
                self._conflicts.add(session_id)
            # Settled, so a failure further on does not write these again.
            rows[:] = [row for row in rows if row["session_id"] != session_id]


def decode_row(kind: str, payload: str) -> Event:
    """Return the event of a row.

    Raises:
        StoreError: The row is no event that this version knows.
    """
    try:
        return decode_event(orjson.dumps({"kind": kind, **orjson.loads(payload)}))
    except (ValidationError, orjson.JSONDecodeError, TypeError) as wrong:
        raise StoreError(f"the journal holds an event that cannot be read: {kind!r}") from wrong
