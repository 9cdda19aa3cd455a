"""An MCP server as the sessions of a host share it: connected when needed, and again when lost."""

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import anyio
import anyio.to_thread
from pydantic import JsonValue

from swarm.errors import SwarmError, ToolFailed
from swarm.extension import Services
from swarm.functions import observe
from swarm.mcp.connection import Connection, LostConnectionError
from swarm.mcp.errors import McpUnavailableError
from swarm.mcp.output import result_text
from swarm.mcp.pins import Pins, changes, read_pins, write_pins
from swarm.mcp.spec import McpSpec
from swarm.mcp.tool import McpTool
from swarm.mcp.transport import log_path, open_transport

if TYPE_CHECKING:
    from mcp.types import CallToolResult

__all__ = ["Listing", "McpServer"]

_FRESH = 300.0
"""Seconds after which the list of tools is asked for again."""
_RETRY = 10.0
"""Seconds without a new attempt when a server could not be reached, unless a tool is called."""

_log = logging.getLogger("wikiswarm.mcp")


class Listing(NamedTuple):
    """The tools of a server, parted by whether they may be used; the same object while unchanged.

    The first list of a server counts as agreed to.
    """

    usable: tuple[McpTool, ...]
    blocked: Mapping[str, str]
    """Tool name to the reason."""


