"""Parquet: rows read in batches, and rows of flat formats written with a fixed schema.

Only this module knows pyarrow, which comes with the extra `data`.
"""

# pyarrow has no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from pydantic import JsonValue

from finetune.dataset.formats.format import JsonObject
from finetune.dataset.problem import DatasetError, Problem
from finetune.dataset.record import Record
from swarm.errors import MissingExtraError

__all__ = ["PARQUET_FORMATS", "ParquetRows", "read_parquet"]

_BATCH = 256
PARQUET_FORMATS = ("alpaca", "chatml", "completion", "sharegpt")
"""Formats whose columns have one type each, whatever the rows say."""


def read_parquet(path: Path) -> Iterator[Record | Problem]:
    """Yield the rows of a Parquet file, a batch at a time; absent values are left out.

    Raises:
        DatasetError: The file is damaged.
        MissingExtraError: pyarrow is not installed.
    """
    number = 0
    try:
        with _parquet(path) as table:
            for batch in table.iter_batches(batch_size=_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    try:
                        yield Record(_json(row), number)
                    except ValueError as error:
                        yield Problem.of("wrong_type", str(error), line=number)
    except OSError as error:
        raise _damaged(path, str(error)) from None


def _parquet(path: Path) -> Any:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise MissingExtraError("pyarrow", "data") from error
    try:
        return ParquetFile(path)
    except ArrowException as error:
        raise _damaged(path, str(error)) from None


def _damaged(path: Path, reason: str) -> DatasetError:
    first = reason.splitlines()[0][:200] if reason else "no reason given"
    problem = Problem.of("unreadable_file", f"the Parquet file cannot be read: {first}")
    return DatasetError(str(path), (problem,))


def _json(value: object) -> JsonValue:
    """Return the value as JSON. Arrow gives every struct all keys, so null is absent."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise ValueError(f"{value} is no JSON number")
    if isinstance(value, list | tuple):
        return [_json(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        items = cast("dict[str, object]", value).items()
        return {str(key): _json(item) for key, item in items if item is not None}
    raise ValueError(f"a value of type {type(value).__name__}, which JSON does not have")


class ParquetRows:
    """Writes the rows of one format to an open file."""

    def __init__(self, file: BinaryIO, format_name: str) -> None:
        """Begin a file.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        try:
            from pyarrow.parquet import ParquetWriter
        except ImportError as error:
            raise MissingExtraError("pyarrow", "data") from error
        self._schema = _schema(format_name)
        self._writer = ParquetWriter(file, self._schema)
        self._held: list[JsonObject] = []

    def add(self, value: JsonObject) -> None:
        """Write a row, some time before `finish` returns."""
        self._held.append(value)
        if len(self._held) >= _BATCH:
            self._flush()

    def finish(self) -> None:
        """Write what is held and the end of the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow

        if self._held:
            self._writer.write_table(pyarrow.Table.from_pylist(self._held, schema=self._schema))
            self._held = []


def _schema(format_name: str) -> Any:
    import pyarrow as pa

    text = pa.string()
    turn = pa.struct([("from", text), ("value", text)])
    columns: dict[str, list[tuple[str, Any]]] = {
        "completion": [("prompt", text), ("completion", text)],
        "chatml": [("text", text)],
        "alpaca": [
            *((name, text) for name in ("instruction", "input", "output", "system")),
            ("history", pa.list_(pa.list_(text))),
            *((name, text) for name in ("chosen", "rejected")),
        ],
        "sharegpt": [
            ("conversations", pa.list_(turn)),
            *((name, text) for name in ("system", "tools", "wikiswarm")),
            ("images", pa.list_(text)),
            *((name, turn) for name in ("chosen", "rejected")),
        ],
    }
    return pa.schema(columns[format_name])
