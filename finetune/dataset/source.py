"""The records of a file of any container: what `detect` found says how it is read.

Rows that are broken are problems, one for each; a file that cannot be read on is an error.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from finetune.dataset.columns import renamed
from finetune.dataset.json_array import ArrayError, read_values
from finetune.dataset.lines import MAX_LINE_BYTES, Line, LineReader
from finetune.dataset.parquet import read_parquet
from finetune.dataset.problem import DatasetError, Problem
from finetune.dataset.record import Record, parsed
from finetune.dataset.stream import open_utf8
from finetune.dataset.tables import Delimiter, read_csv
from finetune.dataset.text_rows import TextLayout, read_text

__all__ = ["Container", "Layout", "read_records"]

Container = Literal["json", "jsonl", "csv", "tsv", "txt", "parquet"]
"""What holds the rows of a file."""

# Without these, nothing of the file can be read.
_WHOLE_FILE = frozenset({"unreadable_file", "not_text", "empty_file"})


class Layout(NamedTuple):
    """How the rows of a file are found."""

    container: Container
    encoding: str = "utf-8"
    delimiter: Delimiter = ","
    text: TextLayout = "paragraphs"
    names: Mapping[str, str] = {}
    """Columns or keys by the field that they are."""


def read_records(
    path: Path, layout: Layout, *, max_line_bytes: int = MAX_LINE_BYTES
) -> Iterator[Record | Problem]:
    """Yield the records of a file, and a problem for each that is none.

    Args:
        path: The file.
        layout: How it is read.
        max_line_bytes: Longest row of JSON or line of text.

    Raises:
        DatasetError: The file cannot be read, or not from some place on.
        MissingExtraError: It is Parquet, and pyarrow is not installed.
    """
    for item in _records(path, layout, max_line_bytes):
        if isinstance(item, Problem) and item.code in _WHOLE_FILE:
            raise DatasetError(str(path), (item,))
        if isinstance(item, Record) and layout.names and isinstance(item.value, dict):
            yield item._replace(value=renamed(item.value, layout.names), text="")
        else:
            yield item


def _records(path: Path, layout: Layout, limit: int) -> Iterator[Record | Problem]:
    if layout.container == "parquet":
        yield from read_parquet(path)
        return
    try:
        if layout.container == "json":
            yield from _values(path, layout, limit)
        elif layout.container in ("csv", "tsv"):
            with open_utf8(path, layout.encoding) as file:
                yield from read_csv(file, layout.delimiter)
        else:
            yield from _lines(path, layout, limit)
    except OSError as error:
        text = f"cannot read the file: {error.strerror or error}"
        raise DatasetError(str(path), (Problem.of("unreadable_file", text),)) from None
    except DatasetError as error:
        raise DatasetError(str(path), error.problems) from None


def _values(path: Path, layout: Layout, limit: int) -> Iterator[Record | Problem]:
    with open_utf8(path, layout.encoding) as file:
        try:
            for piece in read_values(file, limit=limit):
                yield parsed(*piece)
        except ArrayError as error:
            problem = Problem.of(
                error.code,
                f"{error.message}; nothing after it can be read",
                line=error.line,
                column=error.column,
            )
            raise DatasetError(str(path), (problem,)) from None


def _lines(path: Path, layout: Layout, limit: int) -> Iterator[Record | Problem]:
    reader = LineReader(
        path,
        max_line_bytes=limit,
        open_file=partial(open_utf8, encoding=layout.encoding),
    )
    kept = (i for i in reader if isinstance(i, Line) or i.code != "blank_line")
    yield from read_text(kept, layout.text) if layout.container == "txt" else _rows(kept)


def _rows(lines: Iterator[Line | Problem]) -> Iterator[Record | Problem]:
    for line in lines:
        if isinstance(line, Problem):
            yield line
            continue
        found = parsed(line.text, line.number, 1)
        if isinstance(found, Problem) and found.code == "invalid_json":
            # The wording that people search for when an upload is refused.
            message = found.message.replace("Invalid JSON:", "Invalid JSONL format:", 1)
            found = found.model_copy(update={"message": message})
        yield found
