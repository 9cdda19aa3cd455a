"""The journal: groups, two writers, damage, and what a failure leaves in the queue."""

import sqlite3
import threading
from pathlib import Path

import anyio
import anyio.lowlevel
import psycopg
import pytest
import sqlalchemy
import sqlalchemy.event

from swarm import CompletionRequest, Host, session
from swarm.errors import SessionError, StoreError
from swarm.events import Noted
from swarm.runtime import StoredEvent
from swarm.store import SqlJournal, open_database
from swarm.store.journal import decode_row
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


def echo(request: CompletionRequest) -> str:
    """Answer with what was said."""
    return f"re: {request.messages[-1].content}"


async def echo_later(request: CompletionRequest) -> str:
    await anyio.lowlevel.checkpoint()
    return echo(request)


async def test_many_sessions_share_their_transactions(program: Program) -> None:
    program.agent(model=echo_later)
    program.swarm()
    commits: list[object] = []
    async with program.host() as host:
        sqlalchemy.event.listen(host.database.engine, "commit", commits.append)

        async def converse(number: int) -> None:
            async with session(f"client-{number}", "shop", host=host) as chat:
                for text in ("one", "two"):
                    assert await chat.complete(text) == f"re: {text}"

        async with anyio.create_task_group() as group:
            for number in range(40):
                group.start_soon(converse, number)
        writes = len(commits)
    rows = [row for n in range(40) for row in await program.events(f"shop/client-{n}")]
    assert len(rows) == 40 * (1 + 1 + 2 * 3)
    # Each session reads once and would, alone, write five times or more.
    assert writes < 40 + 40 * 5 / 2, f"{writes} transactions for {len(rows)} events"


async def test_a_session_that_is_open_elsewhere_is_refused_before_it_is_read(
    program: Program,
) -> None:
    program.agent(model=echo)
    program.swarm()
    async with program.host() as one, program.host() as two:
        async with (
            session("client", "shop", host=one) as winner,
            session("other", "shop", host=two) as bystander,
        ):
            for _ in range(2):
                with pytest.raises(
                    SessionError, match=r"is open in process \d+ on .* on this machine at once"
                ):
                    async with session("client", "shop", host=two):
                        raise NotImplementedError
            assert await winner.complete("mine") == "re: mine"
            assert await bystander.complete("me too") == "re: me too"
        async with session("client", "shop", host=two) as chat:
            assert await chat.complete("now me") == "re: now me"
    rows = await program.events()
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))


async def test_a_session_may_be_waited_for(program: Program) -> None:
    program.agent(model=echo)
    program.swarm()
    patient = Host(
        catalog=program.catalog,
        home=program.home,
        store=program.store,
        environment={},
        lease_wait=20,
    )
    answers: list[str] = []

    async def wait() -> None:
        async with session("client", "shop", host=patient) as later:
            assert [m.content for m in later.history.messages] == ["mine", "re: mine"]
            answers.append(await later.complete("mine now"))

    async with (
        program.host() as one,
        patient,
        anyio.create_task_group() as group,
        session("client", "shop", host=one) as chat,
    ):
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        answers.append(await chat.complete("mine"))
    assert answers == ["re: mine", "re: mine now"]


async def test_a_host_that_was_taken_for_dead_loses_its_session_and_may_open_it_again(
    program: Program,
) -> None:
    program.agent(model=echo)
    program.swarm()
    async with program.host() as one, program.host() as two:
        loser = await two.open_session("client", "shop")
        await loser.open()
        await _expire(two)
        async with session("client", "shop", host=one) as winner:
            await winner.complete("mine")
            for text in ("not yours", "nor this", "nor that"):
                with pytest.raises(SessionError, match="another process writes to session"):
                    await loser.complete(text)
            with pytest.raises(SessionError):
                await loser.aclose()
            assert await winner.complete("still mine") == "re: still mine"
        async with session("client", "shop", host=two) as chat:
            contents = [m.content for m in chat.history.messages]
            assert contents == ["mine", "re: mine", "still mine", "re: still mine"]
            assert await chat.complete("my turn") == "re: my turn"
    rows = await program.events()
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))


async def _expire(host: Host) -> None:
    """Let a host look as if it had not renewed its leases in time."""
    writers = host.database.tables.writers
    await host.database.run(
        lambda connection: connection.execute(sqlalchemy.update(writers).values(expires_at=0))
    )


def _noted(number: int) -> Noted:
    return Noted(topic="n", data={"number": number})


def _numbers(rows: list[StoredEvent]) -> list[object]:
    return [row.event.data["number"] for row in rows if isinstance(row.event, Noted)]


class _Disk:
    """Makes the writes of a database fail, from the n-th statement on, until it is mended."""

    def __init__(self, journal_of: object) -> None:
        self.works_for = 1_000_000
        sqlalchemy.event.listen(journal_of, "before_cursor_execute", self._check)

    def _check(self, *arguments: object) -> None:
        if str(arguments[2]).startswith("INSERT"):
            self.works_for -= 1
            if self.works_for < 0:
                is_sqlite = type(arguments[1]).__module__.startswith("sqlite3")
                kind = sqlite3.OperationalError if is_sqlite else psycopg.OperationalError
                raise kind("database or disk is full")


