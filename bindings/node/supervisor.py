"""The one Node process of a file and a host: started when it is needed, and again when it died."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from bindings.node.process import NodeProcess
from bindings.rpc.errors import ConnectionLostError
from swarm import Host
from swarm.errors import SetupError

if TYPE_CHECKING:
    from bindings.node.functions import NodeFunction

__all__ = ["SharedNode"]

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 5.0
_STABLE = 30.0
"""Seconds after which the death of a process says nothing about the next one."""
_QUICK_DEATHS = 3
"""Deaths in a row after which the reason is told with what the process said last."""


class SharedNode:
    """Serves one file to all sessions of a host."""

    def __init__(
        self, host: Host, file: Path, every: "Callable[[], Iterable[NodeFunction]]"
    ) -> None:
        """Describe it; nothing is started yet.

        Args:
            host: The open host.
            file: The file with the functions.
            every: Returns the functions of all files that declarations name now.
        """
        self.is_closed = False
        self._host, self._file, self._every = host, file, every
        self._process: NodeProcess | None = None
        self._deaths, self._started_at = 0, 0.0
        self._failures, self._failure = 0, ""
        # Invariant: one process runs, and a function is bound once.
        self._lock = anyio.Lock()

    async def running(self, wanted: "NodeFunction") -> NodeProcess:
        """Return the process, which has a function; one that died is started again.

        Raises:
            SetupError: Node or what the file needs is missing, or the file has no such function.
            ConnectionLostError: The host is closed, or the process died several times in a row.
        """
        process = self._process
        if process is not None and not process.is_over and process.has(wanted):
            return process
        failures = self._failures
        async with self._lock:
            if self._failures != failures:
                # What failed while this one waited would fail again, after as long a wait.
                raise SetupError(self._failure)
            try:
                return await self._ready(wanted)
            except SetupError as error:
                self._failures += 1
                self._failure = str(error)
                raise

    async def _ready(self, wanted: "NodeFunction") -> NodeProcess:
        process = self._process
        if process is None or process.is_over:
            process = await self._start()
        if not process.has(wanted):
            try:
                await process.bind(self._wanted(wanted))
            except SetupError:
                if not process.is_in_use:
                    # A file that was mended is loaded by another process only.
                    await self._end()
                raise
        return process

    async def aclose(self) -> None:
        """End the process."""
        self.is_closed = True
        if self._process is not None:
            await self._process.aclose()

    def _wanted(self, wanted: "NodeFunction") -> "list[NodeFunction]":
        known = [one for one in self._every() if one.script.file == self._file]
        return known if any(one is wanted for one in known) else [*known, wanted]

    async def _start(self) -> NodeProcess:
        if self._process is not None:
            await self._end()
        if self._deaths:
            # Longer each time, so that a file that cannot live does not take the machine.
            await anyio.sleep(min(_FIRST_DELAY * 2 ** (self._deaths - 1), _LONGEST_DELAY))
        if self.is_closed:
            raise ConnectionLostError(f"{self._file.name}: the host is closed")
        process = NodeProcess(self._host, self._file, is_suspect=self._deaths >= _QUICK_DEATHS)
        self._started_at = anyio.current_time()
        try:
            await process.open()
        except SetupError:
            self._deaths += process.was_started
            raise
        self._process = process
        return process

    async def _end(self) -> None:
        """Clear a process away that died, or that is of no use."""
        process, self._process = self._process, None
        lived = anyio.current_time() - self._started_at
        self._deaths = 1 if lived > _STABLE else self._deaths + 1
        if process is not None:
            await process.aclose()
