"""`check` and `describe`: what a document declares, and what is wrong with it."""

from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from bindings.cli.options import FileArgument, JsonOption
from bindings.cli.output import command, done, print_json, say

__all__ = ["Format", "check", "describe"]

Format = Literal["markdown", "mermaid", "schema"]


@command
def check(file: FileArgument, as_json: JsonOption = False) -> None:
    """Check a document: every problem with its line."""
    import time

    from declarative import check as check_document
    from swarm.environment import read_environment

    started = time.perf_counter()
    report = check_document(file, environment=read_environment())
    if as_json:
        print_json(
            {
                "problems": [problem._asdict() for problem in report.problems],
                "counts": report.counts,
            }
        )
    else:
        for problem in report.problems:
            say(f"error: {problem}")
        count = len(report.problems)
        if count:
            say(f"{count} problem{'s' if count != 1 else ''}")
        else:
            declared = [f"{number} {kind}" for kind, number in report.counts.items() if number]
            counts = ", ".join(declared) or "nothing"
            done(f"{file}: {counts}; no problems ({time.perf_counter() - started:.2f} s)")
    if report.problems:
        raise typer.Exit(1)


@command
def describe(
    file: FileArgument,
    format: Annotated[
        str, typer.Option("--format", help="markdown, mermaid or schema.")
    ] = "markdown",
    output: Annotated[
        Path | None,
        typer.Option("--output", help="Write pages into this folder instead of printing one."),
    ] = None,
) -> None:
    """Print documentation of a document, its graph, or the JSON Schema of all documents."""
    from declarative import describe as describe_catalog
    from declarative import dump_docs, load
    from swarm import Catalog
    from swarm.environment import read_environment

    known: Format | None = next((f for f in get_args(Format) if f == format), None)
    if known is None:
        say(f"error: no format {format!r}; use markdown, mermaid or schema")
        raise typer.Exit(2)
    if output is not None and known != "markdown":
        say(f"error: --output writes markdown; print {known} without it")
        raise typer.Exit(2)
    catalog = load(file, catalog=Catalog(), environment=read_environment())
    if output is not None:
        pages = dump_docs(output, catalog=catalog)
        done(f"{pages[-1]}: {len(pages)} pages")
        return
    print(describe_catalog(catalog, format=known), end="")
