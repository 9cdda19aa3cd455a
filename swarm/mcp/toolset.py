"""The MCP tools of an agent, as declarations that the runtime binds like any other tool."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import anyio
from pydantic import JsonValue

from swarm.catalog import Catalog
from swarm.context import ToolContext
from swarm.errors import ToolFailed
from swarm.extension import Services
from swarm.functions import LONGEST_GOODBYE, observe
from swarm.mcp.functions import McpFunctions
from swarm.mcp.server import Listing, McpServer
from swarm.mcp.spec import MCPS, McpSpec
from swarm.mcp.tool import McpTool, function_name, unfit_reason
from swarm.specs import AgentSpec, ToolSpec

__all__ = ["McpTools", "forget_tools", "mcp_server", "mcp_tools"]

_log = logging.getLogger("wikiswarm.mcp")


class McpTools(NamedTuple):
    """The tools of one agent for one client; the same object while nothing changes."""

    offered: tuple[ToolSpec, ...]
    blocked: tuple[ToolSpec, ...]
    """Not shown to the model; a call that it makes from memory is told why."""


@dataclass(slots=True)
class _Source:
    """One MCP server, with the declarations made of its newest list."""

    spec: McpSpec
    server: McpServer | None = None
    functions: McpFunctions | None = None
    is_begun: bool = False
    made: dict[object, tuple[object, McpTools]] = field(
        default_factory=dict[object, tuple[object, McpTools]]
    )
    """By client; a server has one list for all."""

    async def tools(self, client_id: str) -> McpTools:
        if self.server is not None:
            listing, key = await self.server.listing(), ""
        elif self.functions is not None:
            listing, key = await self.functions.tools(client_id), client_id
        else:
            raise ValueError(f"mcp {self.spec.mcp_name!r} leads nowhere")
        known = self.made.get(key)
        if known is None or known[0] is not listing:
            tools = self._make(listing)
            if len(self.made) >= 1024:
                del self.made[next(iter(self.made))]
            known = self.made[key] = (listing, tools)
        names = [tool.tool_name for tool in known[1].offered]
        await self.tell("on_list", names, client_id)
        return known[1]

    async def tell(self, event: str, *told: object) -> None:
        """Tell an observer of the declaration; its name comes last."""
        function = getattr(self.spec.callbacks, event, None)
        name = self.spec.mcp_name
        await observe(function, *told, name, place=f"mcp {name!r}")

    def _make(self, listing: Listing | tuple[McpTool, ...]) -> McpTools:
        reasons: Mapping[str, str] = {}
        usable: tuple[McpTool, ...]
        if isinstance(listing, Listing):
            usable, reasons = listing.usable, listing.blocked
        else:
            usable = listing
        offered: dict[str, ToolSpec] = {}
        for tool in usable:
            if self.spec.tools is not None and tool.name not in self.spec.tools:
                continue
            name = function_name(self.spec, tool)
            reason = "another tool has its name" if name in offered else None
            reason = reason or unfit_reason(self.spec, tool)
            if reason is None:
                offered[name] = self._spec_of(tool, name)
            else:
                text = "tool %r of MCP server %r is left out: %s"
                _log.warning(text, tool.name[:200], self.spec.mcp_name, reason)
        blocked = [self._refusal(name, reason) for name, reason in reasons.items()]
        return McpTools(tuple(offered.values()), tuple(blocked))

    def _spec_of(self, tool: McpTool, name: str) -> ToolSpec:
        async def call(context: ToolContext) -> object:
            await self.tell("on_call", tool.name, context)
            if self.server is not None:
                return await self.server.call(tool.name, context.arguments)
            if self.functions is not None:
                return await self.functions.call(tool.name, context)
            raise ToolFailed("this tool leads nowhere")

        schema: dict[str, JsonValue] = {"type": "object", **tool.input_schema}
        return ToolSpec(
            tool_name=name,
            description=tool.description,
            parameters=schema,
            call=call,
            timeout=self.spec.timeout,
        )

    def _refusal(self, tool_name: str, reason: str) -> ToolSpec:
        async def refuse(context: ToolContext) -> object:
            raise ToolFailed(reason)

        name = function_name(self.spec, McpTool(name=tool_name))[:64] or "_"
        return ToolSpec(tool_name=name, parameters={"type": "object"}, call=refuse)


def mcp_tools(
    agent: AgentSpec, catalog: Catalog, services: Services
) -> Callable[[str], Awaitable[McpTools]] | None:
    """Return what gives an agent's MCP tools for a client id, or None for an agent without.

    Servers are connected at the first use, one connection for all sessions of a host.
    """
    if not agent.mcp:
        return None
    specs = [catalog.registry(MCPS).get(name) for name in agent.mcp]
    sources: list[_Source] = []
    merged: dict[tuple[int, ...], tuple[list[McpTools], McpTools]] = {}

    async def tools(client_id: str) -> McpTools:
        if not sources:
            sources[:] = [await _source(spec, services) for spec in specs]
        parts = await _read(sources, client_id)
        key = tuple(id(part) for part in parts)
        if key not in merged:
            if len(merged) >= 256:
                merged.clear()
            # The parts are kept with their sum, so that no other gets the id of one.
            merged[key] = (parts, _sum(parts))
        return merged[key][1]

    return tools


async def mcp_server(spec: McpSpec, services: Services) -> McpServer:
    """Return the server of a declaration, shared by a host's sessions.

    Raises:
        ValueError: It is no server but two functions.
    """
    source = await _source(spec, services)
    if source.server is None:
        raise ValueError(f"mcp {spec.mcp_name!r} is no server but two functions of the program")
    return source.server


async def forget_tools(spec: McpSpec, services: Services, client_id: str | None = None) -> None:
    """Ask for the list of tools again at the next turn; for one client, or for all."""
    source = await _source(spec, services)
    if source.server is not None:
        source.server.forget()
    if source.functions is not None:
        source.functions.forget(client_id)
    await source.tell("on_update", client_id)


async def _read(sources: list[_Source], client_id: str) -> list[McpTools]:
    """Return the tools of each source; servers are connected at the same time."""
    if len(sources) == 1:
        return [await sources[0].tools(client_id)]
    found: dict[int, McpTools] = {}
    failures: list[Exception] = []

    async def read(index: int) -> None:
        try:
            found[index] = await sources[index].tools(client_id)
        except Exception as error:
            failures.append(error)

    async with anyio.create_task_group() as group:
        for index in range(len(sources)):
            group.start_soon(read, index)
    if failures:
        # Not left to the group, which would wrap it: callers catch it by its class.
        raise failures[0]
    return [found[index] for index in range(len(sources))]


async def _source(spec: McpSpec, services: Services) -> _Source:
    async def start() -> tuple[_Source, Callable[[], Awaitable[None]]]:
        source = _Source(spec)
        if spec.list_tools is not None:
            source.functions = McpFunctions(spec)
        else:
            source.server = McpServer(spec, services)

        async def stop() -> None:
            if source.server is not None:
                await source.server.aclose()
            with anyio.move_on_after(LONGEST_GOODBYE):
                await source.tell("on_dispose")

        return source, stop

    source = await services.shared(f"mcp:{spec!r}", start)
    if not source.is_begun:
        # Not inside `start`: what it holds, an observer may need as well.
        source.is_begun = True
        await source.tell("on_init")
    return source


def _sum(parts: list[McpTools]) -> McpTools:
    offered = [spec for part in parts for spec in part.offered]
    blocked = [spec for part in parts for spec in part.blocked]
    return McpTools(tuple(offered), tuple(blocked))
