"""MCP over standard input and output, on which nothing else may be written."""

import contextlib
import sys

from bindings.mcp.server import make_server
from swarm import Host

__all__ = ["serve_stdio"]


async def serve_stdio(host: Host) -> None:
    """Serve the swarms and wikis of an open host until standard input ends.

    Raises:
        MissingExtraError: The `mcp` library is not installed.
        DeclarationError: Two tools would have one name, or a name is too long.
    """
    server = make_server(host)
    from mcp.server.stdio import stdio_server

    # The library turns the descriptor away from the wire; what Python holds back must not be
    # written to it at the end.
    async with stdio_server() as (read, write):
        with contextlib.redirect_stdout(sys.stderr):
            await server.run(read, write, server.create_initialization_options())
