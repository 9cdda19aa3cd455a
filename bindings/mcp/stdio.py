"""MCP over standard input and output, on which nothing else may be written."""

import contextlib
import os
import sys
from collections.abc import Generator

from bindings.mcp.server import make_server
from swarm import Host

__all__ = ["quiet_stdout", "serve_stdio"]


@contextlib.contextmanager
def quiet_stdout() -> Generator[None]:
    """Send to standard error what anybody writes to standard output, C libraries included.

    It is for the time before the server speaks: a document's own modules may print.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


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
