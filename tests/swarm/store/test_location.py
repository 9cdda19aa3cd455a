"""URLs of stores: what is understood, what is refused, and a password that is never repeated."""

import logging
import sys
import traceback
from pathlib import Path

import pytest

from swarm import Catalog, Host
from swarm.errors import MissingExtraError, StoreError
from swarm.store import open_database
from swarm.store.location import locate

HOME = Path("home")
PASSWORD = "Pw-Planted9"


@pytest.mark.parametrize("store", [None, ""])
def test_without_a_url_it_is_a_file_in_the_home(store: str | None) -> None:
    found = locate(HOME, store)
    assert (found.place, found.folder) == ("home/journal.sqlite3", HOME)


@pytest.mark.parametrize(
    ("store", "place", "password"),
    [
        ("postgresql://db/shop", "postgresql://db/shop", ""),
        ("postgres://me@db:6543/shop", "postgresql://me@db:6543/shop", ""),
        (f"postgresql://me:{PASSWORD}@db/shop", "postgresql://me@db/shop", PASSWORD),
        (f"postgresql+psycopg://me:{PASSWORD}@[::1]:5/x", "postgresql://me@::1:5/x", PASSWORD),
        ("postgresql://me:p%40s%2Fs%3F%23%25@db/shop", "postgresql://me@db/shop", "p@s/s?#%"),
        ("postgresql://me:12/3?4@db/shop", "postgresql://me@db/shop", "12/3?4"),
        (f"postgresql:///shop?host=/run&password={PASSWORD}", "postgresql:///shop", PASSWORD),
        ("postgresql://me@%2Frun%2Fpg/shop", "postgresql://me@/run/pg/shop", ""),
    ],
)
def test_a_postgresql_url(store: str, place: str, password: str) -> None:
    found = locate(HOME, store)
    assert (found.place, found.secret, found.folder) == (place, password, None)
    assert "password" not in found.url.query
    assert not password or password not in repr(found) + str(found)


def test_a_sqlite_url_is_a_file_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "events.db"
    open_database(tmp_path / "home", f"sqlite:///{path}").close()
    assert path.is_file()
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "store",
    [
        f"postgresql://me:{PASSWORD}@x@db/shop",
        f"postgresql://me@12/{PASSWORD}@db/shop",
        f"postgresql://me@12?{PASSWORD}@db/shop",
        f"postgresql://me:{PASSWORD}@db:port/shop",
        f"//me:{PASSWORD}@db/shop",
        PASSWORD,
        f"sqlite:///:memory:?{PASSWORD}",
        "sqlite://",
        f"mysql://me:{PASSWORD}@db/shop",
        f"postgresql+asyncpg://me:{PASSWORD}@db/shop",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_repeating_it(store: str) -> None:
    with pytest.raises(StoreError) as caught:
        locate(HOME, store)
    told = "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in told
    assert "postgresql://user:password@host" in told or "sqlite:///" in told


@pytest.mark.parametrize("user", ["nobody_we_know", "postgres"])
def test_a_password_reaches_no_error_no_log_and_no_repr(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, user: str
) -> None:
    caplog.set_level(logging.DEBUG)
    # Nothing listens there, and no such folder exists.
    for place in ("127.0.0.1:1/shop", f"/shop?host={tmp_path}/none"):
        store = f"postgresql://{user}:{PASSWORD}@{place}"
        host = Host(catalog=Catalog(), home=tmp_path, store=store, environment={})
        with pytest.raises(
            StoreError, match=f"the journal postgresql://{user}@.* failed"
        ) as caught:
            open_database(tmp_path, store)
        error: BaseException | None = caught.value
        told = "".join(traceback.format_exception(error)) + repr(host) + str(host)
        while error is not None:
            told += repr(error.args) + str(error)
            error = error.__cause__ or error.__context__
        assert PASSWORD not in told + caplog.text


def test_a_password_that_the_server_repeats_is_masked(
    tmp_path: Path, postgres: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = getattr(postgres, "fresh_url")().replace("postgres@", f"postgres:{PASSWORD}@", 1)  # noqa: B009
    database = open_database(tmp_path, url)
    with pytest.raises(StoreError, match=r"\*\*\*") as caught:
        database.run_sync(lambda connection: connection.exec_driver_sql(f'SELECT "{PASSWORD}"'))
    told = "".join(traceback.format_exception(caught.value)) + repr(database.engine)
    assert PASSWORD not in told.replace(f'SELECT "{PASSWORD}"', "").replace(
        "exec_driver_sql(f'SELECT", ""
    )
    database.close()


def test_a_missing_driver_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"wikiswarm\[postgres\]"):
        locate(HOME, "postgresql://db/shop")


@pytest.mark.requirement("kit:facade:one-store")
@pytest.mark.anyio
async def test_the_environment_names_the_store(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.db"
    environment = {"WIKISWARM_STORE": f"sqlite:///{path}"}
    async with Host(catalog=Catalog(), home=tmp_path / "home", environment=environment) as host:
        assert host.database.place == str(path)
    other = f"sqlite:///{tmp_path}/named.db"
    async with Host(
        catalog=Catalog(), home=tmp_path / "home", store=other, environment=environment
    ) as host:
        assert host.database.place == f"{tmp_path}/named.db"
