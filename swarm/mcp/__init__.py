"""MCP, the Model Context Protocol: tools of other programs, merged into those of an agent.

It connects to servers and guards what they say about their tools. It is no server itself; that
is `bindings.mcp`. The `mcp` library is imported when the first server is connected.
"""

from swarm.mcp.errors import McpUnavailableError
from swarm.mcp.pins import Pins, ToolChange, changes, read_pins, write_pins
from swarm.mcp.server import Listing, McpServer
from swarm.mcp.spec import MCPS, McpSpec
from swarm.mcp.tool import McpTool
from swarm.mcp.toolset import McpTools, forget_tools, mcp_server, mcp_tools

__all__ = [
    "MCPS",
    "Listing",
    "McpServer",
    "McpSpec",
    "McpTool",
    "McpTools",
    "McpUnavailableError",
    "Pins",
    "ToolChange",
    "changes",
    "forget_tools",
    "mcp_server",
    "mcp_tools",
    "read_pins",
    "write_pins",
]
