"""Rows from tables of text: CSV with any usual delimiter."""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO, Literal

from pydantic import JsonValue

from finetune.dataset.json_text import JsonTextError, parse
from finetune.dataset.lines import MAX_LINE_BYTES
from finetune.dataset.problem import DatasetError, Problem
from finetune.dataset.record import Record

__all__ = ["Delimiter", "read_csv", "sniff_delimiter"]

Delimiter = Literal[",", ";", "\t", "|"]
"""What stands between two cells."""

_DELIMITERS: tuple[Delimiter, ...] = ("\t", ",", ";", "|")
_NESTED = frozenset({"messages", "conversations", "history", "input_messages"})
"""Columns whose cells hold JSON."""
_SAMPLE = 200


def sniff_delimiter(text: str, names: frozenset[str], *, is_all: bool) -> Delimiter | None:
    """Return the delimiter when a text is a table with a head; None for other texts.

    Args:
        text: The beginning of the text.
        names: Lower-case names of columns that are known, which settle a doubt.
        is_all: Whether the text is whole, else its last line may be cut.
    """
    best: tuple[int, int, Delimiter] | None = None
    for delimiter in _DELIMITERS:
        rows = _sample(text, delimiter, is_all=is_all)
        if len(rows) < 2 or len(rows[0]) < 2:
            continue
        head = [cell.strip().lower() for cell in rows[0]]
        known = len(names.intersection(head))
        is_even = all(len(row) == len(head) for row in rows)
        is_head = all(head) and len(set(head)) == len(head) and max(map(len, head)) <= 40
        # Known names settle it: a column without a name is then an index that was written along.
        if known < 2 and not (is_head and is_even and len(rows) > 2):
            continue
        candidate = (known, len(head), delimiter)
        if best is None or candidate[:2] > best[:2]:
            best = candidate
    return best[2] if best else None


def _sample(text: str, delimiter: Delimiter, *, is_all: bool) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if len(rows) == _SAMPLE:
                return rows
            rows.extend([row] if row else [])
    except csv.Error:
        return rows[:1]
    return rows if is_all or len(rows) < 3 else rows[:-1]


def read_csv(file: BinaryIO, delimiter: Delimiter) -> Iterator[Record | Problem]:
    """Yield the rows of a table; its first line names the columns.

    Raises:
        DatasetError: A quote is not closed or misplaced, so that no later row can be trusted.
    """
    # A setting of the whole process, only ever raised: a cell may be as long as a line.
    if csv.field_size_limit() < MAX_LINE_BYTES:
        csv.field_size_limit(MAX_LINE_BYTES)
    rows = csv.reader(_lines(file), delimiter=delimiter, strict=True)
    head: list[str] | None = None
    line = 1
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            text = f"the table cannot be read from here: {error}"
            raise DatasetError("table", (Problem.of("wrong_value", text, line=line),)) from None
        if row is None:
            return
        start, line = line, rows.line_num + 1
        if not row:
            continue
        if head is None:
            head = [name.strip() for name in row]
            if twice := [name for name in head if head.count(name) > 1]:
                text = f"two columns are named {twice[0][:80]!r}"
                raise DatasetError("table", (Problem.of("duplicate_key", text, line=start),))
            continue
        yield _record(head, row, start)


def _lines(file: BinaryIO) -> Iterator[str]:
    is_first = True
    number = 0
    while raw := file.readline(MAX_LINE_BYTES):
        number += 1
        if len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
            text = f"the line is longer than {MAX_LINE_BYTES:,} bytes"
            raise DatasetError("table", (Problem.of("line_too_long", text, line=number),))
        # Bytes that are not UTF-8 become half surrogates, so that only their row is refused.
        text = raw.decode("utf-8", errors="surrogateescape")
        yield text.removeprefix("\ufeff") if is_first else text
        is_first = False


def _record(head: list[str], row: list[str], line: int) -> Record | Problem:
    if len(row) != len(head):
        text = f"{len(row)} cells in a table of {len(head)} columns"
        return Problem.of("wrong_value", text, line=line)
    value: dict[str, JsonValue] = {}
    for name, cell in zip(head, row, strict=True):
        try:
            cell.encode("utf-8")
        except UnicodeEncodeError:
            text = f"bytes that are not UTF-8 in the column {name!r}; save the file as UTF-8"
            return Problem.of("invalid_unicode", text, line=line)
        value[name] = cell
        if name.lower() in _NESTED and cell[:1] in ("[", "{"):
            try:
                value[name] = parse(cell)
            except JsonTextError as error:
                text = f"column {name!r}, character {error.offset + 1}: {error.message}"
                return Problem.of(error.code, text, line=line)
    return Record(value, line)
