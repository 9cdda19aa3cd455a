"""Arguments and options that several commands share."""

import os
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["FileArgument", "HomeOption", "JsonOption", "resolve_home"]

FileArgument = Annotated[
    Path, typer.Argument(help="A YAML document of declarations.", show_default=False)
]
"""The document."""

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of the state.", envvar="WIKISWARM_HOME"),
]
"""Where the journal, the models and the runs lie."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
"""Machine-readable output."""


def resolve_home(home: Path | None) -> Path:
    """Return the folder of the state; `.wikiswarm` in the working folder by default."""
    return home or Path(os.environ.get("WIKISWARM_HOME") or ".wikiswarm")
