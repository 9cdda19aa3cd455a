"""A channel that outlives the connection below it, for as long as its window allows.

Each side counts the frames that it sent and received. What the other side has not acknowledged is
kept and sent again when it comes back, so that each frame arrives once and in order; the peer
above notices nothing.
"""

from collections import deque
from typing import Any

import anyio

from bindings.rpc.errors import ConnectionLostError
from bindings.rpc.frames import decode_frame, encode_frame
from bindings.rpc.peer import Channel

__all__ = ["ResumableChannel"]

_ACK_EVERY = 16
"""Frames after which the other side hears how many have arrived."""
_MOST_KEPT = 64 * 1024 * 1024
"""Bytes that may wait for their acknowledgement; then who sends waits."""
_MARK = b'"$/ack"'


class ResumableChannel:
    """Carries frames over one connection after another."""

    def __init__(self, below: Channel, window: float) -> None:
        self._below: Channel | None = below
        self._window = window
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0
        self._sent = 0
        self.received = 0
        """Frames that arrived, over all connections."""
        self._is_closed = False
        self._attached = anyio.Event()
        self._roomy = anyio.Event()
        self.detached = anyio.Event()
        """Set when the connection that is below now has ended."""
        # Invariant: frames go out in the order of their numbers, also while some are sent again.
        self._order = anyio.Lock()

    @property
    def is_closed(self) -> bool:
        """Whether nothing can go on here any more."""
        return self._is_closed

    async def attach(self, below: Channel, received: int) -> None:
        """Go on over another connection.

        Args:
            below: The new connection, after its handshake.
            received: How many frames the other side has got.

        Raises:
            ConnectionLostError: It has acknowledged more already, or the new connection broke.
        """
        if self._is_closed or received < self._sent - len(self._kept) or received > self._sent:
            raise ConnectionLostError("these frames are gone")
        if self._below is not None:
            # The other side has noticed first that it broke.
            await self._detach(self._below)
        async with self._order:
            self._acknowledged(received)
            for frame in list(self._kept):
                await below.send(frame)
            self._below = below
            self.detached = anyio.Event()
            self._attached.set()

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
            below = self._below
            if below is not None:
                try:
                    await below.send(message)
                except ConnectionLostError:
                    await self._detach(below)

    async def receive(self) -> str | bytes:
        """Return the next frame; see `Channel.receive`."""
        while not self._is_closed:
            below = self._below
            if below is None:
                with anyio.move_on_after(self._window):
                    await self._attached.wait()
                    continue
                break
            try:
                frame = await below.receive()
            except anyio.EndOfStream:
                await self._detach(below)
                continue
            if (received := _acknowledgement(frame)) is not None:
                self._acknowledged(received)
                continue
            self.received += 1
            if self.received % _ACK_EVERY == 0:
                await self._acknowledge(below)
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

    async def _acknowledge(self, below: Channel) -> None:
        params = {"received": self.received}
        frame = encode_frame({"jsonrpc": "2.0", "method": "$/ack", "params": params})
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
