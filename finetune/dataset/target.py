"""Where converted rows go: JSONL, a JSON array, CSV or Parquet, in one open file.

The bytes are the same for the same rows. Which file it is and how it takes its place is not known
here.
"""

import csv
import io
import json
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from pydantic import JsonValue

from finetune.dataset.formats.format import JsonObject
from finetune.dataset.formats.loss import RowRefusedError
from finetune.dataset.parquet import PARQUET_FORMATS, ParquetRows
from finetune.dataset.problem import DatasetError, Problem

__all__ = ["RowWriter", "TargetContainer", "encode_json", "open_target", "target_container"]

TargetContainer = Literal["jsonl", "json", "csv", "parquet"]
"""What a converted file is."""

_SUFFIXES: dict[str, TargetContainer] = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}
_CSV_COLUMNS = {
    "alpaca": ("instruction", "input", "output", "system", "chosen", "rejected"),
    "completion": ("prompt", "completion"),
    "chatml": ("text",),
}


class RowWriter(Protocol):
    """Writes rows to the file that it was made for."""

    def add(self, value: JsonObject) -> None:
        """Write a row.

        Raises:
            RowRefusedError: The container cannot hold it.
        """
        ...

    def finish(self) -> None:
        """Write what belongs at the end."""
        ...


def target_container(path: Path, format_name: str) -> TargetContainer:
    """Return the container that a file's name asks for; JSONL for other names.

    Raises:
        DatasetError: The format does not go into that container.
    """
    container = _SUFFIXES.get(path.suffix.lower(), "jsonl")
    fitting = {"csv": tuple(_CSV_COLUMNS), "parquet": PARQUET_FORMATS}.get(container)
    if fitting is not None and format_name not in fitting:
        text = f"{container} holds {', '.join(fitting)} rows, not {format_name}; write .jsonl"
        raise DatasetError(str(path), (Problem.of("not_expressible", text),))
    return container


def open_target(file: BinaryIO, container: TargetContainer, format_name: str) -> RowWriter:
    """Return the writer of rows for an open file.

    Raises:
        MissingExtraError: It is Parquet, and pyarrow is not installed.
    """
    if container == "parquet":
        return ParquetRows(file, format_name)
    if container == "csv":
        return _CsvRows(file, _CSV_COLUMNS[format_name])
    return _JsonRows(file, is_array=container == "json")


def encode_json(value: JsonValue) -> bytes:
    """Return a value as one line of JSON, without its newline.

    Raises:
        ValueError: It holds NaN, infinity, or text that UTF-8 cannot carry.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Legal inside JSON, but readers that split with str.splitlines() would cut the row there.
    for mark in ("\u0085", "\u2028", "\u2029"):
        if mark in text:
            text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text.encode("utf-8")


class _JsonRows:
    def __init__(self, file: BinaryIO, *, is_array: bool) -> None:
        self._file = file
        self._is_array = is_array
        self._is_first = True

    def add(self, value: JsonObject) -> None:
        line = encode_json(value)
        if self._is_array:
            self._file.write(b"[\n" if self._is_first else b",\n")
        self._file.write(line if self._is_array else line + b"\n")
        self._is_first = False

    def finish(self) -> None:
        if self._is_array:
            self._file.write(b"[]\n" if self._is_first else b"\n]\n")


class _CsvRows:
    def __init__(self, file: BinaryIO, columns: tuple[str, ...]) -> None:
        self._columns = columns
        # A byte that UTF-8 does not have would be an error of the row's own.
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._file = file
        self._head: tuple[str, ...] = ()

    def add(self, value: JsonObject) -> None:
        beyond = [key for key in value if key not in self._columns]
        if beyond:
            text = f"CSV has no column for `{beyond[0]}`; write .jsonl"
            raise RowRefusedError.of("not_expressible", text, (beyond[0],))
        if not self._head:
            # The kind of the first row is the kind of all.
            kind = {"chosen", "rejected"} if "chosen" in value else {"output"}
            others = {"chosen", "rejected", "output"} - kind
            self._head = tuple(name for name in self._columns if name not in others)
            self._write(self._head)
        self._write([str(value.get(name, "")) for name in self._head])

    def finish(self) -> None:
        pass

    def _write(self, cells: "tuple[str, ...] | list[str]") -> None:
        self._writer.writerow(cells)
        data = self._text.getvalue().encode("utf-8")
        self._text.seek(0)
        self._text.truncate()
        self._file.write(data)
