"""Arguments and options that several commands share."""

import os
from pathlib import Path
from typing import Annotated

import typer

from bindings.cli.output import say

__all__ = [
    "FileArgument",
    "HomeOption",
    "JsonOption",
    "ProjectOption",
    "StoreOption",
    "next_run",
    "refuse_early_options",
    "resolve_home",
    "resolve_project",
    "resolve_store",
]

FileArgument = Annotated[
    Path, typer.Argument(help="A YAML document of declarations.", show_default=False)
]
"""The document."""

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of the state.", envvar="WIKISWARM_HOME"),
]
"""Where the journal, the models and the runs lie."""

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="The journal's database, else WIKISWARM_STORE, else a file in the home.",
    ),
]
"""Another database than the home's file; without `envvar`, whose value the help could show."""

ProjectOption = Annotated[
    str | None,
    typer.Option(
        "--project",
        metavar="NAME",
        help="Only what belongs to this project, else WIKISWARM_PROJECT, else all.",
    ),
]
"""The tenant whose data a command sees."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
"""Machine-readable output."""


def refuse_early_options(context: typer.Context, group: str) -> None:
    """End the program when options stand before the command of a group, where they do nothing."""
    given = [context.get_parameter_source(name) for name in ("home", "store", "as_json")]
    if any(source is not None and source.name == "COMMANDLINE" for source in given):
        command = f"wikiswarm {group} {context.invoked_subcommand}"
        say(f"error: write options after the command: {command}")
        raise typer.Exit(2)


def resolve_home(home: Path | None) -> Path:
    """Return the folder of the state; `.wikiswarm` in the working folder by default."""
    return home or Path(os.environ.get("WIKISWARM_HOME") or ".wikiswarm")


def resolve_store(store: str | None) -> str | None:
    """Return the URL of the journal's database; None for the file in the home."""
    from swarm.environment import read_environment

    return store or read_environment().get("WIKISWARM_STORE") or None


def resolve_project(project: str | None) -> str | None:
    """Return the project that a command is limited to; None for all, `""` for no project."""
    from swarm.environment import read_environment

    return project if project is not None else read_environment().get("WIKISWARM_PROJECT") or None


def next_run(home: Path) -> Path:
    """Return the folder that the next run of a home gets."""
    runs = home / "runs"
    taken = [int(p.name) for p in runs.iterdir() if p.name.isdigit()] if runs.is_dir() else []
    return runs / str(max(taken, default=0) + 1)
