"""`mcp`: the MCP servers of a document, and agreeing to what they say about their tools."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bindings.cli.options import FileArgument, HomeOption, JsonOption, StoreOption, resolve_home
from bindings.cli.output import command, done, print_json, print_table, say

if TYPE_CHECKING:
    from swarm import Catalog
    from swarm.mcp import McpSpec
    from swarm.mcp.pins import ToolChange
    from swarm.mcp.tool import McpTool

__all__ = ["Server", "app", "approve", "list_servers", "show"]

app = typer.Typer(help="MCP servers, and whose tools were agreed to.", no_args_is_help=True)

Server = Annotated[str, typer.Argument(metavar="NAME", help="The server.", show_default=False)]


@app.command("list")
@command
def list_servers(file: FileArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the declared servers and when their tools were agreed to; connects to none."""
    from swarm.mcp import MCPS
    from swarm.mcp.pins import read_pins

    rows: list[dict[str, object]] = []
    for spec in _load(file).registry(MCPS):
        pins = read_pins(resolve_home(home), spec.mcp_name)
        rows.append(
            {
                "mcp_name": spec.mcp_name,
                "reached_by": _reached_by(spec),
                "tools": len(pins.digests) if pins else None,
                "approved_at": pins.approved_at.strftime("%Y-%m-%d %H:%M") if pins else None,
            }
        )
    if as_json:
        print_json(rows)
        return
    if not rows:
        say(f"{file} declares no MCP servers")
        return
    cells = [["-" if cell is None else cell for cell in row.values()] for row in rows]
    print_table(["server", "reached by", "tools", "agreed to"], cells)


@app.command("show")
@command
def show(
    file: FileArgument,
    name: Server,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a server's tools as it describes them now; exits with 1 when some are blocked."""
    from swarm.mcp.pins import read_pins

    folder = resolve_home(home)
    pins = read_pins(folder, name)
    tools, found = _look(file, name, folder, store)
    # Before the first use there is nothing that could have changed.
    blocked = [change for change in found if pins is not None and change.kind != "removed"]
    if as_json:
        print_json({"tools": tools, "changes": [_as_data(change) for change in found if pins]})
    else:
        for tool in tools:
            done(f"{tool.name}: {tool.description}")
        if pins is not None:
            _print_changes(found)
    if blocked:
        say(f"hint: wikiswarm mcp approve {file} {name}")
        raise typer.Exit(1)


@app.command("approve")
@command
def approve(
    file: FileArgument,
    name: Server,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Agree to a server's tools as it describes them now, and print what changed."""
    from swarm.mcp.pins import write_pins

    folder = resolve_home(home)
    tools, found = _look(file, name, folder, store)
    write_pins(folder, name, tools)
    if as_json:
        print_json({"tools": tools, "changes": [_as_data(change) for change in found]})
        return
    _print_changes(found)
    done(f"{name}: {'1 tool is' if len(tools) == 1 else f'{len(tools)} tools are'} agreed to")


def _look(
    file: Path, name: str, home: Path, store: str | None
) -> "tuple[list[McpTool], list[ToolChange]]":
    import anyio

    from swarm.errors import DataError
    from swarm.mcp import MCPS
    from swarm.mcp.pins import changes, read_pins

    catalog = _load(file)
    tools = anyio.run(_fetch, catalog, catalog.registry(MCPS).get(name), home, store)
    try:
        pins = read_pins(home, name)
    except DataError as wrong:
        # Approving writes them anew.
        say(f"warning: {wrong}")
        pins = None
    return tools, changes(pins, tools)


async def _fetch(
    catalog: "Catalog", spec: "McpSpec", home: Path, store: str | None
) -> "list[McpTool]":
    from swarm import Host
    from swarm.errors import DeclarationError
    from swarm.mcp.toolset import mcp_server

    if spec.list_tools is not None:
        raise DeclarationError(
            f"mcp {spec.mcp_name!r} is two functions of the program; there is nothing to agree to"
        )
    async with Host(catalog=catalog, home=home, store=store) as host:
        server = await mcp_server(spec, host)
        return list(await server.fetch())


def _print_changes(found: "list[ToolChange]") -> None:
    for change in found:
        done(f"{change.kind}: {change.tool_name}")
        for sign, tool in (("-", change.before), ("+", change.after)):
            if tool is not None:
                import orjson

                done(f"  {sign} {tool.description}")
                done(f"  {sign} {orjson.dumps(tool.input_schema).decode()}")


def _as_data(change: "ToolChange") -> dict[str, object]:
    return change._asdict()


def _reached_by(spec: "McpSpec") -> str:
    if spec.command is not None:
        return " ".join(spec.command)
    return spec.url or "functions of the program"


def _load(file: Path) -> "Catalog":
    from declarative import load
    from swarm import Catalog

    return load(file, catalog=Catalog())
