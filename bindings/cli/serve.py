"""`serve`: a document's swarms and wikis for other programs."""

import os
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from bindings.cli.options import FileArgument, HomeOption, StoreOption, resolve_home
from bindings.cli.output import command, say

if TYPE_CHECKING:
    from pathlib import Path

    from swarm import Catalog, Host

__all__ = ["serve"]


@command
def serve(
    file: FileArgument,
    mcp: Annotated[
        bool, typer.Option("--mcp", help="Speak MCP over standard input and output.")
    ] = False,
    home: HomeOption = None,
    store: StoreOption = None,
) -> None:
    """Serve each swarm as a tool `ask_SWARM` and each wiki as `ask_wiki_WIKI`."""
    if not mcp:
        say("error: say how to serve: --mcp")
        raise typer.Exit(2)
    import anyio

    from bindings.mcp import tool_names
    from bindings.streams import quiet_stdout
    from declarative import load
    from swarm import Catalog, validate

    with quiet_stdout():
        catalog = load(file, catalog=Catalog())
        validate(catalog)
        names = tool_names(catalog)
    say(f"serving {', '.join(names) or 'nothing'} over standard input and output")
    anyio.run(_serve, catalog, resolve_home(home), store)


async def _serve(catalog: "Catalog", home: "Path", store: str | None) -> None:
    import anyio

    from bindings.mcp import serve_stdio
    from swarm import Host

    async with (
        Host(catalog=catalog, home=home, store=store) as host,
        anyio.create_task_group() as group,
    ):
        group.start_soon(_leave_on_signal, host)
        await serve_stdio(host)
        group.cancel_scope.cancel()


async def _leave_on_signal(host: "Host") -> None:
    """End the process at a signal; a thread that waits for input would hold it back."""
    import anyio

    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for received in signals:
            with anyio.move_on_after(10):
                await host.aclose()
            os._exit(128 + received)
