"""Rows to a training file: atomic and canonical.

The file appears whole or not at all, and the same rows always give the same bytes, so a hash
names a dataset. What the rows say is not judged here; that is `check`.
"""

import hashlib
import json
from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError

from finetune.dataset.problem import DatasetError, Problem
from finetune.dataset.rows import DpoRow, SftRow, encode_row
from finetune.dataset.shape import parse_row
from swarm.errors import StoreError
from swarm.files import replacing

__all__ = ["WrittenFile", "write_encoded", "write_lines", "write_rows"]


class WrittenFile(BaseModel):
    """A training file that was written."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: Path
    rows: int
    bytes: int
    sha256: str
    """Hash of the file's bytes."""


def write_rows(
    path: Path | str, rows: Iterable[SftRow | DpoRow | Mapping[str, object]]
) -> WrittenFile:
    """Write rows of one kind as JSONL and return what was written.

    Args:
        path: Where the file goes; its folder is made. An existing file is replaced at the end.
        rows: Rows, or mappings of their shape; consumed one at a time.

    Raises:
        DatasetError: A row has an invalid shape or another kind; an existing file is untouched.
        StoreError: The file cannot be written.
    """
    path = Path(path)
    digest = hashlib.sha256()
    count = size = 0
    kind: type[SftRow | DpoRow] | None = None
    with _replacing(path) as file:
        for count, item in enumerate(rows, start=1):
            row, line = _line(item, path, count)
            kind = kind or type(row)
            if not isinstance(row, kind):
                raise _refusal(path, count, "mixed_formats", "SFT and DPO rows in one file")
            with _storing(path):
                file.write(line)
            digest.update(line)
            size += len(line)
    return WrittenFile(path=path, rows=count, bytes=size, sha256=digest.hexdigest())


def write_lines(path: Path | str, values: Iterable[Mapping[str, object]]) -> WrittenFile:
    """Write JSON objects that are no rows, such as provenance, and return what was written.

    Args:
        path: Where the file goes; its folder is made. An existing file is replaced at the end.
        values: The objects; keys keep their order.

    Raises:
        StoreError: The file cannot be written.
        ValueError: A value is no JSON, or holds text that UTF-8 cannot carry.
    """
    texts = (
        json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        for value in values
    )
    return write_encoded(path, (text.encode("utf-8") for text in texts))


def write_encoded(path: Path | str, lines: Iterable[bytes]) -> WrittenFile:
    """Write lines that are encoded already, and return what was written.

    Args:
        path: Where the file goes; its folder is made. An existing file is replaced at the end.
        lines: The lines without their ends.

    Raises:
        StoreError: The file cannot be written.
    """
    path = Path(path)
    digest = hashlib.sha256()
    count = size = 0
    with _replacing(path) as file:
        for line in lines:
            with _storing(path):
                file.write(line + b"\n")
            digest.update(line + b"\n")
            count += 1
            size += len(line) + 1
    return WrittenFile(path=path, rows=count, bytes=size, sha256=digest.hexdigest())


def _line(item: object, path: Path, number: int) -> tuple[SftRow | DpoRow, bytes]:
    try:
        # A row made with model_construct may hold anything, so rows are validated again.
        row = type(item).model_validate(item) if isinstance(item, SftRow | DpoRow) else None
        row = row or parse_row(item)
        return row, encode_row(row) + b"\n"
    except DatasetError as error:
        problems = tuple(p.model_copy(update={"line": number}) for p in error.problems)
        raise DatasetError(str(path), problems) from None
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        where = ".".join(map(str, detail["loc"]))
        raise _refusal(path, number, "wrong_type", f"{where}: {detail['msg']}") from None
    except UnicodeEncodeError:
        text = "half of a surrogate pair, which UTF-8 cannot carry"
        raise _refusal(path, number, "invalid_unicode", text) from None
    except ValueError:
        raise _refusal(path, number, "not_finite", "NaN or infinity is not JSON") from None


def _refusal(path: Path, number: int, code: str, message: str) -> DatasetError:
    return DatasetError(str(path), (Problem.of(code, message, line=number),))


@contextmanager
def _replacing(path: Path) -> Generator[BinaryIO]:
    """Open a file that takes the path's place when the block ends well."""
    with ExitStack() as stack:
        with _storing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(replacing(path))
        yield file
        with _storing(path):
            stack.close()


@contextmanager
def _storing(path: Path) -> Generator[None]:
    # Only around our own calls: an OSError of the caller's rows is the caller's.
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error
