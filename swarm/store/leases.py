"""Leases: which journal may write to a session, among those of all processes.

A lease belongs to an owner, one for each open journal, and holds until the owner gives it up or
is dead. An owner is dead when its process is, as far as that can be seen from here, or when it
has not renewed itself in time. Each time a lease is taken its token grows; the journal inserts
events only under the token that stands in the table, so who was taken for dead and wakes up
cannot write. What is renewed is one row of the owner, not a row of each session.
"""

import asyncio  # noqa: TID251 - a timer of the loop is no task that could be left behind
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import anyio

from swarm.errors import SessionError, StoreError
from swarm.store.database import Database
from swarm.store.owner import describe_owner, is_dead, new_owner

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["Leases", "Release"]

_POLL = 0.1
"""Seconds between two tries to take a lease that another process holds."""

_FORGOTTEN = 86_400
"""Seconds after which the row of an owner that expired is deleted."""


class Release(NamedTuple):
    """A lease to give up."""

    session_id: str
    token: int


@dataclass(slots=True, eq=False)
class _Attempt:
    """Sessions whose leases are taken in one transaction."""

    session_ids: set[str] = field(default_factory=set[str])
    abandoned: set[str] = field(default_factory=set[str])
    """Those that nobody waits for any more."""
    done: anyio.Event = field(default_factory=anyio.Event)
    tokens: dict[str, int] = field(default_factory=dict[str, int])
    holders: dict[str, str] = field(default_factory=dict[str, str])
    """Who has the sessions that were not to be had."""
    error: BaseException | None = None


