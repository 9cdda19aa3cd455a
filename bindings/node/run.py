"""A whole program of Node with the core in this process, over an inherited socket."""

import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from bindings.node.finding import check_program, node_command, node_environment
from swarm import Host

if TYPE_CHECKING:
    from anyio.abc import Process

__all__ = ["run_program"]

_PATIENCE = 10.0
"""Seconds that a program has to end after it was told to."""
_DRAINING = 15.0
"""Seconds that its sessions get to close after it has ended."""


async def run_program(
    host: Host,
    path: Path | str,
    arguments: Sequence[str] = (),
    *,
    stdout: int | None = None,
    forward_signals: bool = False,
) -> int:
    """Run a TypeScript or JavaScript program that joins this host, and wait for its end.

    What the program declares with the npm package `wikiswarm` stands beside what the host's catalog
    has already, and is gone when it ends. Its standard streams are those of this process. When the
    caller is cancelled, the program is ended.

    Args:
        host: The open host; its sessions and those of the program share everything.
        path: The program: `.ts`, `.mts`, `.cts`, `.tsx` (these run with `tsx`, which is found from
            the program's folder), `.js`, `.mjs` or `.cjs`.
        arguments: What the program finds in `process.argv`.
        stdout: A descriptor that is the program's standard output in place of this process's.
        forward_signals: Pass SIGINT, SIGTERM and SIGHUP on to the program. For a process that does
            nothing else, in its main thread.

    Returns:
        The program's exit status; 128 and the number of the signal that ended it.

    Raises:
        DataError: There is no such program.
        SetupError: Node or `tsx` is missing, or Node is too old.
    """
    file = Path(path)
    check_program(file)
    command = await anyio.to_thread.run_sync(node_command, file)
    near, far = socket.socketpair()
    sys.stdout.flush()
    with near:
        with far:
            process = await anyio.open_process(
                [*command, *arguments],
                stdin=None,
                stdout=stdout,
                stderr=None,
                pass_fds=(far.fileno(),),
                env={**node_environment(far.fileno()), "WIKISWARM_RUN": "1"},
            )
        try:
            async with anyio.create_task_group() as tasks:
                if forward_signals:
                    tasks.start_soon(_forward, process)
                await _serve_until_ended(host, process, near.detach())
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await _end(process)
    code = await process.wait()
    return code if code >= 0 else 128 - code


async def _serve_until_ended(host: Host, process: "Process", descriptor: int) -> None:
    from bindings.rpc.serve import serve_descriptors

    served = anyio.Event()

    async def serve() -> None:
        # It connects with its first question, which may be hours away.
        await serve_descriptors(host, descriptor, descriptor, patience=None)
        served.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve)
        await process.wait()
        # The socket ends with the program, unless a child of it has kept the descriptor.
        with anyio.move_on_after(_DRAINING):
            await served.wait()
        tasks.cancel_scope.cancel()


async def _end(process: "Process") -> None:
    """End a program that still runs, at first in a way that it can answer."""
    with suppress(ProcessLookupError):
        if process.returncode is None:
            process.terminate()
            with anyio.move_on_after(_PATIENCE):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _forward(process: "Process") -> None:
    async def kill_later() -> None:
        await anyio.sleep(_PATIENCE)
        with suppress(ProcessLookupError):
            process.kill()

    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async with anyio.create_task_group() as tasks:
            async for received in signals:
                # A terminal sends Ctrl-C to the program as well; told twice, it may give up
                # what it does at the first.
                if received is not signal.SIGINT or not _is_in_foreground():
                    with suppress(ProcessLookupError):
                        process.send_signal(received)
                if received is not signal.SIGINT:
                    tasks.start_soon(kill_later)


def _is_in_foreground() -> bool:
    """Whether Ctrl-C in the terminal reaches this process and its children alike."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
