"""`dataset`: training files from captured conversations, and whether files are right."""

import typer

from bindings.cli import (
    dataset_archive,
    dataset_candidates,
    dataset_check,
    dataset_collect,
    dataset_mix,
    dataset_show,
    dataset_split,
)
from bindings.cli.dataset_convert import convert, detect
from bindings.cli.dataset_curate import curate

__all__ = ["app"]

app = typer.Typer(help="Training files.", no_args_is_help=True)
app.command("collect")(dataset_collect.collect)
dataset_check.register(app)
app.command("convert")(convert)
app.command("curate")(curate)
app.command("detect")(detect)
app.command("split")(dataset_split.split)
app.command("mix")(dataset_mix.mix)
app.command("show")(dataset_show.show)
app.command("archive")(dataset_archive.archive)
app.add_typer(dataset_candidates.app, name="candidates")
