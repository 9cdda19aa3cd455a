"""One Node process that serves the functions of a file, from its start to its end.

It is another one after each death; `supervisor` starts them. A task of its own holds it open, for
it outlives the turn that needed it first.
"""

import asyncio  # noqa: TID251 - a task that outlives the turn that started it
import logging
import os
import signal
import socket
import subprocess
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from anyio.abc import ByteReceiveStream, Process

from bindings.node.finding import host_command, node_environment
from bindings.rpc.binding import BoundFunction
from bindings.rpc.core import Core
from bindings.rpc.errors import CallbackTimeoutError, ConnectionLostError
from bindings.rpc.failures import RemoteError
from bindings.rpc.framing import LineChannel
from bindings.rpc.peer import PeerLimits
from bindings.rpc.program import Program
from bindings.rpc.shapes import to_wire_name
from swarm import Host
from swarm.errors import SetupError, suggest
from swarm.secrets import hide, secrets_of

if TYPE_CHECKING:
    from bindings.node.functions import NodeFunction

__all__ = ["NodeProcess", "exit_reason"]

_GOODBYE = 2.0
"""Seconds that a process has to end by itself."""
_SETTLING = 1.0
"""Seconds in which its exit status and last words come after its connection has ended."""
_LONGEST_LINE = 4000
_LAST_LINES = 5
_log = logging.getLogger("wikiswarm.node")


