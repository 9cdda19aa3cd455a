"""Which rows of a set hold secrets, for those who want to look before anything is changed."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from finetune.curate.secrets.rows import find_in_row
from finetune.dataset.json_text import JsonPath
from finetune.dataset.problem import DatasetError, Problem
from finetune.dataset.rows import DpoRow, SftRow
from finetune.dataset.sample import Sample
from finetune.dataset.sample_file import read_samples

__all__ = ["SecretFinding", "scan_for_secrets"]


class SecretFinding(NamedTuple):
    """One secret in one row; the value itself is not told."""

    row: int
    """Which row, counted from 0; lines that are no rows do not count."""
    line: int
    """The line of the file, counted from 1; 0 for rows that came from no file."""
    rule: str
    """What kind of secret: `github_token`, `private_key`, `named_secret` and so on."""
    path: JsonPath
    """Where in the row."""


def scan_for_secrets(
    rows: Path | str | Iterable[SftRow | DpoRow | Sample],
) -> list[SecretFinding]:
    """Return the keys, tokens, passwords and logins in addresses that rows hold.

    Args:
        rows: A file of rows or samples, or the rows themselves. Lines of a file that are no rows
            are passed over; `dataset check` names them.

    Raises:
        DatasetError: The file cannot be read, is empty, or is not text.
    """
    return [
        SecretFinding(index, line, place.rule, place.path)
        for index, (line, row) in enumerate(_rows(rows))
        for place in find_in_row(row)
    ]


def _rows(
    rows: Path | str | Iterable[SftRow | DpoRow | Sample],
) -> Iterator[tuple[int, SftRow | DpoRow]]:
    if isinstance(rows, Path | str):
        path = str(rows)
        for sample in read_samples(rows, on_problem=partial(_pass_over, path)):
            yield sample.provenance.line, sample.row
        return
    for row in rows:
        yield (row.provenance.line, row.row) if isinstance(row, Sample) else (0, row)


def _pass_over(path: str, problem: Problem) -> None:
    """Leave out a line that is no row, but not a whole file."""
    if problem.code in ("unreadable_file", "not_text", "empty_file"):
        raise DatasetError(path, (problem,))
