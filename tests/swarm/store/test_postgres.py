"""PostgreSQL that goes away: what was acknowledged is there when it is back."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import psycopg
import pytest

from swarm import CompletionRequest, Session, session
from swarm.errors import StoreError
from swarm.events import Noted, TurnEnded
from swarm.store import SqlJournal, open_database, read_session
from tests.postgres import PostgresServer
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


@pytest.fixture
def store(postgres: PostgresServer) -> str:
    """An empty store on the server."""
    return postgres.fresh_url()


@pytest.fixture
def server(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """The server, running again after the test."""
    yield postgres
    postgres.kill()
    postgres.start()


async def echo(request: CompletionRequest) -> str:
    await anyio.lowlevel.checkpoint()
    return f"re: {request.messages[-1].content}"


async def test_a_server_that_was_restarted_between_two_turns_is_not_noticed(
    program: Program, server: PostgresServer
) -> None:
    program.agent(model=echo)
    async with program.chat() as chat:
        for number in range(3):
            assert await chat.complete(f"{number}") == f"re: {number}"
            server.stop()
            server.start()
    assert [run.question for run in await program.runs()] == ["2", "1", "0"]


@pytest.mark.requirement("S0-01")
async def test_a_lock_of_somebody_else_ends_a_turn_with_an_error_and_not_the_session(
    program: Program, postgres: PostgresServer
) -> None:
    asked, may_answer, has_ended = anyio.Event(), anyio.Event(), anyio.Event()
    errors: list[str] = []

    async def model(request: CompletionRequest) -> str:
        asked.set()
        await may_answer.wait()
        return await echo(request)

    url = str(program.store)
    program.store = f"{url}%20-clock_timeout%3D300ms"
    program.agent(model=model)
    async with program.chat() as chat, anyio.create_task_group() as group:

        async def ask() -> None:
            with pytest.raises(StoreError) as caught:
                await chat.complete("in vain")
            errors.append(str(caught.value))
            has_ended.set()

        group.start_soon(ask)
        await asked.wait()
        await chat.flush()
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
            may_answer.set()
            with anyio.fail_after(20):
                await has_ended.wait()
                await ask()  # the lock is held from the start of this one
        assert await chat.complete("after") == "re: after"
    assert len(errors) == 2
    for error in errors:
        assert "canceling statement due to lock timeout" in error
        assert "another transaction holds a lock on its tables; end that one" in error
    rows = await program.events()
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    statuses = [row.event.status for row in rows if isinstance(row.event, TurnEnded)]
    assert statuses == ["failed", "failed", "answered"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", {"lock_timeout": "15s", "statement_timeout": "1min"}),
        (
            "%20-cstatement_timeout%3D5min%20-clock_timeout%3D2s",
            {"lock_timeout": "2s", "statement_timeout": "5min"},
        ),
    ],
)
def test_no_statement_and_no_lock_is_waited_for_without_end(
    tmp_path: Path, store: str, options: str, expected: dict[str, str]
) -> None:
    database = open_database(tmp_path, store + options)
    try:
        shown = database.run_sync(
            lambda connection: {
                name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in expected
            }
        )
    finally:
        database.close()
    assert shown == expected


def test_a_statement_that_takes_too_long_is_a_store_error_and_the_next_one_runs(
    tmp_path: Path, store: str
) -> None:
    database = open_database(tmp_path, f"{store}%20-cstatement_timeout%3D50ms")
    try:
        with pytest.raises(StoreError, match="statement timeout; the server stopped a statement"):
            database.run_sync(lambda connection: connection.exec_driver_sql("SELECT pg_sleep(30)"))
        assert database.run_sync(lambda c: c.exec_driver_sql("SELECT 1").scalar_one()) == 1
    finally:
        database.close()


async def test_a_server_that_is_away_is_a_store_error_until_it_is_back(
    program: Program, server: PostgresServer
) -> None:
    program.agent(model=echo)
    async with program.chat() as chat:
        await chat.complete("before")
        server.kill()
        for _ in range(2):
            with pytest.raises(StoreError, match=r"the journal postgresql://postgres@.* failed"):
                await chat.complete("in vain")
        server.start()
        assert await chat.complete("after") == "re: after"
    rows = await program.events()
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    statuses = [row.event.status for row in rows if isinstance(row.event, TurnEnded)]
    assert statuses == ["answered", "failed", "failed", "answered"]


@pytest.mark.requirement("S0-01")
async def test_a_server_that_is_killed_four_times_loses_nothing_acknowledged(
    program: Program, server: PostgresServer
) -> None:
    program.agent(model=echo)
    program.swarm()
    acknowledged: dict[str, list[str]] = {f"client-{number}": [] for number in range(8)}
    failed: list[str] = []
    async with program.host() as host:

        async def converse(chat: Session, enough: anyio.Event) -> None:
            until = sum(map(len, acknowledged.values())) + 40
            while True:
                text = f"{chat.client_id} says {len(acknowledged[chat.client_id])}"
                try:
                    assert await chat.complete(text) == f"re: {text}"
                except StoreError as error:
                    failed.append(str(error))
                    return
                acknowledged[chat.client_id].append(text)
                if sum(map(len, acknowledged.values())) >= until:
                    enough.set()

        async with AsyncExitStack() as stack:
            chats = [
                await stack.enter_async_context(session(client, "shop", host=host))
                for client in acknowledged
            ]
            for _ in range(4):
                enough = anyio.Event()
                async with anyio.create_task_group() as group:
                    for chat in chats:
                        group.start_soon(converse, chat, enough)
                    await enough.wait()
                    await anyio.to_thread.run_sync(server.kill)
                assert len(failed) >= len(chats)
                failed.clear()
                await anyio.to_thread.run_sync(server.start)
            for chat in chats:
                await chat.complete("the last word")
        for client, texts in acknowledged.items():
            rows = await read_session(host.database, f"shop/{client}")
            assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
            answers = [row.event.answer for row in rows if isinstance(row.event, TurnEnded)]
            found = [answer for answer in answers if answer is not None]
            assert found == [*(f"re: {text}" for text in texts), "re: the last word"]
    assert sum(map(len, acknowledged.values())) >= 160


@pytest.mark.parametrize("is_stored", [True, False])
async def test_a_commit_whose_answer_is_lost_is_neither_doubled_nor_dropped(
    tmp_path: Path, store: str, is_stored: bool
) -> None:
    database = open_database(tmp_path, store)
    journal = SqlJournal(database)
    await journal.acquire("s")
    works: Any = database.engine.dialect.do_commit
    cuts = [1]

    def cut(dbapi_connection: Any) -> None:
        if cuts and cuts.pop():
            if is_stored:
                dbapi_connection.commit()
            dbapi_connection.dbapi_connection.close()
            raise psycopg.OperationalError("the connection was cut")
        works(dbapi_connection)

    database.engine.dialect.do_commit = cut
    ticket = max(journal.append("s", n, Noted(topic="n", data={"n": n})) for n in (1, 2))
    await journal.flush("s", ticket)
    assert not cuts
    await journal.flush("s", journal.append("s", 3, Noted(topic="n", data={"n": 3})))
    rows = await journal.read("s", last=10)
    assert [row.seq for row in rows] == [1, 2, 3]
    await journal.aclose()
    database.close()


async def test_other_work_is_not_done_twice_when_its_commit_is_in_doubt(
    tmp_path: Path, store: str
) -> None:
    database = open_database(tmp_path, store)
    done: list[int] = []

    def cut(dbapi_connection: Any) -> None:
        dbapi_connection.dbapi_connection.close()
        raise psycopg.OperationalError("the connection was cut")

    database.engine.dialect.do_commit = cut
    with pytest.raises(StoreError, match="was cut"):
        await database.run(lambda connection: done.append(1))
    assert done == [1]
    database.close()


async def test_a_second_cut_is_told(tmp_path: Path, store: str) -> None:
    database = open_database(tmp_path, store)
    tries: list[int] = []

    def cut(connection: Any) -> None:
        tries.append(1)
        connection.connection.dbapi_connection.close()
        connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StoreError, match="closed"):
        await database.run(cut)
    assert len(tries) == 2
    database.close()


async def test_a_server_that_does_not_wait_for_its_disk_is_told_to(
    tmp_path: Path, store: str
) -> None:
    lazy = store.replace("options=", "options=-csynchronous_commit%3Doff%20")
    for url, setting in ((lazy, "on"), (store, "on")):
        database = open_database(tmp_path, url)
        with database.engine.connect() as connection:
            found = connection.exec_driver_sql("SHOW synchronous_commit").scalar_one()
        assert found == setting
        database.close()


def test_no_file_is_made_in_the_home(tmp_path: Path, store: str) -> None:
    open_database(tmp_path / "home", store).close()
    assert not (tmp_path / "home").exists()
