"""How a declared MCP server is reached: a child process, or streamable HTTP."""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

import anyio

from swarm.errors import MissingKeyError, StoreError, require
from swarm.mcp.spec import McpSpec

if TYPE_CHECKING:
    from mcp.client._transport import ReadStream, TransportStreams
    from mcp.shared.message import SessionMessage

__all__ = ["log_path", "open_transport"]

_MAX_EVENT = 8 * 1024 * 1024
"""Bytes of one event over HTTP; a longer one is an error of that call."""
_MAX_LOG = 1024 * 1024


def log_path(home: Path, mcp_name: str) -> Path:
    """Return the file that takes what a child process writes to its standard error."""
    return home / "mcp" / f"{mcp_name}.log"


def open_transport(
    spec: McpSpec, environment: Mapping[str, str], home: Path, on_end: Callable[[], None]
) -> "AbstractAsyncContextManager[TransportStreams]":
    """Return the way to a server, not yet opened.

    Args:
        spec: Its declaration.
        environment: Where keys are read.
        home: Where the log of a child process goes.
        on_end: Called when the server ends the connection by itself.

    Raises:
        MissingExtraError: The `mcp` library is not installed.
        MissingKeyError: A variable that the declaration names is not set.
    """
    require("mcp", extra="mcp")
    if spec.url is None:
        return _stdio(spec, _variables(spec, environment), home, on_end)
    return _http(spec.url, _headers(spec, environment))


def _in_one_line(record: logging.LogRecord) -> bool:
    """Say what a server did wrong, where the library logs its own traceback for each line."""
    if record.exc_info and record.msg == "Failed to parse JSONRPC message from server":
        record.msg = (
            "an MCP server wrote a line that is no JSON-RPC message to its standard output;"
            " what it prints belongs on standard error"
        )
        record.exc_info = record.exc_text = None
    return True


@asynccontextmanager
async def _stdio(
    spec: McpSpec, variables: dict[str, str], home: Path, on_end: Callable[[], None]
) -> "AsyncGenerator[TransportStreams, None]":
    from mcp import StdioServerParameters, stdio_client

    logging.getLogger("mcp.client.stdio").addFilter(_in_one_line)
    command, *arguments = spec.command or ("",)
    parameters = StdioServerParameters(
        command=command,
        args=arguments,
        env=variables,
        cwd=spec.cwd,
        encoding_error_handler="replace",
    )
    with _open_log(log_path(home, spec.mcp_name)) as log:
        async with stdio_client(parameters, log) as (read, write):
            yield _Watched(read, on_end), write


@asynccontextmanager
async def _http(url: str, headers: dict[str, str]) -> "AsyncGenerator[TransportStreams, None]":
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    # A server may hold a stream open; the caller's own deadline ends a call before.
    timeout = httpx2.Timeout(30, read=300)
    async with (
        httpx2.AsyncClient(headers=headers, timeout=timeout) as client,
        streamable_http_client(url, http_client=client, max_sse_event_size=_MAX_EVENT) as streams,
    ):
        yield streams


def _variables(spec: McpSpec, environment: Mapping[str, str]) -> dict[str, str]:
    return {name: _value(name, spec, environment) for name in spec.env}


def _headers(spec: McpSpec, environment: Mapping[str, str]) -> dict[str, str]:
    headers = {name: _value(variable, spec, environment) for name, variable in spec.headers.items()}
    if spec.api_key_env is not None:
        headers["Authorization"] = f"Bearer {_value(spec.api_key_env, spec, environment)}"
    return headers


def _value(variable: str, spec: McpSpec, environment: Mapping[str, str]) -> str:
    value = environment.get(variable)
    if not value:
        raise MissingKeyError(variable, f"mcp {spec.mcp_name!r}")
    return value


def _open_log(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_long = path.exists() and path.stat().st_size > _MAX_LOG
        return path.open("w" if is_long else "a", encoding="utf-8")
    except OSError as wrong:
        raise StoreError(f"{path} cannot be written: {wrong.strerror or wrong}") from wrong


class _Watched:
    """The reading end of a connection, which says when the other side has closed it."""

    def __init__(
        self, stream: "ReadStream[SessionMessage | Exception]", on_end: Callable[[], None]
    ) -> None:
        self._stream = stream
        self._on_end = on_end

    async def receive(self) -> "SessionMessage | Exception":
        try:
            return await self._stream.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._on_end()
            raise

    async def aclose(self) -> None:
        await self._stream.aclose()

    def __aiter__(self) -> "ReadStream[SessionMessage | Exception]":
        return self

    async def __anext__(self) -> "SessionMessage | Exception":
        try:
            return await self._stream.__anext__()
        except StopAsyncIteration:
            self._on_end()
            raise

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> bool | None:
        return await self._stream.__aexit__(exc_type, exc_val, exc_tb)
