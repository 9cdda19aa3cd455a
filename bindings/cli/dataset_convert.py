"""`dataset convert` and `dataset detect`: files of one format into files of another."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bindings.cli.options import JsonOption
from bindings.cli.output import command, done, print_json, say
from bindings.cli.progress import progress_bar

if TYPE_CHECKING:
    from finetune.dataset import ConversionReport, Detection

__all__ = ["convert", "detect"]

_FileArgument = Annotated[Path, typer.Argument(help="Any training file.", show_default=False)]
_EncodingOption = Annotated[
    str | None, typer.Option(help="The file's encoding, where the guess is wrong.")
]
_ColumnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="NAME=FIELD",
        help="What a column holds: question, answer, system, prompt, completion and others.",
    ),
]


@command
def convert(
    file: _FileArgument,
    target: Annotated[
        Path,
        typer.Argument(help="A .jsonl, .json, .csv or .parquet file.", show_default=False),
    ],
    to: Annotated[str, typer.Option(help="The target's format, as sharegpt.", show_default=False)],
    from_: Annotated[
        str | None, typer.Option("--from", help="The file's format, else detected.")
    ] = None,
    on_bad: Annotated[str, typer.Option(help="Bad rows: skip or stop.")] = "skip",
    template: Annotated[
        str | None,
        typer.Option(help="Prompt of completions: text with {question} and {answer}."),
    ] = None,
    encoding: _EncodingOption = None,
    column: _ColumnOption = None,
    as_json: JsonOption = False,
) -> None:
    """Convert a training file; what a row loses stands in TARGET.losses.jsonl."""
    from finetune.dataset import convert_file

    if on_bad != "skip" and on_bad != "stop":
        raise typer.BadParameter("skip or stop", param_hint="--on-bad")
    with progress_bar("rows") as advance:
        report = convert_file(
            file,
            target,
            to=to,
            from_=from_,
            on_bad=on_bad,
            template=None if template is None else template.replace("\\n", "\n"),
            encoding=encoding,
            columns=_columns(column),
            on_progress=lambda rows: advance(rows, None, ""),
        )
    if as_json:
        print_json(report)
    else:
        _print_report(file, report)
    if report.skipped:
        raise typer.Exit(1)


@command
def detect(
    file: _FileArgument,
    encoding: _EncodingOption = None,
    column: _ColumnOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a training file is: container, encoding, format and fields."""
    from finetune.dataset import detect_file

    found = detect_file(file, encoding=encoding, columns=_columns(column))
    if as_json:
        print_json(found)
        return
    for problem in found.problems:
        say(f"{file}:{problem}")
    done(f"{file}: {_described(found)}")
    done(f"fields: {', '.join(found.fields) or 'none'}")
    for old, new in found.columns.items():
        done(f"column: {old} = {new}")


def _columns(options: list[str] | None) -> Mapping[str, str] | None:
    pairs: dict[str, str] = {}
    for option in options or ():
        name, equals, field = option.rpartition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{option!r} is not NAME=FIELD", param_hint="--column")
        pairs[name] = field
    return pairs or None


def _described(found: "Detection") -> str:
    parts = [found.container]
    if found.text_layout:
        parts.append(found.text_layout)
    parts += [part for part in (found.compression, found.encoding) if part]
    parts.append(f"{found.format} {found.kind}" if found.format else "unknown format")
    return ", ".join(parts)


def _print_report(file: Path, report: "ConversionReport") -> None:
    for problem in report.problems:
        say(f"{file}:{problem}")
    if len(report.problems) < report.skipped:
        say(f"and {report.skipped - len(report.problems)} more rows that were left out")
    for old, new in report.source.columns.items():
        say(f"column: {old} = {new}")
    skipped = f", {report.skipped} left out" if report.skipped else ""
    rows = f"{report.written} row{'s' if report.written != 1 else ''}"
    done(
        f"{report.target}: {report.to_format} {report.kind}, {rows} "
        f"from {report.from_format}{skipped}"
    )
    for title, counts in (("lost or changed", report.losses), ("kept aside", report.kept)):
        if counts:
            done(f"{title}: {', '.join(f'{count} {code}' for code, count in counts.items())}")
    if report.losses_path is not None:
        say(f"row by row: {report.losses_path}")
