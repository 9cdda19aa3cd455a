"""A core in this process or in one of its own, and programs connected to it over each transport."""

import os
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bindings.rpc.core import Core
from bindings.rpc.framing import LineChannel
from bindings.rpc.peer import PeerLimits
from bindings.rpc.websocket import serve_websocket
from swarm import Catalog, Host, use_catalog
from tests.bindings.rpc.client import Client

Connect = Callable[[], AbstractAsyncContextManager[Client]]
"""Connects one more program to the same core, where the transport has several."""

FAR_LIMIT = 64 * 1024 * 1024
TRANSPORTS = ("socketpair", "stdio", "websocket")


class WebSocketLine:
    """Frames over a WebSocket of another library."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def receive(self) -> str | bytes:
        try:
            return await self.socket.recv()
        except ConnectionClosed:
            raise anyio.EndOfStream from None

    async def send(self, message: bytes) -> None:
        await self.socket.send(message.decode(errors="surrogateescape"))

    async def aclose(self) -> None:
        await self.socket.close()


def socket_pair() -> tuple[int, int]:
    """Return two descriptors of one socket pair, to be closed by who gets them."""
    ours, theirs = socket.socketpair()
    return ours.detach(), theirs.detach()


@asynccontextmanager
async def connected(host: Host, limits: PeerLimits | None = None) -> AsyncGenerator[Client, None]:
    """Connect a program by a socket pair; it has not said anything yet."""
    used = limits or PeerLimits()
    async with Core(host, limits=used) as core, anyio.create_task_group() as tasks:
        near, far = socket_pair()
        tasks.start_soon(core.serve, LineChannel(near, near, limit=used.message_bytes))
        async with Client(LineChannel(far, far, limit=FAR_LIMIT)).running() as client:
            yield client


@asynccontextmanager
async def core_process(home: Path, *arguments: str) -> AsyncGenerator[tuple[Client, int], None]:
    """Start a core as a child that speaks over its standard input and output."""
    to_core, from_core = os.pipe(), os.pipe()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = await anyio.open_process(
        [sys.executable, "-m", "bindings", "--stdio", "--home", str(home), *arguments],
        stdin=to_core[0],
        stdout=from_core[1],
        stderr=None,
        env=environment,
    )
    os.close(to_core[0])
    os.close(from_core[1])
    try:
        channel = LineChannel(from_core[0], to_core[1], limit=FAR_LIMIT)
        async with Client(channel).running() as client:
            yield client, process.pid
        with anyio.fail_after(20):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
        await process.aclose()


@asynccontextmanager
async def transport(name: str, host: Host, limits: PeerLimits) -> AsyncGenerator[Connect, None]:
    """Give a way to connect programs over a transport."""
    async with AsyncExitStack() as stack:
        if name == "stdio":
            size = str(limits.message_bytes)

            @asynccontextmanager
            async def over_stdio() -> AsyncGenerator[Client, None]:
                async with core_process(host.home, "--max-message-bytes", size) as (client, _):
                    yield client

            yield over_stdio
            return
        core = await stack.enter_async_context(Core(host, limits=limits))
        if name == "websocket":
            port = await stack.enter_async_context(serve_websocket(core, "127.0.0.1", 0))

            @asynccontextmanager
            async def over_websocket() -> AsyncGenerator[Client, None]:
                async with (
                    connect(f"ws://127.0.0.1:{port}", max_size=None, proxy=None) as opened,
                    Client(WebSocketLine(opened)).running() as client,
                ):
                    yield client

            yield over_websocket
            return
        tasks = await stack.enter_async_context(anyio.create_task_group())

        @asynccontextmanager
        async def over_socketpair() -> AsyncGenerator[Client, None]:
            near, far = socket_pair()
            tasks.start_soon(core.serve, LineChannel(near, near, limit=limits.message_bytes))
            async with Client(LineChannel(far, far, limit=FAR_LIMIT)).running() as client:
                yield client

        yield over_socketpair


@pytest.fixture
async def host(home: Path) -> AsyncGenerator[Host, None]:
    """An open host with an empty catalog; what it declares is gone with the test."""
    catalog = Catalog()
    with use_catalog(catalog):
        async with Host(catalog=catalog, home=home) as opened:
            yield opened


@pytest.fixture(params=TRANSPORTS)
async def connection(request: pytest.FixtureRequest, host: Host) -> AsyncGenerator[Connect, None]:
    """A way to connect programs, over each transport; messages have 64 KiB at most."""
    async with transport(request.param, host, PeerLimits(message_bytes=64 * 1024)) as connect_to:
        yield connect_to


@pytest.fixture
async def program(host: Host) -> AsyncGenerator[Client, None]:
    """A program that is connected and has introduced itself."""
    async with connected(host) as client:
        await client.initialize()
        yield client
