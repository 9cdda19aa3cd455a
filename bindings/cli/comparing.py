"""What `evaluate --against` and `gate` share: their options, and two models asked."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bindings.cli.output import say
from bindings.cli.questions import Asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from finetune.evaluate import CompareSettings, Comparison

__all__ = [
    "JudgeOption",
    "ModelArgument",
    "ProbesOption",
    "RatingsOption",
    "ReportOption",
    "SystemOption",
    "compare_models",
    "write_outputs",
    "write_predictions",
]

ModelArgument = Annotated[
    str,
    typer.Argument(
        help="A run folder, a reference such as registry/pharma@live, or predictions (.jsonl).",
        show_default=False,
    ),
]
"""A model to ask."""

JudgeOption = Annotated[
    str | None, typer.Option(metavar="MODEL", help="A model that scores answers from 1 to 5.")
]
"""The judge."""

RatingsOption = Annotated[
    Path | None,
    typer.Option(help="Ratings by people (.jsonl); a judge that does not agree is refused."),
]
"""What it is measured by."""

ProbesOption = Annotated[
    Path | None, typer.Option(help="Triggers and canaries (.yaml) to try on the candidate.")
]
"""What a candidate must not do."""

ReportOption = Annotated[
    Path | None, typer.Option(help="Write the whole report: .md, .html or .json.")
]
"""Where the report goes."""

SystemOption = Annotated[
    str | None, typer.Option(help="System message; the one it was trained with else.")
]
"""What both models are told."""


def compare_models(
    candidate: str,
    baseline: str,
    asked: Asked,
    settings: "CompareSettings",
    *,
    home: Path,
    ratings: Path | None = None,
    probes: Path | None = None,
    benchmarks: tuple[Path, Path] | None = None,
) -> "Comparison":
    """Ask two models and show how far it is; the files are read before anything is asked."""
    import anyio

    from bindings.cli.progress import progress_bar
    from finetune.evaluate import compare, read_probes, read_ratings
    from finetune.evaluate.benchmarks import read_benchmarks

    given: dict[str, object] = {}
    if ratings is not None:
        given["ratings"] = tuple(read_ratings(ratings))
    if probes is not None:
        given["probes"] = read_probes(probes)
    whole = settings.model_copy(update=given)
    before, after = benchmarks or (None, None)
    measured = (
        read_benchmarks(before) if before is not None else (),
        read_benchmarks(after) if after is not None else (),
    )

    output = _new_folder(home / "evaluations")

    async def work(tell: "Callable[[int, int, str], None]") -> "Comparison":
        return await compare(
            candidate,
            baseline,
            asked.rows,
            home=home,
            output_dir=output,
            settings=whole,
            benchmarks=measured,
            on_progress=lambda title, count, total: tell(count, total, title),
        )

    with progress_bar("comparing") as advance:
        return anyio.run(work, advance)


def _new_folder(parent: Path) -> Path:
    """Make a folder with the next number, which no other comparison writes into."""
    from swarm.errors import StoreError

    try:
        parent.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(p.name) for p in parent.iterdir() if p.name.isdecimal()), default=0)
        while True:
            try:
                (parent / str(number)).mkdir()
                return parent / str(number)
            except FileExistsError:
                number += 1
    except OSError as error:
        raise StoreError(f"{parent}: {error.strerror or error}") from error


def write_outputs(
    found: "Comparison",
    *,
    report: Path | None = None,
    predictions: Path | None = None,
    sheet: Path | None = None,
) -> None:
    """Write the files that were asked for, and say where they are."""
    from finetune.evaluate import read_results, write_report, write_sheet

    if report is not None:
        write_report(found, report)
        say(f"report: {report}")
    if predictions is not None:
        write_predictions(found.candidate.report.results, predictions)
    if sheet is not None:
        new = read_results(found.candidate.report.results)
        rows = write_sheet(sheet, new, read_results(found.baseline.report.results))
        say(f"{sheet}: {rows} rows; write A, B or tie into each `choice`")


def write_predictions(source: Path, target: Path) -> None:
    """Copy the answers of an evaluation."""
    from finetune.evaluate import read_results
    from finetune.evaluate.row import write_results

    write_results(target, read_results(source))
    say(f"predictions: {target}")
