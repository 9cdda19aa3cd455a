"""A core in this process, and programs connected to it by real sockets."""

import os
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio
import pytest

from bindings.rpc.core import Core
from bindings.rpc.framing import LineChannel
from bindings.rpc.peer import PeerLimits
from swarm import Catalog, Host, use_catalog
from tests.bindings.rpc.client import Client

Connect = Callable[[], AbstractAsyncContextManager[Client]]


@asynccontextmanager
async def connected(host: Host, limits: PeerLimits | None = None) -> AsyncGenerator[Client, None]:
    """Connect a program by a socket pair; it has not said anything yet."""
    used = limits or PeerLimits()
    ours, theirs = socket.socketpair()
    near, far = os.dup(ours.fileno()), os.dup(theirs.fileno())
    ours.close()
    theirs.close()
    async with Core(host, limits=used) as core, anyio.create_task_group() as tasks:
        tasks.start_soon(core.serve, LineChannel(near, near, limit=used.message_bytes))
        async with Client(LineChannel(far, far, limit=64 * 1024 * 1024)).running() as client:
            yield client


@pytest.fixture
async def host(home: Path) -> AsyncGenerator[Host, None]:
    catalog = Catalog()
    with use_catalog(catalog):
        async with Host(catalog=catalog) as opened:
            yield opened
