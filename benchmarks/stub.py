"""The model that the benchmarks ask: a stub server in a process of its own.

Its work is not part of any figure. It calls the first tool, then repeats its output, at once.
It has a core of its own where there are two: sharing one by chance, as the scheduler does for a
fast client and not for a slow one, halves what a request costs and makes figures incomparable.

As a program it prints its address and serves until its standard input ends:

    python -m benchmarks.stub
"""

import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from swarm.messages import ToolCall
from swarm.testing import StubReply, StubServer

__all__ = ["answer", "main", "running_stub"]

_ROOT = Path(__file__).resolve().parent.parent


@asynccontextmanager
async def running_stub() -> AsyncGenerator[str, None]:
    """Run the server in a child process; gives its base URL.

    Meanwhile this process keeps off the server's core.
    """
    child = await anyio.open_process(
        [sys.executable, "-m", "benchmarks.stub"],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None,
    )
    async with child:
        if child.stdin is None or child.stdout is None:
            raise AssertionError("both are pipes")
        address = b""
        while not address.endswith(b"\n"):
            address += await child.stdout.receive()
        with _kept_off(child.pid):
            yield address.decode().strip()
        # The end of its input is what stops the server.
        await child.stdin.aclose()
        await child.wait()


def answer(request: Mapping[str, Any]) -> StubReply:
    """Call the first tool for what the user says, then tell the user what it gave."""
    messages: list[Mapping[str, Any]] = request["messages"]
    last = messages[-1]
    if last["role"] == "tool":
        return StubReply(text=f"There are {last['content']} boxes of it on the shelf in room four.")
    name = request["tools"][0]["function"]["name"]
    call = ToolCall(id=f"call_{len(messages)}", name=name, arguments='{"sku": "A1-200"}')
    return StubReply(tool_calls=(call,))


async def main() -> None:
    """Serve until the standard input ends."""

    def reply(request: Mapping[str, Any]) -> StubReply:
        server.requests.clear()  # kept for tests; here they would only fill the memory
        return answer(request)

    server = StubServer(reply)
    async with server:
        print(server.base_url, flush=True)
        await anyio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)


@contextmanager
def _kept_off(child: int) -> Generator[None, None, None]:
    """Give a child one core, and this process the others."""
    if sys.platform != "linux" or len(cores := os.sched_getaffinity(0)) < 2:
        yield
        return
    own = {max(cores)}
    os.sched_setaffinity(child, own)
    os.sched_setaffinity(0, cores - own)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


if __name__ == "__main__":
    anyio.run(main)
