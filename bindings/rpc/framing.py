"""Messages on byte streams: one on each line, as on pipes and socket pairs.

WebSockets have frames of their own; `websocket` brings those.
"""

import os
import stat
from collections import deque

import anyio
import anyio.to_thread

from bindings.rpc.errors import ConnectionLostError, MessageTooLargeError

__all__ = ["LineChannel"]

_CHUNK = 256 * 1024


class LineChannel:
    """Messages over two file descriptors, or one that reads and writes; it owns them."""

    def __init__(self, reading: int, writing: int, *, limit: int) -> None:
        self._reading, self._writing, self._limit = reading, writing, limit
        self._lines: deque[bytes] = deque()
        self._parts: list[bytes] = []
        self._length = 0
        self._is_too_long = self._is_closed = False
        self._can_wait = {fd: _prepare(fd) for fd in {reading, writing}}

    async def receive(self) -> bytes:
        """Return the next line; see `Channel.receive`. An unfinished last line is dropped."""
        while True:
            while self._lines:
                line = self._lines.popleft().strip()
                if line:
                    return line
            if self._is_too_long:
                raise MessageTooLargeError(self._limit)
            chunk = await self._read()
            if not chunk:
                raise anyio.EndOfStream
            self._split(chunk)

    def _split(self, chunk: bytes) -> None:
        *ended, rest = chunk.split(b"\n")
        for line in ended:
            if self._parts:
                line = b"".join((*self._parts, line))
                self._parts.clear()
                self._length = 0
            if len(line) > self._limit:
                self._is_too_long = True
                return
            self._lines.append(line)
        self._length += len(rest)
        self._is_too_long = self._length > self._limit
        if rest:
            self._parts.append(rest)

    async def _read(self) -> bytes:
        while not self._is_closed:
            try:
                if not self._can_wait[self._reading]:
                    return await anyio.to_thread.run_sync(
                        os.read, self._reading, _CHUNK, abandon_on_cancel=True
                    )
                return os.read(self._reading, _CHUNK)
            except BlockingIOError:
                try:
                    await anyio.wait_readable(self._reading)
                except anyio.ClosedResourceError:
                    return b""
            except InterruptedError:
                continue
            except OSError:
                return b""
        return b""

    async def send(self, message: bytes) -> None:
        """Write a line; see `Channel.send`."""
        view = memoryview(message + b"\n")
        while view:
            try:
                if not self._can_wait[self._writing]:
                    written = await anyio.to_thread.run_sync(os.write, self._writing, view)
                else:
                    written = os.write(self._writing, view)
                view = view[written:]
            except BlockingIOError:
                await self._until_writable()
            except OSError as error:
                raise ConnectionLostError(f"the program is gone ({error.strerror})") from None

    async def _until_writable(self) -> None:
        try:
            await anyio.wait_writable(self._writing)
        except anyio.ClosedResourceError:
            raise ConnectionLostError("the connection was closed") from None

    async def aclose(self) -> None:
        """Close the descriptors."""
        if self._is_closed:
            return
        self._is_closed = True
        for fd in {self._reading, self._writing}:
            anyio.notify_closing(fd)
            os.close(fd)


def _prepare(fd: int) -> bool:
    """Let a pipe or a socket not block; return whether it can be waited for."""
    mode = os.fstat(fd).st_mode
    can_wait = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
    if can_wait:
        os.set_blocking(fd, False)
    return can_wait
