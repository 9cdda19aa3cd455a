"""One live connection to an MCP server.

The library's client is a tree of tasks that one task must open and close, while sessions of many
tasks use it. So a task of its own holds it open; calls go to the client directly, from anywhere.
"""

import asyncio  # noqa: TID251 - a task that outlives the session whose turn opened it
import contextvars
import importlib.metadata
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, cast

import anyio

from swarm.mcp.tool import MAX_TOOLS, McpTool

if TYPE_CHECKING:
    from mcp import Client
    from mcp.client._transport import TransportStreams
    from mcp.client.session import IncomingMessage
    from mcp.types import CallToolResult

__all__ = ["Connection", "LostConnectionError"]

_MAX_PAGES = 50
_CLOSING = 10.0
"""Seconds that a server has to end; the library kills a child after four."""


class LostConnectionError(Exception):
    """The server is gone."""

    def __init__(self, message: str, *, was_sent: bool) -> None:
        self.was_sent = was_sent
        """The server may have run the call."""
        super().__init__(message)


class Connection:
    """Open from `open` until `aclose` or until the server ends it."""

    def __init__(self) -> None:
        self.is_lost = False
        """The server has closed the connection; open another one."""
        self.has_new_tools = False
        """The server said that its list of tools has changed."""
        self._client: Client | None = None
        self._failure: Exception | None = None
        self._scope = anyio.CancelScope()
        self._ready = anyio.Event()
        self._stop = anyio.Event()
        self._done = anyio.Event()
        self._task: asyncio.Task[None] | None = None

    async def open(self, transport: "AbstractAsyncContextManager[TransportStreams]") -> None:
        """Connect and agree on a version of the protocol.

        Raises:
            Exception: Whatever the transport or the library raises; the caller translates it.
        """
        # An empty context: the turn that happens to come first must not live on in this task.
        self._task = asyncio.get_running_loop().create_task(
            self._hold(transport), context=contextvars.Context()
        )
        try:
            await self._ready.wait()
        except BaseException:
            await self.aclose()
            raise
        if self._failure is not None:
            await self.aclose()
            raise self._failure

    def end(self) -> None:
        """Note that the server has closed the connection, and clean up behind it."""
        self.is_lost = True
        self._stop.set()

    async def list_tools(self) -> tuple[McpTool, ...]:
        """Return the server's tools, of all pages.

        Raises:
            LostConnectionError: The server is gone.
            ValueError: Its list has no end.
        """
        self.has_new_tools = False
        tools: dict[str, McpTool] = {}
        cursor: str | None = None
        for _ in range(_MAX_PAGES):
            page = await self._guard(lambda client, cursor=cursor: client.list_tools(cursor=cursor))
            for tool in page.tools:
                if len(tools) < MAX_TOOLS:
                    found = McpTool(
                        name=tool.name,
                        description=tool.description or "",
                        input_schema=tool.input_schema,
                    )
                    tools.setdefault(tool.name, found)
            cursor = page.next_cursor
            if cursor is None or len(tools) >= MAX_TOOLS:
                return tuple(tools.values())
        raise ValueError(f"the list of tools has more than {_MAX_PAGES} pages")

    async def call_tool(self, name: str, arguments: dict[str, Any]) -> "CallToolResult":
        """Call a tool.

        Raises:
            LostConnectionError: The server is gone, or went away before it answered.
            Exception: The server refused, or its answer is not what it declares.
        """
        return await self._guard(lambda client: client.call_tool(name, arguments))

    async def aclose(self) -> None:
        """End the connection; a child process is gone afterwards."""
        if self._task is None:
            return
        if not self._ready.is_set():
            self._scope.cancel()
        self._stop.set()
        with anyio.CancelScope(shield=True):
            with anyio.move_on_after(_CLOSING):
                await self._done.wait()
            if not self._done.is_set():
                self._scope.cancel()
                with anyio.move_on_after(_CLOSING):
                    await self._done.wait()

    async def _hold(self, transport: "AbstractAsyncContextManager[TransportStreams]") -> None:
        from mcp import Client, Implementation
        from mcp.types import ToolListChangedNotification

        async def watch(message: "IncomingMessage") -> None:
            if isinstance(message, ToolListChangedNotification):
                self.has_new_tools = True

        try:
            version = importlib.metadata.version("wikiswarm")
            # Only a list fresh from the server can be compared with what was approved.
            client = Client(
                transport,
                cache=None,
                client_info=Implementation(name="wikiswarm", version=version),
                message_handler=watch,
            )
            with self._scope:
                async with client:
                    self._client = client
                    self._ready.set()
                    await self._stop.wait()
        except Exception as error:
            self._failure = _innermost(error)
        finally:
            self.is_lost = True
            self._client = None
            self._ready.set()
            self._done.set()

    async def _guard(self, ask: "Callable[[Client], Any]") -> Any:
        from mcp import MCPError
        from mcp.types import CONNECTION_CLOSED, INVALID_REQUEST

        client = self._client
        if client is None:
            raise LostConnectionError("the connection is closed", was_sent=False)
        try:
            return await ask(client)
        except MCPError as error:
            # A server that restarted refuses the session it does not know.
            is_expired = error.code == INVALID_REQUEST and error.message == "Session terminated"
            if error.code == CONNECTION_CLOSED or is_expired:
                self.end()
                raise LostConnectionError(error.message, was_sent=not is_expired) from None
            raise


def _innermost(error: Exception) -> Exception:
    """Return the first error inside the groups that task groups wrap around it."""
    if not isinstance(error, ExceptionGroup):
        return error
    # A group of exceptions holds exceptions, which isinstance cannot tell.
    return _innermost(cast("ExceptionGroup[Exception]", error).exceptions[0])