async def test_what_could_not_be_written_is_written_later_and_in_order(
    tmp_path: Path, store: str | None
) -> None:
    database = open_database(tmp_path, store)
    disk, journal = _Disk(database.engine), SqlJournal(database)
    disk.works_for = 0
    first = journal.append("s", 1, _noted(1))
    with pytest.raises(StoreError, match="disk is full"):
        await journal.flush("s", first)
    second = journal.append("s", 2, _noted(2))
    with pytest.raises(StoreError):
        await journal.flush("s", second)
    disk.works_for = 1_000_000
    await journal.flush("s", first)
    assert _numbers(await journal.read("s", last=10)) == [1, 2]
    await journal.flush("s", second)
    database.close()


async def test_reading_a_session_brings_what_a_full_disk_held_back(
    tmp_path: Path, store: str | None
) -> None:
    database = open_database(tmp_path, store)
    disk, journal = _Disk(database.engine), SqlJournal(database)
    disk.works_for = 0
    with pytest.raises(StoreError):
        await journal.flush("s", journal.append("s", 1, _noted(1)))
    with pytest.raises(StoreError):
        await journal.read("s", last=10)
    assert await journal.read("another", last=10) == []
    disk.works_for = 1_000_000
    assert _numbers(await journal.read("s", last=10)) == [1]
    database.close()


async def test_a_disk_that_fills_while_a_conflict_is_sorted_out_makes_no_second_one(
    tmp_path: Path, store: str | None
) -> None:
    database = open_database(tmp_path, store)
    disk, journal = _Disk(database.engine), SqlJournal(database)
    await journal.flush("taken", journal.append("taken", 1, _noted(0)))
    other = SqlJournal(database)
    ticket = max(other.append(name, 1, _noted(1)) for name in ("first", "taken", "last"))
    # The group fails on the conflict, `first` is written alone, then the disk is full.
    disk.works_for = 2
    with pytest.raises(StoreError):
        await other.flush("first", ticket)
    disk.works_for = 1_000_000
    await other.flush("first", ticket)
    await other.flush("last", ticket)
    with pytest.raises(SessionError):
        await other.flush("taken", ticket)
    for name, numbers in (("first", [1]), ("taken", [0]), ("last", [1])):
        assert _numbers(await other.read(name, last=10)) == numbers
    database.close()


async def test_an_event_that_cannot_be_encoded_takes_no_place(
    tmp_path: Path, store: str | None
) -> None:
    database = open_database(tmp_path, store)
    journal = SqlJournal(database)
    with pytest.raises(ValueError, match="surrogates"):
        journal.append("s", 1, Noted(topic="\ud800", data={}))
    await journal.flush("s", journal.append("s", 1, _noted(1)))
    assert _numbers(await journal.read("s", last=10)) == [1]
    database.close()


async def test_only_the_newest_events_are_read(tmp_path: Path, store: str | None) -> None:
    database = open_database(tmp_path, store)
    journal = SqlJournal(database)
    ticket = max(journal.append("s", number, _noted(number)) for number in range(1, 11))
    await journal.flush("s", ticket)
    rows = await journal.read("s", last=3)
    assert [(row.seq, row.session_id) for row in rows] == [(8, "s"), (9, "s"), (10, "s")]
    database.close()


@pytest.mark.parametrize(
    ("kind", "payload"),
    [("noted", "no json"), ("noted", "[1]"), ("noted", "{}"), ("unheard_of", "{}"), ("noted", "")],
)
def test_a_row_that_is_no_event_is_named(kind: str, payload: str) -> None:
    with pytest.raises(StoreError, match=f"cannot be read: '{kind}'"):
        decode_row(kind, payload)


async def test_a_damaged_conversation_is_a_store_error_and_others_live_on(
    program: Program,
) -> None:
    program.agent(model=echo)
    for client in ("good", "bad"):
        async with program.chat(client) as chat:
            await chat.complete("hi")
    damage = "UPDATE events SET payload = '{' WHERE session_id = 'shop/bad' AND seq = 2"
    async with program.host() as host:
        await host.database.run(lambda connection: connection.exec_driver_sql(damage))
    with pytest.raises(StoreError, match="the journal holds an event that cannot be read"):
        async with program.chat("bad"):
            raise NotImplementedError
    async with program.chat("good") as chat:
        assert await chat.complete("still here") == "re: still here"


async def test_an_event_does_not_share_the_failure_of_a_write_that_it_was_not_in(
    program: Program,
) -> None:
    async with program.host() as host:
        journal, is_free, failed = host.journal, threading.Event(), list[str]()

        def rename(table: str, other: str) -> None:
            host.database.run_sync(
                lambda connection: connection.exec_driver_sql(
                    f"ALTER TABLE {table} RENAME TO {other}"
                )
            )

        def go_away() -> None:
            is_free.wait()
            rename("events", "away")

        async def write_early() -> None:
            try:
                await journal.flush(
                    "shop/a", journal.append("shop/a", 1, Noted(topic="a", data={}))
                )
            except StoreError as error:
                failed.append(str(error))

        host.database.submit(go_away)
        async with anyio.create_task_group() as group:
            group.start_soon(write_early)
            await anyio.wait_all_tasks_blocked()
            ticket = journal.append("shop/b", 1, Noted(topic="b", data={}))
            host.database.submit(lambda: rename("away", "events"))
            is_free.set()
            await journal.flush("shop/b", ticket)
        assert len(failed) == 1
        assert [row.event.kind for row in await journal.read("shop/b", last=9)] == ["noted"]
