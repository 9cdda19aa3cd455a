"""What every test runs under: no network, no keys, no model hub, one event loop.

It holds only what belongs to all tests; a fixture of one package stands beside the tests of that
package.
"""

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import settings

pytest_plugins = ["tests.trained_model", "tests.postgres"]

_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "OMP_NUM_THREADS": "1",
}
_KEY_ENDINGS = ("_API_KEY", "_TOKEN", "_SECRET")
_PROVIDER_STARTS = ("OPENAI_", "CO_API_", "COHERE_", "AZURE_", "WIKISWARM_")

_Address: TypeAlias = tuple[object, ...] | str | bytes
_NOTES = pytest.StashKey[list[str]]()


class NetworkBlockedError(RuntimeError):
    """A test tried to reach a host other than this one.

    Not an OSError, so that no code under test takes it for a provider that is down.
    """

    def __init__(self, host: object) -> None:
        super().__init__(f"tests have no network, and this one asked for {host!r}")


def pytest_configure(config: pytest.Config) -> None:
    """Set what libraries read when they are imported, which is before any fixture runs."""
    os.environ.update(_OFFLINE)
    # Programs of the tests shall write as they do for a user: into a pipe when its buffer is full.
    os.environ.pop("PYTHONUNBUFFERED", None)
    for name in list(os.environ):
        if name.endswith(_KEY_ENDINGS) or name.startswith(_PROVIDER_STARTS):
            del os.environ[name]
    # How long one example takes says more about the machine than about the code.
    settings.register_profile("wikiswarm", deadline=None)
    settings.load_profile("wikiswarm")
    config.stash[_NOTES] = []


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a worker of a parallel run send what its tests had to say."""
    output: dict[str, list[str]] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["notes"] = session.config.stash[_NOTES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take in what the tests of a worker had to say; a worker that crashed says nothing."""
    output: dict[str, list[str]] = getattr(node, "workeroutput", {})
    node.config.stash[_NOTES] += output.get("notes", [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print what tests had to say without failing."""
    for note in config.stash[_NOTES]:
        terminalreporter.write_line(note)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The one event loop that the model client runs on."""
    return "asyncio"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own state folder, in a working folder of its own."""
    state = tmp_path / ".wikiswarm"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WIKISWARM_HOME", str(state))
    return state


@pytest.fixture
def note(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Print a line at the end of the run."""
    return pytestconfig.stash[_NOTES].append


@pytest.fixture(scope="session", autouse=True)
def _network_off() -> Iterator[None]:
    """Let sockets reach this machine only; child processes are not covered."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    getaddrinfo = socket.getaddrinfo

    def local_connect(self: socket.socket, address: _Address, /) -> None:
        _require_local(address)
        connect(self, address)

    def local_connect_ex(self: socket.socket, address: _Address, /) -> int:
        _require_local(address)
        return connect_ex(self, address)

    def local_getaddrinfo(
        host: bytes | str | None,
        port: bytes | str | int | None,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> object:
        _require_local((host, port))
        return getaddrinfo(host, port, family, type, proto, flags)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", local_connect)
        patch.setattr(socket.socket, "connect_ex", local_connect_ex)
        patch.setattr(socket, "getaddrinfo", local_getaddrinfo)
        yield


def _require_local(address: _Address) -> None:
    """Raise unless the address is a loopback one or the path of a Unix socket."""
    if not isinstance(address, tuple):
        return
    host = address[0].decode() if isinstance(address[0], bytes) else address[0]
    if host in (None, "", "localhost"):
        return
    try:
        local = ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        local = False
    if not local:
        raise NetworkBlockedError(host)