class McpServer:
    """One per declaration and host."""

    def __init__(self, spec: McpSpec, services: Services) -> None:
        self._spec = spec
        self._services = services
        self._connection: Connection | None = None
        self._listed: Connection | None = None
        """Where the tools were read."""
        self._tools: tuple[McpTool, ...] | None = None
        self._listing: Listing | None = None
        self._next_look = 0.0
        self._looks = 0
        self._failure: str | None = None
        """Why the newest look at the tools failed."""
        self._is_closed = False
        # Invariant: one connection is being opened, one list being read, at a time.
        self._connecting = anyio.Lock()
        self._listing_lock = anyio.Lock()

    async def listing(self) -> Listing:
        """Return the tools; those last agreed to when the server cannot be reached just now.

        Raises:
            McpUnavailableError: It was never reached before and cannot be now.
            DataError: The file with what was agreed to cannot be read.
            SetupError: The `mcp` library or a key is missing.
        """
        looks = self._looks
        async with self._listing_lock:
            if self._tools is None and self._looks > looks and self._failure is not None:
                # It failed for somebody else meanwhile; one wait is enough for everybody.
                raise self._unavailable(self._failure)
            if self._is_stale():
                await self._read_tools()
            elif self._listing is not None and not self._listing.blocked:
                return self._listing
            # What was blocked may have been approved since.
            return await self._compare()

    async def fetch(self) -> tuple[McpTool, ...]:
        """Return the tools as the server describes them now, approved or not.

        Raises:
            McpUnavailableError: It cannot be reached.
            SetupError: The `mcp` library or a key is missing.
        """
        if self._spec.callbacks is not None:
            on_fetch, name = self._spec.callbacks.on_fetch, self._spec.mcp_name
            await observe(on_fetch, None, name, place=f"mcp {name!r}")
        connection = await self._connect()
        try:
            with anyio.fail_after(self._spec.timeout):
                return await connection.list_tools()
        except TimeoutError:
            raise self._unavailable(f"no list of tools within {self._spec.timeout:g} s") from None
        except SwarmError:
            raise
        except Exception as error:
            raise self._unavailable(f"no list of tools: {_reason(error)}") from error

    async def call(self, tool_name: str, arguments: Mapping[str, JsonValue]) -> str:
        """Call a tool and return its output as text.

        Raises:
            ToolFailed: It failed, or the server is gone; the next call connects again.
        """
        try:
            result = await self._call(tool_name, dict(arguments))
        except LostConnectionError as lost:
            raise ToolFailed(f"the MCP server {self._spec.mcp_name!r} is gone: {lost}") from lost
        except (McpUnavailableError, TimeoutError) as error:
            raise ToolFailed(str(error)) from error
        except (SwarmError, ToolFailed):
            raise
        except Exception as error:
            # What the server refused, and what the library makes of a bad answer.
            raise ToolFailed(_reason(error)) from error
        return result_text(result)

    def forget(self) -> None:
        """Ask for the list of tools again at the next turn."""
        self._next_look = 0.0

    async def aclose(self) -> None:
        """End the connection."""
        self._is_closed = True
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()

    async def _call(self, tool_name: str, arguments: dict[str, JsonValue]) -> "CallToolResult":
        for _ in range(2):
            connection = await self._connect()
            # Another server may have come in the place of one that was lost.
            listing = await self.listing()
            if tool_name in listing.blocked:
                raise ToolFailed(listing.blocked[tool_name])
            try:
                return await connection.call_tool(tool_name, arguments)
            except LostConnectionError as lost:
                if lost.was_sent:
                    raise
        raise LostConnectionError("it closes every connection", was_sent=False)

    def _is_stale(self) -> bool:
        if self._tools is None or time.monotonic() >= self._next_look:
            return True
        connection = self._connection
        if connection is None or connection.is_lost:
            return False
        return connection.has_new_tools or connection is not self._listed

    async def _read_tools(self) -> None:
        self._looks += 1
        self._failure = None
        try:
            self._tools = await self.fetch()
            self._listed = self._connection
            self._next_look = time.monotonic() + _FRESH
        except McpUnavailableError as error:
            self._failure = error.reason
            self._next_look = time.monotonic() + _RETRY
            if self._tools is None:
                pins = await anyio.to_thread.run_sync(self._read_pins)
                if pins is None:
                    raise
                self._tools = pins.tools
            _log.warning("%s; its tools as of the last time are offered", error)

    async def _compare(self) -> Listing:
        tools = self._tools or ()
        pins = await anyio.to_thread.run_sync(self._read_pins)
        if pins is None:
            home, name = self._services.home, self._spec.mcp_name
            pins = await anyio.to_thread.run_sync(write_pins, home, name, tools)
        blocked = {
            change.tool_name: _blocked_reason(self._spec.mcp_name, change.tool_name, change.kind)
            for change in changes(pins, tools)
            if change.kind != "removed"
        }
        usable = tuple(tool for tool in tools if tool.name not in blocked)
        fresh = Listing(usable, blocked)
        if self._listing is None or fresh != self._listing:
            self._listing = fresh
            for reason in blocked.values():
                _log.warning("%s", reason)
        return self._listing

    def _read_pins(self) -> Pins | None:
        return read_pins(self._services.home, self._spec.mcp_name)

    async def _connect(self) -> Connection:
        async with self._connecting:
            connection = self._connection
            if connection is not None and not connection.is_lost:
                return connection
            if self._is_closed:
                raise self._unavailable("the host is closed")
            self._connection = None
            if connection is not None:
                await connection.aclose()
            connection = Connection()
            services = self._services
            transport = open_transport(
                self._spec, services.environment, services.home, connection.end
            )
            try:
                with anyio.fail_after(self._spec.timeout):
                    await connection.open(transport)
            except TimeoutError:
                text = f"no connection within {self._spec.timeout:g} s"
                raise self._unavailable(text) from None
            except SwarmError:
                raise
            except Exception as error:
                raise self._unavailable(f"no connection: {_reason(error)}") from error
            self._connection = connection
            return connection

    def _unavailable(self, reason: str) -> McpUnavailableError:
        error = McpUnavailableError(self._spec.mcp_name, reason)
        if self._spec.command is not None:
            error.hint = f"what it wrote is in {log_path(self._services.home, self._spec.mcp_name)}"
            error.add_note(error.hint)  # for whoever sees the traceback only
        return error


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if len(text) <= 1000 else f"{text[:1000]} ..."


def _blocked_reason(mcp_name: str, tool_name: str, kind: str) -> str:
    what = "is new" if kind == "new" else "reads differently"
    return (
        f"tool {tool_name!r} of MCP server {mcp_name!r} {what} since its tools were approved, "
        f"so it is blocked until somebody runs `wikiswarm mcp approve FILE {mcp_name}`"
    )
