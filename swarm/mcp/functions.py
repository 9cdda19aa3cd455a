"""MCP by two functions of the program, in place of a server."""

from collections.abc import Iterable
from typing import Any, cast

from swarm.context import ToolContext
from swarm.errors import DeclarationError
from swarm.functions import call_in_thread, checked_call, observe
from swarm.mcp.errors import McpUnavailableError
from swarm.mcp.spec import McpSpec
from swarm.mcp.tool import MAX_TOOLS, McpTool, read_tool

__all__ = ["McpFunctions"]

_MAX_CLIENTS = 1024
"""Clients whose lists are kept; the oldest goes first."""


class McpFunctions:
    """One per declaration and host; each client may have tools of its own."""

    def __init__(self, spec: McpSpec) -> None:
        self._spec = spec
        self._lists: dict[str, tuple[McpTool, ...]] = {}

    async def tools(self, client_id: str) -> tuple[McpTool, ...]:
        """Return a client's tools; the function is asked once, until `forget`.

        Raises:
            McpUnavailableError: It failed; names it.
            DeclarationError: It gave something else than tools.
        """
        known = self._lists.get(client_id)
        if known is None:
            if self._spec.callbacks is not None:
                on_fetch, name = self._spec.callbacks.on_fetch, self._spec.mcp_name
                await observe(on_fetch, client_id, name, place=f"mcp {name!r}")
            values = await self._list(client_id)
            if not isinstance(values, Iterable) or isinstance(values, str | bytes):
                raise DeclarationError(f"list_tools gave {type(values).__name__}; give a list")
            items = cast("Iterable[object]", values)  # of anything; each is checked
            known = tuple(read_tool(value) for value in items)[:MAX_TOOLS]
            if len(self._lists) >= _MAX_CLIENTS:
                del self._lists[next(iter(self._lists))]
            self._lists[client_id] = known
        return known

    async def call(self, tool_name: str, context: ToolContext) -> object:
        """Call the function and return what it gives; nothing counts as an empty output."""
        function = self._spec.call_tool
        if function is None:
            raise ValueError("an mcp without functions is reached by a connection")
        # What it raises is for the model to read, as with any other tool.
        output = await call_in_thread(function, tool_name, context)
        return "" if output is None else output

    def forget(self, client_id: str | None) -> None:
        """Ask for the list again, of one client or of all."""
        if client_id is None:
            self._lists.clear()
        else:
            self._lists.pop(client_id, None)

    async def _list(self, client_id: str) -> Any:
        function, name = self._spec.list_tools, self._spec.mcp_name
        if function is None:
            raise ValueError("an mcp without functions is reached by a connection")
        return await checked_call(
            function,
            client_id,
            role="list_tools",
            place=f"mcp {name!r}",
            failure=lambda what, reason: McpUnavailableError(name, f"{what} failed: {reason}"),
            in_thread=True,
        )
