"""`MCP`: what tools and programs say about MCP servers, from anywhere."""

from swarm.errors import SessionError
from swarm.host import current_host
from swarm.mcp.spec import MCPS
from swarm.runtime.turn import current_turn

__all__ = ["MCP"]


class MCP:
    """The MCP servers of the running turn's host, or of the open one."""

    @staticmethod
    async def update(mcp_name: str, client_id: str | None = None) -> None:
        """Ask for a server's list of tools again at the next model call.

        Args:
            mcp_name: The declared name.
            client_id: Only for this client; `list_tools` may give each client another list.

        Raises:
            UnknownNameError: No such MCP server is declared.
            SessionError: No turn is running and no host is open.
        """
        from swarm.mcp.toolset import forget_tools

        turn = current_turn.get()
        services = None if turn is None else turn.session.plan.services
        if turn is not None and services is not None:
            spec = turn.session.plan.catalog.registry(MCPS).get(mcp_name)
            await forget_tools(spec, services, client_id)
            return
        host = current_host()
        if host is None:
            raise SessionError("no host is open; `MCP.update` needs one")
        await host.update_mcp(mcp_name, client_id)
