"""`run`: a TypeScript or JavaScript program, with the core in this process."""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bindings.cli.options import HomeOption, StoreOption, resolve_home
from bindings.cli.output import command, say

if TYPE_CHECKING:
    from swarm import Catalog

__all__ = ["PASS_ON", "run"]

PASS_ON = {"allow_interspersed_args": False, "ignore_unknown_options": False}
"""How the command line is read: whatever follows the program is the program's own."""


@command
def run(
    program: Annotated[
        Path, typer.Argument(help="A program: .ts, .mts, .cts, .tsx, .js, .mjs, .cjs.")
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(help="What follows the program is for it; options of ours stand before."),
    ] = None,
    load: Annotated[
        list[Path] | None,
        typer.Option(
            "--load", metavar="FILE", help="A YAML document to declare first; repeatable."
        ),
    ] = None,
    home: HomeOption = None,
    store: StoreOption = None,
) -> None:
    """Run a TypeScript or JavaScript program; its exit status is that of this command."""
    import anyio

    from bindings.node.finding import check_program
    from bindings.streams import quiet_stdout
    from declarative import load as load_document
    from swarm import Catalog
    from swarm.environment import read_environment
    from swarm.errors import DataError

    try:
        check_program(program)
    except DataError as wrong:
        say(f"error: {wrong}")
        raise typer.Exit(2) from None
    given = list(arguments or ())
    if given[:1] == ["--"]:
        del given[0]
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    with quiet_stdout() as stdout:
        catalog = Catalog()
        for document in load or ():
            load_document(document, catalog=catalog, environment=read_environment())
        status = anyio.run(_run, catalog, resolve_home(home), store, program, given, stdout)
    raise typer.Exit(status)


async def _run(
    catalog: "Catalog",
    home: Path,
    store: str | None,
    program: Path,
    arguments: list[str],
    stdout: int,
) -> int:
    from bindings.node import run_program
    from swarm import Host, use_catalog

    with use_catalog(catalog):
        async with Host(catalog=catalog, home=home, store=store) as host:
            return await run_program(host, program, arguments, stdout=stdout, forward_signals=True)
