"""Typed rows from a training file, read line by line in bounded memory.

Nothing in a file makes this crash: whatever is wrong is a `Problem` with its line and column.
What must hold between the parts of a row, and across rows, is checked in `check`.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from finetune.dataset.json_text import JsonTextError, locate, parse
from finetune.dataset.lines import Line, LineReader
from finetune.dataset.problem import DatasetError, Finding, Problem
from finetune.dataset.rows import DatasetKind, DpoRow, SftRow
from finetune.dataset.shape import kind_of, shape_row

__all__ = ["ParsedLine", "parse_lines", "place", "problem_of", "read_rows"]


class ParsedLine(NamedTuple):
    """One line with its typed row."""

    line: Line
    value: JsonValue
    """What the line holds, before it became a row."""
    row: SftRow | DpoRow


def read_rows(
    path: Path | str,
    *,
    kind: DatasetKind | None = None,
    on_problem: Callable[[Problem], None] | None = None,
) -> Iterator[SftRow | DpoRow]:
    """Yield the typed rows of a file.

    Args:
        path: A JSONL file.
        kind: The kind that is expected; without it the first row decides.
        on_problem: Called for each line that is no row, which is then skipped. Without it the
            first such line ends the reading.

    Raises:
        DatasetError: A line is no row of this kind, and there is no `on_problem`.
    """
    for item in parse_lines(LineReader(Path(path)), kind=kind):
        if isinstance(item, ParsedLine):
            yield item.row
        elif on_problem is None:
            raise DatasetError(str(path), (item,))
        else:
            on_problem(item)


def parse_lines(
    lines: Iterable[Line | Problem], *, kind: DatasetKind | None = None
) -> Iterator[ParsedLine | Problem]:
    """Yield each line's typed row, or each problem of the line."""
    for item in lines:
        if isinstance(item, Problem):
            yield item
            continue
        try:
            value = parse(item.text)
        except JsonTextError as error:
            yield problem_of(item, error)
            continue
        if kind is None and isinstance(value, dict):
            kind = kind_of(value)
        shape = shape_row(value, kind)
        if isinstance(shape, list):
            yield from place(item, shape)
        else:
            yield ParsedLine(item, value, shape)


def place(line: Line, findings: Iterable[Finding]) -> list[Problem]:
    """Return findings as problems with line and column, in the order of the text."""
    found = list(findings)
    if not found:
        return []
    paths = {f.path[:size] for f in found for size in range(len(f.path) + 1)}
    places = locate(line.text, paths)
    problems: list[Problem] = []
    for finding in found:
        path = finding.path
        while path not in places:  # the empty path is the row itself and always there
            path = path[:-1]
        is_at_key = finding.is_at_key and path == finding.path
        offset = places[path].key if is_at_key else places[path].value
        problems.append(
            Problem.of(finding.code, finding.message, line=line.number, column=offset + 1)
        )
    return sorted(problems, key=lambda problem: problem.column)


def problem_of(line: Line, error: JsonTextError) -> Problem:
    """Return what is wrong with the JSON of a line."""
    # The wording that people search for when an upload is refused.
    prefix = "Invalid JSONL format: " if error.code == "invalid_json" else ""
    message = prefix + error.message
    return Problem.of(error.code, message, line=line.number, column=error.offset + 1)
