"""`dataset curate`: what of some files may be trained on."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bindings.cli.options import JsonOption
from bindings.cli.output import command, done, print_json, print_table, say

if TYPE_CHECKING:
    from finetune.curate import CurationReport

__all__ = ["curate"]


@command
def curate(
    files: Annotated[
        list[Path], typer.Argument(help="JSONL files of rows or samples.", show_default=False)
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder of the results.", show_default=False)
    ],
    pipeline: Annotated[
        Path | None, typer.Option(help="YAML file with the steps; the usual ones else.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; one for each core else.", min=1)
    ] = None,
    ray: Annotated[bool, typer.Option("--ray", help="Work as tasks of Ray Data.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Drop and mend rows, with a reason for each; an interrupted run goes on."""
    from bindings.cli.progress import progress_bar
    from finetune.curate import Pipeline
    from finetune.curate import curate as run

    steps = Pipeline.default() if pipeline is None else Pipeline.read(pipeline)
    with progress_bar("curate") as advance:
        report = run(
            files,
            output,
            pipeline=steps,
            workers=workers or os.cpu_count() or 1,
            pool="ray" if ray else "process",
            on_progress=advance,
        )
    if as_json:
        print_json(report)
    else:
        _print(report, output)


def _print(report: "CurationReport", output: Path) -> None:
    rows = [
        (
            step.step,
            f"{step.rows_in:,}",
            f"{sum(step.removed.values()):,}",
            f"{step.changed_rows:,}",
            ", ".join(
                f"{count:,} {code}" for code, count in {**step.removed, **step.changes}.items()
            ),
        )
        for step in report.steps
    ]
    print_table(("step", "rows", "removed", "changed", "why"), rows)
    for file in report.files:
        if file.rows:
            done(f"{output / file.path}: {file.rows:,} lines, sha256 {file.sha256[:12]}")
    bad = f", {report.bad_lines:,} lines that are no rows" if report.bad_lines else ""
    done(f"{report.rows_in:,} rows in, {report.rows_out:,} out{bad}")
    if not report.rows_out:
        say("hint: nothing is left; removed.jsonl says why")
