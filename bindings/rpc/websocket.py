"""The protocol over WebSockets: a text frame for each message, on one address."""

import contextlib
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio

from bindings.rpc.core import Core
from bindings.rpc.errors import ConnectionLostError
from bindings.rpc.handshake import tokens_match
from bindings.rpc.resume import Farewell
from swarm.errors import SetupError, require

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.websockets import WebSocket

__all__ = ["SUBPROTOCOL", "make_app", "read_address", "serve_websocket"]

SUBPROTOCOL = "wikiswarm.v1"
_NORMAL_CLOSURE = 1000
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_log = logging.getLogger("wikiswarm.rpc")


class _WebSocketChannel:
    def __init__(self, socket: "WebSocket") -> None:
        self._socket = socket
        self._is_closed = False

    async def receive(self) -> str | bytes:
        from starlette.websockets import WebSocketDisconnect

        try:
            message = await self._socket.receive()
        except (WebSocketDisconnect, RuntimeError):
            raise anyio.EndOfStream from None
        if message["type"] != "websocket.receive":
            if message.get("code") == _NORMAL_CLOSURE:
                raise Farewell
            raise anyio.EndOfStream
        text: Any = message.get("text")
        return text if text is not None else message.get("bytes") or b""

    async def send(self, message: bytes) -> None:
        from starlette.websockets import WebSocketDisconnect

        try:
            await self._socket.send_text(message.decode())
        except (WebSocketDisconnect, RuntimeError, OSError):
            raise ConnectionLostError("the program is gone") from None

    async def aclose(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        from starlette.websockets import WebSocketDisconnect

        # The other side may have been faster.
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
            await self._socket.close()


def read_address(text: str, token: str | None) -> tuple[str, int]:
    """Return the host and port of an address.

    Raises:
        SetupError: It is none, or it can be reached from other machines and there is no token.
    """
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or "127.0.0.1", parts.port
    except ValueError:
        host, port = "", None
    if not host or port is None:
        raise SetupError(f"{text!r} is no address; give HOST:PORT, such as 127.0.0.1:8765")
    if host not in _LOOPBACK and not token:
        raise SetupError(
            f"{host} can be reached from other machines, and who connects may run code here;"
            " set WIKISWARM_TOKEN"
        )
    return host, port


def make_app(core: Core, *, token: str | None = None) -> "Starlette":
    """Return the ASGI application.

    Args:
        core: The open core.
        token: What programs have to bring, in the header or in `initialize`.

    Raises:
        MissingExtraError: `starlette` is not installed.
    """
    require("starlette", extra="serve")
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute

    async def connect(socket: "WebSocket") -> None:
        if "origin" in socket.headers:
            # Only browsers send it, and what speaks this protocol declares code. Its value proves
            # nothing: a page may have made its own name mean this machine.
            _log.warning("a page of %r was refused", socket.headers["origin"])
            await socket.close(code=1008, reason="pages of a browser do not speak this protocol")
            return
        scheme, _, given = socket.headers.get("authorization", "").partition(" ")
        has_header = scheme.lower() == "bearer"
        if token is not None and has_header and not tokens_match(given.strip(), token):
            await socket.close(code=1008, reason="the token is wrong")
            return
        offered: Any = socket.scope.get("subprotocols", [])
        await socket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
        channel = _WebSocketChannel(socket)
        await core.serve(channel, is_trusted=token is None or has_header, can_resume=True)

    return Starlette(routes=[WebSocketRoute("/", connect), WebSocketRoute("/v1", connect)])


@asynccontextmanager
async def serve_websocket(
    core: Core, host: str, port: int, *, token: str | None = None
) -> AsyncGenerator[int, None]:
    """Serve programs while the block runs; yields the port, which is a free one for port 0.

    Raises:
        MissingExtraError: `uvicorn` or `starlette` is not installed.
        SetupError: Nothing can listen there.
    """
    require("uvicorn", extra="serve")
    import socket

    import uvicorn

    config = uvicorn.Config(
        make_app(core, token=token),
        ws="websockets-sansio",
        ws_max_size=core.limits.message_bytes,
        ws_ping_interval=20,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=5,
    )
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise SetupError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    server = uvicorn.Server(config)
    with listening:
        async with anyio.create_task_group() as tasks:
            # Signals are for who runs the core.
            setattr(server, "capture_signals", contextlib.nullcontext)  # noqa: B010 - a method
            tasks.start_soon(server.serve, [listening])
            yield listening.getsockname()[1]
            server.should_exit = True
