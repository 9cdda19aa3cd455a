"""`MCP`: what tools and programs say about MCP servers, from anywhere."""

from swarm.host import open_host

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
        await open_host("`MCP.update`").update_mcp(mcp_name, client_id)
