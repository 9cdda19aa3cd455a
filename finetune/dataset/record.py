"""One row's worth of a file before it is a row: a JSON value with its place."""

from collections.abc import Iterable
from typing import NamedTuple

from pydantic import JsonValue

from finetune.dataset.json_text import JsonTextError, locate, parse
from finetune.dataset.problem import Finding, Problem

__all__ = ["Record", "parsed", "placed"]


class Record(NamedTuple):
    """A value of a file."""

    value: JsonValue
    line: int
    """1-based, where it begins; the number of the row in files without lines."""
    column: int = 0
    text: str = ""
    """Its JSON, where the file holds JSON."""


def parsed(text: str, line: int, column: int) -> Record | Problem:
    """Return the record of a JSON text, or why it is none."""
    try:
        return Record(parse(text), line, column, text)
    except JsonTextError as error:
        prefix = "Invalid JSON: " if error.code == "invalid_json" else ""
        at = _place(text, error.offset, line, column)
        return Problem.of(error.code, prefix + error.message, line=at[0], column=at[1])


def placed(record: Record, findings: Iterable[Finding]) -> list[Problem]:
    """Return findings as problems with line and, in files of JSON, column."""
    found = list(findings)
    if not record.text:
        return [
            Problem.of(f.code, f"{_dotted(f)}{f.message}", line=record.line, column=record.column)
            for f in found
        ]
    paths = {f.path[:size] for f in found for size in range(len(f.path) + 1)}
    places = locate(record.text, paths)
    problems: list[Problem] = []
    for finding in found:
        path = finding.path
        while path not in places:  # the empty path is the value itself and always there
            path = path[:-1]
        is_at_key = finding.is_at_key and path == finding.path
        offset = places[path].key if is_at_key else places[path].value
        line, column = _place(record.text, offset, record.line, record.column)
        problems.append(Problem.of(finding.code, finding.message, line=line, column=column))
    return problems


def _place(text: str, offset: int, line: int, column: int) -> tuple[int, int]:
    lines = text.count("\n", 0, offset)
    if not lines:
        return line, column + offset
    return line + lines, offset - text.rfind("\n", 0, offset)


def _dotted(finding: Finding) -> str:
    return ".".join(map(str, finding.path)) + ": " if finding.path else ""
