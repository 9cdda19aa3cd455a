"""MCP, the Model Context Protocol: tools of other programs, merged into those of an agent.

It connects to servers and guards what they say about their tools. It is no server itself; that
is `bindings.mcp`. The `mcp` library is imported when the first server is connected.

What runs is in the modules below: `toolset` for agents, `server` for one connection, `pins` for
descriptions that were approved. Only the declaration is imported here, since every declaration
of an agent looks at it.
"""

from swarm.mcp.spec import MCPS, McpCallbacks, McpSpec

__all__ = ["MCPS", "McpCallbacks", "McpSpec"]
