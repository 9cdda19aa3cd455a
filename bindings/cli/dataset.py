"""`dataset`: training files from captured conversations, and whether files are right."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bindings.cli import (
    dataset_archive,
    dataset_candidates,
    dataset_collect,
    dataset_mix,
    dataset_show,
    dataset_split,
)
from bindings.cli.dataset_convert import convert, detect
from bindings.cli.dataset_curate import curate
from bindings.cli.options import JsonOption
from bindings.cli.output import command, counted, done, print_json, say

if TYPE_CHECKING:
    from finetune.dataset import DatasetReport

__all__ = ["app", "check"]

app = typer.Typer(help="Training files.", no_args_is_help=True)
app.command("convert")(convert)
app.command("curate")(curate)
app.command("detect")(detect)


app.command("collect")(dataset_collect.collect)
app.command("split")(dataset_split.split)
app.command("mix")(dataset_mix.mix)
app.command("show")(dataset_show.show)
app.command("archive")(dataset_archive.archive)
app.add_typer(dataset_candidates.app, name="candidates")


@app.command("check")
@command
def check(
    files: Annotated[list[Path], typer.Argument(help="JSONL files.", show_default=False)],
    minimum: Annotated[int, typer.Option(help="Fewest rows that the provider takes.", min=0)] = 10,
    as_json: JsonOption = False,
) -> None:
    """Check training files: every bad row with line, column and reason."""
    from finetune.dataset import check_file

    reports = [check_file(file, minimum=minimum) for file in files]
    if as_json:
        print_json(reports)
    else:
        for file, report in zip(files, reports, strict=True):
            _print_report(file, report)
    if any(not report.is_ok for report in reports):
        raise typer.Exit(1)


def _print_report(file: Path, report: "DatasetReport") -> None:
    for problem in (*report.problems, *report.warnings):
        say(f"{file}:{problem}")
    verdict = counted(report.error_count, "problem") if report.error_count else "no problems"
    warned = f", {counted(report.warning_count, 'warning')}" if report.warning_count else ""
    done(f"{file}: {report.kind}, {counted(report.rows, 'row')}, {verdict}{warned}")
