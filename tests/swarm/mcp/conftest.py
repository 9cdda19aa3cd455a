"""A live MCP server in a process of its own, and agents that use it."""

import json
import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import anyio
import pytest

from swarm import add_mcp, use_catalog
from tests.swarm.program import Program

__all__ = ["Shelves"]

SERVER = Path(__file__).parent / "server.py"


class Shelves:
    """The server of `server.py`: how to start it, and what it should say."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "shelves.json"
        self.command = [sys.executable, str(SERVER), str(self.state)]
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def say(self, **state: Any) -> None:
        """Change what the server lists from now on."""
        self.state.write_text(json.dumps(state), encoding="utf-8")

    @property
    def calls(self) -> list[str]:
        """The tools that were called, in order."""
        path = self.state.with_suffix(".calls")
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def declare(self, program: Program, name: str = "shelves", **fields: Any) -> str:
        """Declare the server, over standard input and output unless a `url` is given."""
        if "url" not in fields:
            fields["command"] = self.command
        with use_catalog(program.catalog):
            return add_mcp(mcp_name=name, **fields)

    async def serve_http(self) -> str:
        """Start the server over HTTP and return its address."""
        if not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        self._process = subprocess.Popen([*self.command, str(self.port)])  # noqa: ASYNC220
        with anyio.fail_after(30):
            while True:
                try:
                    stream = await anyio.connect_tcp("127.0.0.1", self.port)
                except OSError:
                    await anyio.sleep(0.05)
                else:
                    await stream.aclose()
                    return f"http://127.0.0.1:{self.port}/mcp"

    def stop(self) -> None:
        """Kill the HTTP server."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def shelves(tmp_path: Path) -> Generator[Shelves]:
    """The server; what runs of it is stopped with the test."""
    shelves = Shelves(tmp_path)
    yield shelves
    shelves.stop()
