"""Runs a core for one program on pipes, or for any number over WebSockets."""

import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

import anyio

from bindings.rpc.core import RESUME_WINDOW, Core
from bindings.rpc.framing import LineChannel
from bindings.rpc.handshake import PATIENCE
from bindings.rpc.peer import PeerLimits
from declarative import load
from swarm import Catalog, Host, use_catalog
from swarm.errors import SwarmError

__all__ = ["TOKEN", "run_core", "serve_descriptors"]

TOKEN = "WIKISWARM_TOKEN"
"""The environment variable with the token that programs have to bring over a WebSocket."""
_log = logging.getLogger("wikiswarm.rpc")


def run_core(
    *,
    reading: int,
    writing: int,
    address: str | None = None,
    documents: Sequence[Path] = (),
    home: Path | None = None,
    max_message_bytes: int = PeerLimits().message_bytes,
    resume_window: float = RESUME_WINDOW,
) -> int:
    """Run a core until its program leaves, or a signal comes.

    Args:
        reading: The descriptor that messages come from.
        writing: The descriptor that messages go to.
        address: Where to listen in place of them.
        documents: YAML documents to declare first.
        home: The folder of the state.
        max_message_bytes: The longest message.
        resume_window: Seconds that a WebSocket which broke is kept.

    Returns:
        The exit status; 1 with one line on standard error where it could not begin.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    limits = PeerLimits(message_bytes=max_message_bytes)
    failures: list[BaseException] = []
    try:
        catalog = Catalog()
        for document in documents:
            load(document, catalog=catalog)
        anyio.run(_run, catalog, home, limits, reading, writing, address, resume_window)
    except* SwarmError as group:
        failures += group.exceptions
    for error in failures:
        while isinstance(error, BaseExceptionGroup):
            error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
        sys.stderr.write(f"error: {error}\n")
    return 1 if failures else 0


async def _run(
    catalog: Catalog,
    home: Path | None,
    limits: PeerLimits,
    reading: int,
    writing: int,
    address: str | None,
    window: float,
) -> None:
    with use_catalog(catalog):
        async with anyio.create_task_group() as tasks, Host(catalog=catalog, home=home) as host:
            tasks.start_soon(_end_at_signal, tasks.cancel_scope)
            if address is None:
                await serve_descriptors(host, reading, writing, limits=limits)
            else:
                await _listen(host, address, limits, window)
            tasks.cancel_scope.cancel()


async def serve_descriptors(
    host: Host,
    reading: int,
    writing: int,
    *,
    limits: PeerLimits | None = None,
    patience: float | None = PATIENCE,
) -> None:
    """Serve the program at the other end of a pipe or a socket until it leaves.

    Args:
        host: The open host.
        reading: The descriptor that messages come from; it is closed in the end.
        writing: The descriptor that messages go to; it may be the same.
        limits: What the connection is held to.
        patience: Seconds until the program has to have said who it is; None for any time.
    """
    used = limits or PeerLimits()
    channel = LineChannel(reading, writing, limit=used.message_bytes)
    async with Core(host, limits=used) as core:
        await core.serve(channel, patience=patience)


async def _listen(host: Host, address: str, limits: PeerLimits, window: float) -> None:
    from bindings.rpc.websocket import read_address, serve_websocket

    token = os.environ.pop(TOKEN, None) or None
    name, port = read_address(address, token)
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(
            Core(host, token=token, limits=limits, window=window)
        )
        bound = await stack.enter_async_context(serve_websocket(core, name, port, token=token))
        shown = f"[{name}]" if ":" in name else name
        sys.stderr.write(f"listening on ws://{shown}:{bound}\n")
        sys.stderr.flush()
        await anyio.sleep_forever()


async def _end_at_signal(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            _log.info("told to end")
            scope.cancel()
            return
