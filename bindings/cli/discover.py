"""`discover`: model servers on this machine."""

from typing import Annotated

import typer

from bindings.cli.options import JsonOption
from bindings.cli.output import command, done, print_json, say

__all__ = ["discover"]


@command
def discover(
    host: Annotated[list[str] | None, typer.Option(help="Where to look; repeat it.")] = None,
    port: Annotated[
        list[int] | None, typer.Option(help="Which ports to ask; repeat it.", min=1, max=65_535)
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds for one port.", min=0.01)] = 0.5,
    as_json: JsonOption = False,
) -> None:
    """Find model servers on the usual ports of this machine, and list their models."""
    import anyio

    from wiki.discovery import PORTS
    from wiki.discovery import discover as find

    hosts, ports = host or ["127.0.0.1"], port or list(PORTS)

    async def look() -> None:
        servers = await find(hosts, ports, seconds=timeout)
        if as_json:
            rows = [{**server._asdict(), "base_url": server.base_url} for server in servers]
            print_json(rows)
            return
        for server in servers:
            done(f"Discovered local backend: {server}")
            for model in server.models:
                done(f"  {server.provider}/{model}")
        if not servers:
            asked = ", ".join(map(str, ports))
            say(f"no model server answers on {', '.join(hosts)}, ports {asked}")
            say("hint: start one, for example: llama-server -m FILE.gguf --port 8001")

    anyio.run(look)
