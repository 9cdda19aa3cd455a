"""A channel that outlives the connection below it, for as long as its window allows.

Each side counts the frames that it sent and received. What the other side has not acknowledged is
kept and sent again when it comes back, so that each frame arrives once and in order; the peer
above notices nothing.
"""

from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NamedTuple

import anyio

from bindings.rpc.errors import ConnectionLostError
from bindings.rpc.frames import decode_frame, encode_frame
from bindings.rpc.peer import Channel

__all__ = ["Farewell", "Pause", "ResumableChannel"]

_ACK_FRAMES = 16
"""Frames after which the other side hears how many have arrived."""
_ACK_BYTES = 1024 * 1024
"""Bytes after which it does, so that few large frames do not fill what it may keep."""
_MOST_KEPT = 64 * 1024 * 1024
"""Bytes that may wait for their acknowledgement; then who sends waits."""
_MARK = b'"$/ack"'


class Farewell(anyio.EndOfStream):
    """The other side ended the connection on purpose, and does not come back."""


class Pause(NamedTuple):
    """A connection that was left for one that comes."""

    number: int
    """Which of them it is; only the newest can be ended by `attach`."""
    received: int
    """Frames that arrived before it; none arrives during it."""


class ResumableChannel:
    """Carries frames over one connection after another."""

    def __init__(self, below: Channel, window: float) -> None:
        self._below: Channel | None = below
        self._window = window
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0
        self._sent = 0
        self._received = 0
        self._unacknowledged = [0, 0]
        """Frames and bytes that arrived since the other side was last told."""
        self._pauses = 0
        self._is_closed = False
        self._attached = anyio.Event()
        self._roomy = anyio.Event()
        self.detached = anyio.Event()
        """Set when the connection that is below now has ended."""
        # Invariant: frames go out in the order of their numbers, also while some are sent again.
        self._order = anyio.Lock()
        self._uses: set[anyio.CancelScope] = set()
        """Reads and writes of the connection that is below now."""

    @property
    def is_closed(self) -> bool:
        """Whether nothing can go on here any more."""
        return self._is_closed

    @property
    def is_away(self) -> bool:
        """Whether it waits for the other side to come back."""
        return self._below is None and not self._is_closed

    def leave(self) -> None:
        """Do not wait for the other side when the connection ends: it has said so."""
        self._window = 0.0

    async def pause(self) -> Pause:
        """Leave the connection below, because the other side comes back over another one."""
        self._pauses += 1
        number = self._pauses
        if self._below is not None:
            # The other side has noticed first that it broke.
            await self._detach(self._below)
        return Pause(number, self._received)

    async def attach(self, below: Channel, received: int, pause: Pause) -> None:
        """Go on over another connection.

        Args:
            below: The new connection, after its handshake.
            received: How many frames the other side has got.
            pause: What this ends; its number of frames is what the other side was told.

        Raises:
            ConnectionLostError: The other side has acknowledged more already, or has come back
                over yet another connection.
        """
        async with self._order:
            if self._is_closed or not self._sent - len(self._kept) <= received <= self._sent:
                raise ConnectionLostError("these frames are gone")
            if pause.number != self._pauses:
                raise ConnectionLostError("the program came back over another connection")
            self._acknowledged(received)
            self._unacknowledged = [0, 0]
            self._below = below
            self.detached = anyio.Event()
            self._attached.set()
            for frame in list(self._kept):
                await self._write(below, frame)

    async def send(self, message: bytes) -> None:
        """Send a frame, now or when there is a connection again; see `Channel.send`."""
        while self._kept_bytes > _MOST_KEPT and not self._is_closed:
            self._roomy = anyio.Event()
            await self._roomy.wait()
        if self._is_closed:
            raise ConnectionLostError("the connection was closed")
        async with self._order:
            self._kept.append(message)
            self._kept_bytes += len(message)
            self._sent += 1
            if self._below is not None:
                await self._write(self._below, message)

    async def receive(self) -> str | bytes:
        """Return the next frame; see `Channel.receive`."""
        while not self._is_closed:
            below = self._below
            if below is None:
                with anyio.move_on_after(self._window):
                    await self._attached.wait()
                    continue
                break
            frame: str | bytes | None = None
            with self._used():
                try:
                    frame = await below.receive()
                except Farewell:
                    break
                except anyio.EndOfStream:
                    await self._detach(below)
            if frame is None or self._below is not below:
                continue  # what comes after a pause has begun is sent again
            if (received := _acknowledgement(frame)) is not None:
                self._acknowledged(received)
                continue
            self._received += 1
            await self._acknowledge(below, len(frame))
            return frame
        await self.aclose()
        raise anyio.EndOfStream

    async def aclose(self) -> None:
        """Close it for good."""
        self._is_closed = True
        self._roomy.set()
        self._attached.set()
        if self._below is not None:
            await self._detach(self._below)

    async def _acknowledge(self, below: Channel, size: int) -> None:
        frames, total = self._unacknowledged[0] + 1, self._unacknowledged[1] + size
        self._unacknowledged = [frames, total]
        if frames >= _ACK_FRAMES or total >= _ACK_BYTES:
            self._unacknowledged = [0, 0]
            params = {"received": self._received}
            await self._write(
                below, encode_frame({"jsonrpc": "2.0", "method": "$/ack", "params": params})
            )

    @contextmanager
    def _used(self) -> Generator[None, None, None]:
        """Use the connection below for no longer than it is the one below."""
        with anyio.CancelScope() as scope:
            self._uses.add(scope)
            try:
                yield
            finally:
                self._uses.discard(scope)

    async def _write(self, below: Channel, frame: bytes) -> None:
        if self._below is not below:
            return
        with self._used():
            try:
                await below.send(frame)
            except ConnectionLostError:
                await self._detach(below)

    def _acknowledged(self, received: int) -> None:
        while self._kept and self._sent - len(self._kept) < received:
            self._kept_bytes -= len(self._kept.popleft())
        self._roomy.set()

    async def _detach(self, below: Channel) -> None:
        if self._below is below:
            self._below = None
            self._attached = anyio.Event()
            if self._is_closed:
                self._attached.set()
            self.detached.set()
            # One that is broken without having ended would hold them up.
            for scope in self._uses:
                scope.cancel()
        with anyio.move_on_after(1, shield=True):
            await below.aclose()


def _acknowledgement(frame: str | bytes) -> int | None:
    """Return what a frame acknowledges, if it is an acknowledgement."""
    raw = frame if isinstance(frame, bytes) else frame[:200].encode(errors="replace")
    if _MARK not in raw[:200]:
        return None
    try:
        message = decode_frame(frame)
    except Exception:
        return None  # it is refused where all frames are read
    params: dict[str, Any] = message.get("params") or {}
    received = params.get("received")
    return received if message.get("method") == "$/ack" and isinstance(received, int) else None