class Leases:
    """The leases of one journal."""

    def __init__(
        self,
        database: Database,
        *,
        seconds: float,
        wait: float,
        on_release: Callable[[], None],
    ) -> None:
        self.owner = new_owner()
        self.released: list[Release] = []
        """Still to be told to the database; the journal's next write does."""
        self._database = database
        self._seconds = seconds
        self._wait = wait
        self._on_release = on_release
        self._held: dict[str, int] = {}
        self._running: _Attempt | None = None
        self._next: _Attempt | None = None
        self._timer: asyncio.TimerHandle | None = None

    def token(self, session_id: str) -> int:
        """Return the token under which events of a session are written; 0 without a lease."""
        return self._held.get(session_id, 0)

    @property
    def session_ids(self) -> list[str]:
        """Return the sessions whose leases are held."""
        return list(self._held)

    async def take(self, session_id: str, wait: float | None) -> None:
        """Take the lease of a session.

        Raises:
            SessionError: Another process holds it, also after the time to wait.
            StoreError: The database failed.
        """
        deadline = time.monotonic() + (self._wait if wait is None else wait)
        while True:
            holder = await self._try(session_id)
            if holder is None:
                return
            left = deadline - time.monotonic()
            if left <= 0:
                raise SessionError(
                    f"session {session_id!r} is open in {describe_owner(holder)}; close it there;"
                    " when that process ends it is free, on this machine at once, on another"
                    f" after {self._seconds:g} s"
                )
            await anyio.sleep(min(_POLL, left))

    def give_up(self, session_id: str) -> bool:
        """Note that a lease is to be released; returns whether it was held."""
        token = self._held.pop(session_id, 0)
        if token:
            self.released.append(Release(session_id, token))
            self._on_release()
        return bool(token)

    def release(self, connection: "sqlalchemy.Connection", given_up: list[Release]) -> None:
        """Release leases, in a transaction of the journal's; one that is lost stays with others."""
        import sqlalchemy as sa

        leases = self._database.tables.leases
        update = (
            sa.update(leases)
            .where(leases.c.session_id == sa.bindparam("of"), leases.c.owner == self.owner)
            .where(leases.c.token == sa.bindparam("held"))
            .values(owner="")
        )
        rows = [{"of": session_id, "held": token} for session_id, token in sorted(given_up)]
        connection.execute(update, rows)

    def close(self) -> None:
        """Stop renewing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _try(self, session_id: str) -> str | None:
        """Take a lease with all others that are wanted now; returns who has it instead."""
        attempt = self._next = self._next or _Attempt()
        attempt.session_ids.add(session_id)
        attempt.abandoned.discard(session_id)
        if self._running is None:
            self._start()
        try:
            await attempt.done.wait()
        except BaseException:
            attempt.abandoned.add(session_id)
            if attempt.done.is_set():
                self.give_up(session_id)
            raise
        if attempt.error is not None:
            if isinstance(attempt.error, StoreError):
                raise StoreError(str(attempt.error)) from attempt.error
            raise attempt.error
        return attempt.holders.get(session_id)

    def _start(self) -> None:
        attempt, self._running, self._next = self._next, self._next, None
        if attempt is not None:
            run = partial(self._database.run_sync, partial(self._take, attempt), is_repeatable=True)
            self._database.submit(run).add_done_callback(partial(self._finish, attempt))

    def _finish(self, attempt: _Attempt, future: "asyncio.Future[None]") -> None:
        attempt.error = asyncio.CancelledError() if future.cancelled() else future.exception()
        if attempt.error is None:
            self._held |= attempt.tokens
            for session_id in attempt.abandoned:
                self.give_up(session_id)
            if self._timer is None:
                self._renew_later()
        attempt.done.set()
        self._start()

    def _take(self, attempt: _Attempt, connection: "sqlalchemy.Connection") -> None:
        """Take what is free, in the database's thread."""
        import sqlalchemy as sa

        leases, ids = self._database.tables.leases, sorted(attempt.session_ids)
        # Writing first: SQLite then lets nobody else write between what is read and its change.
        self._renew(connection)
        missing = self._database.insert_missing(leases)
        connection.execute(missing, [{"session_id": i, "owner": "", "token": 0} for i in ids])
        # A locked row is one that its owner writes under at this moment, so it is not free.
        lock = (
            sa.select(leases).where(leases.c.session_id.in_(ids)).with_for_update(skip_locked=True)
        )
        rows = {row.session_id: row for row in connection.execute(lock)}
        alive = self._alive(connection, {row.owner for row in rows.values()})
        attempt.tokens.clear()
        attempt.holders.clear()
        for session_id in ids:
            row = rows.get(session_id)
            if row is None or row.owner in alive:
                attempt.holders[session_id] = row.owner if row is not None else ""
            else:
                attempt.tokens[session_id] = row.token + 1
        if attempt.tokens:
            update = (
                sa.update(leases)
                .where(leases.c.session_id == sa.bindparam("of"))
                .values(owner=self.owner, token=sa.bindparam("new"))
            )
            taken = [{"of": name, "new": token} for name, token in attempt.tokens.items()]
            connection.execute(update, taken)

    def _alive(self, connection: "sqlalchemy.Connection", owners: set[str]) -> set[str]:
        """Return those owners, other than this one, whose leases count."""
        import sqlalchemy as sa

        others = sorted(owners - {"", self.owner})
        if not others:
            return set()
        writers = self._database.tables.writers
        query = sa.select(writers.c.owner).where(
            writers.c.owner.in_(others), writers.c.expires_at > self._database.time()
        )
        return {row.owner for row in connection.execute(query) if not is_dead(row.owner)}

    def _renew(self, connection: "sqlalchemy.Connection") -> None:
        """Count as alive for another while."""
        import sqlalchemy as sa

        writers, now = self._database.tables.writers, self._database.time()
        update = sa.update(writers).where(writers.c.owner == self.owner)
        expires_at = now + self._seconds
        if connection.execute(update.values(expires_at=expires_at)).rowcount == 0:
            connection.execute(sa.delete(writers).where(writers.c.expires_at < now - _FORGOTTEN))
            connection.execute(sa.insert(writers).values(owner=self.owner, expires_at=expires_at))

    def _renew_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._seconds / 3, self._renew_now)

    def _renew_now(self) -> None:
        self._timer = None
        if self._held:
            renew = partial(self._database.run_sync, self._renew, is_repeatable=True)
            self._database.submit(renew).add_done_callback(self._renewed)

    def _renewed(self, future: "asyncio.Future[None]") -> None:
        if not future.cancelled():
            future.exception()  # a database that is away now may be back at the next try
        if self._timer is None:
            self._renew_later()
