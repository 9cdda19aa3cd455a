"""The suite for journals: ours pass it on every database, and broken ones do not."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from swarm.events import Event
from swarm.runtime import Journal, StoredEvent
from swarm.store import SqlJournal, open_database
from swarm.testing.conformance import ConformanceError, journal_cases, validate_journal
from tests.postgres import PostgresServer

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str | None:
    """The URL of an empty store; None for a file."""
    if request.param == "sqlite":
        return None
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.fresh_url()


def factory(
    home: Path, store: str | None, kind: Callable[..., SqlJournal] = SqlJournal
) -> Callable[..., AbstractAsyncContextManager[Journal]]:
    @asynccontextmanager
    async def open_journal(*, lease_seconds: float = 15.0) -> AsyncGenerator[Journal, None]:
        database = await anyio.to_thread.run_sync(open_database, home, store)
        journal = kind(database, lease_seconds=lease_seconds)
        try:
            yield journal
        finally:
            await journal.aclose()
            database.close()

    return open_journal


@pytest.mark.requirement("S0-01")
@pytest.mark.parametrize("case", journal_cases())
async def test_our_journal_keeps_its_promise(tmp_path: Path, store: str | None, case: str) -> None:
    report = await validate_journal(factory(tmp_path, store), only=[case])
    report.raise_failures()
    assert [(result.name, bool(result.promise)) for result in report.results] == [(case, True)]


class _WithoutLeases(SqlJournal):
    """Lets anybody write."""

    async def acquire(self, session_id: str, *, wait: float | None = None) -> None:
        """Take nothing."""


class _Forgetful(SqlJournal):
    """Acknowledges what it did not write, and forgets it."""

    async def flush(self, session_id: str, ticket: int) -> None:
        """Return at once."""

    async def aclose(self) -> None:
        """Drop what is queued."""
        self._queue = []
        await super().aclose()


class _Unordered(SqlJournal):
    """Reads the newest event first."""

    async def read(
        self, session_id: str, *, last: int, kinds: Sequence[str] | None = None
    ) -> list[StoredEvent]:
        """Return the events in the wrong order, of whatever kind."""
        return (await super().read(session_id, last=last))[::-1]


class _Unbounded(SqlJournal):
    """Queues without end, and never gives a session back."""

    def append(self, session_id: str, seq: int, event: Event) -> int:
        """Count events instead of keeping them."""
        return 1 if seq > 1000 else super().append(session_id, seq, event)

    def release(self, session_id: str) -> int:
        """Keep the lease."""
        return self._last


class _Unfenced(SqlJournal):
    """Checks who holds a session when it is opened, and never again."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        import sqlalchemy as sa

        self._fenced = self._unfenced = sa.insert(self._database.tables.events)

    def _insert_rows(self, connection: Any, rows: list[dict[str, object]]) -> None:
        names = ("session_id", "seq", "kind", "payload", "at")
        plain = [{name: row[name] for name in names} for row in rows]
        if plain:
            connection.execute(self._fenced, plain)


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        (_WithoutLeases, "a_session_is_open_in_one_journal_only"),
        (_Forgetful, "closing_writes_what_is_queued"),
        (_Forgetful, "what_is_flushed_is_there_for_others"),
        (_Unordered, "events_are_read_in_the_order_they_were_appended"),
        (_Unordered, "only_events_of_the_kinds_asked_for_are_read"),
        (_Unbounded, "the_queue_is_bounded"),
        (_Unbounded, "a_released_session_is_free"),
        (_Unfenced, "a_refused_event_harms_no_other_session"),
        (_Unfenced, "a_holder_that_stops_is_replaced_and_cannot_write"),
    ],
)
async def test_a_broken_journal_is_told(
    tmp_path: Path, kind: Callable[..., SqlJournal], broken: str
) -> None:
    report = await validate_journal(factory(tmp_path, None, kind), only=[broken], seconds=10)
    assert not report.is_conformant
    with pytest.raises(ConformanceError, match=f"1 of 1 cases failed\n  {broken}: "):
        report.raise_failures()


async def test_a_case_that_hangs_has_failed(tmp_path: Path) -> None:
    class Hanging(SqlJournal):
        async def acquire(self, session_id: str, *, wait: float | None = None) -> None:
            await anyio.sleep_forever()

    name = "events_are_read_in_the_order_they_were_appended"
    report = await validate_journal(factory(tmp_path, None, Hanging), only=[name], seconds=0.1)
    assert [result.error for result in report.failures] == ["no end after 0.1 s"]


async def test_a_case_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such cases: durability"):
        await validate_journal(factory(tmp_path, None), only=["durability"])
