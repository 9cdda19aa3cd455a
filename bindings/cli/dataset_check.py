"""`dataset check` and `dataset mask`: whether training files are right, and what they train."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bindings.cli.options import JsonOption
from bindings.cli.output import command, counted, done, plain, print_json, say

if TYPE_CHECKING:
    from finetune.dataset import DatasetReport, RowMask, Tokenizer

__all__ = ["check", "mask", "register"]

_SHOWN = 5
_ON, _OFF = "\x1b[1;32m", "\x1b[0m"


def register(app: typer.Typer) -> None:
    """Add the commands to the group `dataset`."""
    app.command("check")(check)
    app.command("mask")(mask)


@command
def check(
    files: Annotated[list[Path], typer.Argument(help="JSONL files.", show_default=False)],
    provider: Annotated[
        str, typer.Option(help="Whose rules: openai, azure, together, fireworks, cohere, trl.")
    ] = "openai",
    model: Annotated[
        str | None,
        typer.Option(help="Count with this model folder's tokenizer, or a tiktoken encoding."),
    ] = None,
    minimum: Annotated[
        int | None, typer.Option(help="Fewest rows; else what the provider takes.", min=0)
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(help="Longest row that is trained; else the model's.", min=1)
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a report to this .md, .json or .html file.")
    ] = None,
    date: Annotated[str | None, typer.Option(help="The report's date; today's else.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check training files: every bad row with line, column and reason."""
    from finetune.dataset import check_file

    if report is not None and (len(files) != 1 or report.suffix not in (".md", ".json", ".html")):
        say("error: --report takes one training file, and a name that ends in .md, .json or .html")
        raise typer.Exit(2)
    if report is not None and report.absolute() == files[0].absolute():
        say("error: --report would replace the training file")
        raise typer.Exit(2)
    tokenizer = _tokenizer(model)
    reports = [
        check_file(
            file,
            provider=provider,
            minimum=minimum,
            max_tokens=max_tokens,
            tokenizer=tokenizer,
        )
        for file in files
    ]
    if report is not None:
        _write(reports[0], report, date or _today())
    if as_json:
        print_json(reports)
    else:
        for file, found in zip(files, reports, strict=True):
            _print_report(file, found)
    if any(not found.is_ok for found in reports):
        raise typer.Exit(1)


@command
def mask(
    file: Annotated[Path, typer.Argument(help="A JSONL file.", show_default=False)],
    model: Annotated[Path, typer.Option(help="The base model's folder, or a run folder.")],
    row: Annotated[
        int | None, typer.Option(help="Show the row of this line; the first rows else.", min=1)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show which tokens of the rows will be trained: coloured, or in [brackets]."""
    from finetune.dataset import RowMask, load_tokenizer, mask_file

    shown: list[RowMask] = []
    lines: set[int] = set()

    def seen(found: RowMask) -> None:
        if row is not None and found.line != row:
            return
        if found.line in lines or len(lines) < _SHOWN:
            lines.add(found.line)
            shown.append(found)

    report = mask_file(file, load_tokenizer(model), on_row=seen)
    if as_json:
        print_json({**report.model_dump(mode="json"), "masks": shown})
    else:
        for found in shown:
            _print_mask(file, found)
        for problem in report.problems:
            say(f"{file}:{problem}")
        done(
            f"{file}: {counted(report.rows, 'row')}, {report.trained} of {report.tokens} tokens"
            f" trained ({report.share:.1%})"
        )
    if row is not None and not shown:
        say(f"error: {file} has no row on line {row} that can be shown")
        raise typer.Exit(1)
    if not report.is_ok:
        raise typer.Exit(1)


def _tokenizer(model: str | None) -> "Tokenizer":
    from finetune.dataset import ESTIMATE, load_encoding, load_tokenizer
    from finetune.dataset.tiktoken_files import ENCODINGS

    if model is None:
        return ESTIMATE
    if model in ENCODINGS and not Path(model).exists():
        return load_encoding(model)
    return load_tokenizer(model)


def _write(report: "DatasetReport", target: Path, date: str) -> None:
    from swarm.errors import StoreError
    from swarm.files import write_atomically

    if target.suffix == ".json":
        text = report.model_dump_json(indent=2) + "\n"
    else:
        text = report.html(date=date) if target.suffix == ".html" else report.markdown(date=date)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, text)
    except OSError as error:
        raise StoreError(f"{target}: {error.strerror}") from None


def _today() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).date().isoformat()


def _print_report(file: Path, report: "DatasetReport") -> None:
    for problem in (*report.problems, *report.warnings):
        say(f"{file}:{problem}")
    for item in report.guidance:
        if item.hint:
            say(f"{file}: {item.aspect}: {item.text}")
            say(f"hint: {item.hint}")
    verdict = counted(report.error_count, "problem") if report.error_count else "no problems"
    warned = f", {counted(report.warning_count, 'warning')}" if report.warning_count else ""
    done(f"{file}: {report.kind}, {counted(report.rows, 'row')}, {verdict}{warned}")


def _print_mask(file: Path, found: "RowMask") -> None:
    part = f" {found.part}" if found.part else ""
    done(
        f"{file}:{found.line}{part}: {found.trained} of {found.tokens} tokens trained"
        f" ({found.share:.1%})"
    )
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        done(found.marked())
        return
    at, pieces = 0, list[str]()
    for low, high in found.spans:
        # The colours are ours; what the file says must not steer the terminal.
        pieces += [plain(found.text[at:low]), _ON, plain(found.text[low:high]), _OFF]
        at = high
    print("".join([*pieces, plain(found.text[at:])]), flush=True)
