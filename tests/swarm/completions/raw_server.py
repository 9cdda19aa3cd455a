"""A server that sends bytes as they are: for faults below HTTP, and streams cut anywhere."""

import socket
import struct
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import anyio
from anyio.abc import ByteStream, SocketAttribute, SocketStream

__all__ = ["RawServer", "open_raw_server", "sse_head"]

End = Literal["close", "reset", "hang"]


@dataclass(slots=True)
class RawServer:
    """Where it listens, and how many requests came."""

    base_url: str
    requests: list[bytes] = field(default_factory=list[bytes])


def sse_head(*headers: str) -> bytes:
    """Return the head of a stream that ends when the connection does."""
    lines = ("HTTP/1.1 200 OK", "Content-Type: text/event-stream", *headers, "Connection: close")
    return "\r\n".join((*lines, "", "")).encode()


@asynccontextmanager
async def open_raw_server(
    pieces: Sequence[bytes] | Callable[[int], Sequence[bytes]], *, end: End = "close"
) -> AsyncGenerator[RawServer]:
    """Serve each request with the pieces, then close, reset or keep the connection.

    Args:
        pieces: Written one after the other; a function gets the number of the request.
        end: What happens after the last piece.
    """
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    port = listener.extra(SocketAttribute.local_port)
    server = RawServer(f"http://127.0.0.1:{port}/v1")

    async def serve(stream: SocketStream) -> None:
        async with stream:
            server.requests.append(await _read_request(stream))
            count = len(server.requests)
            try:
                for piece in pieces(count) if callable(pieces) else pieces:
                    await stream.send(piece)
                    await anyio.lowlevel.checkpoint()
                if end == "hang":
                    await anyio.sleep_forever()
            except anyio.BrokenResourceError:
                return  # the client has left
            if end == "reset":
                raw = stream.extra(SocketAttribute.raw_socket)
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield server
        group.cancel_scope.cancel()


async def _read_request(stream: ByteStream) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += await stream.receive()
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += await stream.receive()
    return head + b"\r\n\r\n" + body
