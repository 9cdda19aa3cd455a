"""Every swarm and every wiki as a tool of an MCP server.

Other programs ask them over standard input and output. It calls no MCP server itself; agents do,
through `swarm.mcp`.
"""

from bindings.mcp.server import make_server, tool_names
from bindings.mcp.stdio import serve_stdio

__all__ = ["make_server", "serve_stdio", "tool_names"]
