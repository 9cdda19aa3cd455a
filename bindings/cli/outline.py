"""`outline`: lets a model fill in one outline of a document."""

from pathlib import Path
from typing import Annotated

import typer

from bindings.cli.options import FileArgument, HomeOption, resolve_home
from bindings.cli.output import command, print_json, say

__all__ = ["outline"]


@command
def outline(
    file: FileArgument,
    name: Annotated[str, typer.Argument(help="The outline's name.", show_default=False)],
    params: Annotated[
        list[str] | None, typer.Argument(help="What it is made from.", show_default=False)
    ] = None,
    dump: Annotated[
        Path | None, typer.Option(help="Folder for a page about how the document came about.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Fill in an outline and print its document as JSON; exit code 1 when it is not valid."""
    import anyio

    anyio.run(_outline, file, name, params or [], dump, resolve_home(home))


async def _outline(file: Path, name: str, params: list[str], dump: Path | None, home: Path) -> None:
    import swarm
    from declarative import load
    from swarm.environment import read_environment

    catalog = load(file, catalog=swarm.Catalog(), environment=read_environment())
    # What no UTF-8 is, a shell hands over as half characters.
    texts = [text.encode(errors="replace").decode() for text in params]
    async with swarm.Host(catalog=catalog, home=home) as host:
        result = await swarm.json(name, *texts, host=host)
    if dump is not None:
        say(f"written: {swarm.dump_outline_result(result, dump)}")
    if not result.is_valid:
        say(f"error: no valid document after {result.attempt} attempts: {result.error}")
        raise typer.Exit(1)
    print_json(result.data)