class NodeProcess:
    """Open from `open` until `aclose`, or until the process ends."""

    def __init__(self, host: Host, file: Path, *, is_suspect: bool = False) -> None:
        """Describe it.

        Args:
            host: The open host.
            file: The file with the functions.
            is_suspect: Others died before it, so that its end is told with its last words.
        """
        self._host, self._file, self._is_suspect = host, file, is_suspect
        self._secrets = secrets_of({**os.environ, **host.environment})
        self._process: Process | None = None
        self._program: Program | None = None
        self._functions: dict[str, tuple[str, Callable[..., Any]]] = {}
        """By id, with the export that each stands for."""
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._failure: Exception | None = None
        self._ready, self._ended = anyio.Event(), anyio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether the process, or its connection, has ended."""
        return self._ended.is_set() or self._program is None or self._program.is_over

    @property
    def is_in_use(self) -> bool:
        """Whether it has functions, so that calls may be under way."""
        return bool(self._functions)

    @property
    def was_started(self) -> bool:
        """Whether there was a process at all."""
        return self._process is not None

    async def open(self) -> None:
        """Start it, and wait until it has introduced itself.

        Raises:
            SetupError: Something that the file needs is missing, or the process ended at once.
        """
        command = await anyio.to_thread.run_sync(host_command, self._file)
        context = self._host.background_context()
        self._task = asyncio.get_running_loop().create_task(self._hold(command), context=context)
        try:
            await self._ready.wait()
        except BaseException:
            await self.aclose()
            raise
        if self._failure is not None:
            raise self._failure
        if self._program is None:
            await self._ended.wait()
            raise SetupError(f"{self._file.name}: {self.reason(with_last_lines=True)}")

    async def bind(self, functions: "Iterable[NodeFunction]") -> None:
        """Let the process name its exports that stand for functions.

        Raises:
            SetupError: The file cannot be loaded, or lacks some of them.
            ConnectionLostError: The process has ended.
        """
        program, name = self._program, self._file.name
        if program is None:
            raise ConnectionLostError(f"{name}: its Node process does not run")
        new = {_id_of(one): one for one in functions if not self.has(one)}
        bound = [
            BoundFunction(
                kind=one.script.kind,
                name=one.script.name,
                field=_wire_field(one),
                export=one.script.export,
            )
            for one in new.values()
        ]
        try:
            said = await program.bind(bound)
        except RemoteError as error:
            text = hide(str(error).partition("\n")[0], self._secrets)
            raise SetupError(f"{name} could not be loaded: {text}") from None
        except CallbackTimeoutError as late:
            raise SetupError(f"{name} could not be loaded: {late}") from None
        except ConnectionLostError:
            await self._settle()
            reason = self.reason(with_last_lines=True)
            raise SetupError(f"{name} could not be loaded: {reason}") from None
        if said.missing:
            wanted = ", ".join(repr(one) for one in said.missing)
            near = suggest(said.missing[0], said.exports)
            known = ", ".join(said.exports) or "no function"
            raise SetupError(
                f"{name} has no function {wanted}; it exports {known}"
                + (f" ({near})" if near else "")
            )
        for key, one in new.items():
            script = one.script
            made = program.function(script.kind, script.field, key, script.timeout)
            self._functions[key] = (script.export, made)

    def has(self, function: "NodeFunction") -> bool:
        """Whether a function is bound."""
        known = self._functions.get(_id_of(function))
        return known is not None and known[0] == function.script.export

    def function(self, function: "NodeFunction") -> Callable[..., Any]:
        """Return a function that is bound, as `bindings.rpc` calls it."""
        return self._functions[_id_of(function)][1]

    async def lost(self) -> ConnectionLostError:
        """Return what fails with the end of the process."""
        await self._settle()
        reason = self.reason(with_last_lines=self._is_suspect)
        return ConnectionLostError(f"{self._file.name}: {reason}")

    def reason(self, *, with_last_lines: bool = False) -> str:
        """Return how the process ended, in words.

        Args:
            with_last_lines: Also what it wrote last to its standard error.
        """
        code = None if self._process is None else self._process.returncode
        text = f"its Node process {exit_reason(code)}"
        if with_last_lines and self._last_lines:
            text += f"; it said last: {' | '.join(self._last_lines)}"
        return text

    async def aclose(self) -> None:
        """End the process, and wait until it is gone."""
        with anyio.CancelScope(shield=True):
            if self._program is not None:
                self._program.close()
            elif self._task is not None:
                self._task.cancel()
            if self._task is not None:
                await self._ended.wait()

    async def _settle(self) -> None:
        with anyio.move_on_after(_SETTLING):
            await self._ended.wait()

    async def _hold(self, command: list[str]) -> None:
        try:
            near, far = socket.socketpair()
            with far:
                descriptor = near.detach()
                channel = LineChannel(descriptor, descriptor, limit=PeerLimits().message_bytes)
                try:
                    self._process = await anyio.open_process(
                        command,
                        stdin=subprocess.DEVNULL,
                        pass_fds=(far.fileno(),),
                        env=node_environment(far.fileno()),
                        # Ctrl-C in a terminal is for the core, which ends it in its own time.
                        start_new_session=True,
                    )
                except BaseException:
                    await channel.aclose()
                    raise
            await self._serve(self._process, channel)
        except OSError as error:
            self._failure = SetupError(f"Node could not be started: {error.strerror}")
        except Exception as error:
            _log.exception("%s: its process ended by a defect", self._file.name)
            self._failure = error
        finally:
            with anyio.CancelScope(shield=True):
                await self._bury()
            self._ready.set()
            self._ended.set()

    async def _serve(self, process: Process, channel: LineChannel) -> None:
        def connected(program: Program) -> None:
            self._program = program
            self._ready.set()

        async def speak() -> None:
            await core.serve(channel, connected=connected)
            # Without a connection it is good for nothing.
            await anyio.sleep(_GOODBYE)
            _kill(process)

        async with Core(self._host) as core, anyio.create_task_group() as tasks:
            tasks.start_soon(speak)
            async with anyio.create_task_group() as readers:
                readers.start_soon(self._read, process.stdout, logging.INFO)
                readers.start_soon(self._read, process.stderr, logging.WARNING)
                await process.wait()
                # Children of it may hold its pipes open.
                readers.cancel_scope.deadline = anyio.current_time() + _SETTLING
            tasks.cancel_scope.cancel()

    async def _bury(self) -> None:
        if self._process is not None:
            _kill(self._process)
            await self._process.aclose()

    async def _read(self, stream: ByteReceiveStream | None, level: int) -> None:
        rest = b""
        while stream is not None:
            try:
                chunk = await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                break
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._heard(line, level)
            if len(rest) > _LONGEST_LINE:
                self._heard(rest, level)
                rest = b""
        self._heard(rest, level)

    def _heard(self, line: bytes, level: int) -> None:
        text = hide(line[:_LONGEST_LINE].decode(errors="replace").rstrip(), self._secrets)
        if not text:
            return
        if level == logging.WARNING:
            self._last_lines.append(text)
        _log.log(level, "%s: %s", self._file.name, text)


def exit_reason(code: int | None) -> str:
    """Return what an exit status means, in words."""
    if code is None:
        return "has closed its connection"
    if code >= 0:
        return f"ended with status {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _kill(process: Process) -> None:
    """End a process and what it started, which is its own group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _wire_field(function: "NodeFunction") -> str:
    return ".".join(to_wire_name(step) for step in function.script.field.split("."))


def _id_of(function: "NodeFunction") -> str:
    """Return what the process calls a function."""
    return f"{function.script.kind}:{function.script.name}.{_wire_field(function)}"
