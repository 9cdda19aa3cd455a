"""What can go wrong with an MCP server before a tool of it is called."""

from swarm.errors import SetupError

__all__ = ["McpUnavailableError"]


class McpUnavailableError(SetupError):
    """The tools of a server that was never reached before, or of a function, are not known."""

    code = "mcp_unavailable"
    rpc_code = -32026

    def __init__(self, mcp_name: str, reason: str) -> None:
        self.mcp_name, self.reason = mcp_name, reason
        super().__init__(f"mcp {mcp_name!r}: {reason}")
