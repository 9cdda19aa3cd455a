"""Opening a home: told at once when it cannot hold a journal."""

import multiprocessing
import sqlite3
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from swarm.errors import StoreError
from swarm.store import open_database
from tests.swarm.store.children import start


def _open(pipe: Connection, home: str, waits: bool) -> None:
    if waits:
        pipe.send("ready")
    try:
        open_database(Path(home)).close()
        pipe.send("opened")
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")


def test_many_processes_may_open_a_fresh_home_at_once(tmp_path: Path) -> None:
    assert "forkserver" in multiprocessing.get_all_start_methods()
    children = [start(_open, str(tmp_path / "home"), False) for _ in range(8)]
    said = [pipe.recv() if pipe.poll(20) else "nothing" for _, pipe in children]
    for process, _ in children:
        process.join()
    assert said == ["opened"] * 8


def test_the_journal_is_synced_at_each_commit(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
    database.close()


def test_another_writer_is_waited_for_but_not_without_end(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 5_000
    database.close()


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("", encoding="utf-8")
    for path in (home, home / "below"):
        with pytest.raises(
            StoreError, match=r"cannot create the folder .*--home or WIKISWARM_HOME"
        ):
            open_database(path)


def test_a_home_where_the_journal_cannot_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").mkdir()
    with pytest.raises(StoreError, match="is there space left"):
        open_database(tmp_path)


def test_a_home_that_may_not_be_written(tmp_path: Path) -> None:
    open_database(tmp_path).close()
    # Also the superuser may not write where the kernel keeps its own files.
    with pytest.raises(StoreError):
        open_database(Path("/proc/self/home"))


@pytest.mark.requirement("kit:persist:broken-store")
@pytest.mark.parametrize(
    "content", [b"This is no database at all. " * 100, b"SQLite format 3\0" * 300]
)
def test_a_file_that_is_no_journal(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(content)
    with pytest.raises(StoreError, match=r"journal\.sqlite3"):
        open_database(tmp_path)


def test_the_advice_for_a_file_that_is_no_journal_is_to_move_it(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"This is no database at all. " * 100)
    with pytest.raises(StoreError, match=r"not a database; move it away, and a new one is made"):
        open_database(tmp_path)


@pytest.mark.parametrize("found", ["2", "later", ""])
def test_a_journal_of_a_later_version(tmp_path: Path, found: str) -> None:
    open_database(tmp_path).close()
    with sqlite3.connect(tmp_path / "journal.sqlite3") as file:
        file.execute("UPDATE meta SET value = ? WHERE key = 'format'", (found,))
    file.close()
    with pytest.raises(StoreError, match=r"has format .*; this version reads up to 1"):
        open_database(tmp_path)


def test_a_journal_with_a_torn_page_is_a_store_error(tmp_path: Path) -> None:
    open_database(tmp_path).close()
    path = tmp_path / "journal.sqlite3"
    data = bytearray(path.read_bytes())
    data[100:2000] = b"\xff" * 1900
    path.write_bytes(data)
    with pytest.raises(StoreError, match="malformed"):
        open_database(tmp_path)
