"""The lines of a text file, one at a time and in bounded memory, with what makes a line unusable.

Knows bytes and UTF-8, nothing of JSON or rows. The file's size and SHA-256 come from the same
pass.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from finetune.dataset.problem import Problem

__all__ = ["MAX_LINE_BYTES", "Line", "LineReader", "foreign_content"]

MAX_LINE_BYTES = 32 * 1024 * 1024
"""Longest line that is read; the rest of a longer one is skipped without being kept."""

_BOM = b"\xef\xbb\xbf"
_CHUNK = 1024 * 1024
_FOREIGN = {
    b"\x1f\x8b": "gzip; unpack it first",
    b"PK\x03\x04": "a zip archive (or a spreadsheet); unpack or export it first",
    b"\x28\xb5\x2f\xfd": "zstandard; unpack it first",
    b"BZh": "bzip2; unpack it first",
    b"PAR1": "Parquet; export it as JSONL first",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
}


def foreign_content(start: bytes) -> str | None:
    """Say what a file is that begins like this, when it is no text; None when it may be text."""
    return next((_FOREIGN[mark] for mark in _FOREIGN if start.startswith(mark)), None)


class Line(NamedTuple):
    """One line that holds something."""

    number: int
    """1-based."""
    text: str
    """Without its line ending."""


class LineReader:
    """Iterates over the lines and problems of one file; `bytes` and `sha256` afterwards."""

    def __init__(
        self,
        path: Path,
        *,
        max_line_bytes: int = MAX_LINE_BYTES,
        start: int = 0,
        size: int | None = None,
        first_line: int = 1,
        open_file: Callable[[Path], BinaryIO] | None = None,
        is_hashed: bool = True,
    ) -> None:
        """Describe what to read.

        Args:
            path: The file.
            max_line_bytes: Longer lines are a problem, and skipped.
            start: Where to begin, in bytes; a line begins there.
            size: How many bytes to read; to the end when absent.
            first_line: The number of the first line that is read.
            open_file: Opens it as UTF-8, for files that are packed or encoded otherwise.
            is_hashed: Whether `sha256` is wanted.
        """
        self.path = path
        self.number = first_line - 1
        """The number of the line that was read last, blank ones counted."""
        self.bytes = 0
        """Bytes read so far."""
        self._hash = hashlib.sha256()
        self._is_hashed = is_hashed
        self._limit = max_line_bytes
        self._start = start
        self._left = sys.maxsize if size is None else size
        self._open = open_file or _open_as_it_is

    @property
    def sha256(self) -> str:
        """Hash of what was read so far: of the file, once the iteration ended by itself."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[Line | Problem]:
        try:
            with self._open(self.path) as file:
                if self._start:
                    file.seek(self._start)
                yield from self._lines(file)
        except OSError as error:
            # Path.is_dir raises where the name itself is what cannot be looked up.
            reason = (
                "it is a folder" if os.path.isdir(self.path) else (error.strerror or str(error))
            )
            yield Problem.of("unreadable_file", f"cannot read the file: {reason}")

    def _lines(self, file: BinaryIO) -> Iterator[Line | Problem]:
        blank_from = 0  # first line of the run of blank lines that may turn out to be interior
        has_content = False
        while raw := self._take(file):
            self.number += 1
            is_too_long = len(raw.rstrip(b"\r\n")) > self._limit
            if is_too_long:
                self._skip_rest(file, raw)
            if self.number == 1:
                if foreign := foreign_content(raw):
                    self._drain(file)
                    message = f"the file is {foreign}"
                    yield Problem.of("not_text", message, line=1, column=1)
                    return
                raw = raw.removeprefix(_BOM)
            if not is_too_long and not raw.strip():
                blank_from = blank_from or self.number
                continue
            if blank_from:
                yield self._blank(blank_from, self.number - 1)
            blank_from, has_content = 0, True
            yield self._too_long() if is_too_long else self._decode(raw)
        if not has_content:
            yield Problem.of("empty_file", "the file holds no row")

    def _take(self, file: BinaryIO) -> bytes:
        # A line ending may stand on top of the limit.
        return self._counted(file.readline(min(self._limit + 2, self._left)))

    def _skip_rest(self, file: BinaryIO, raw: bytes) -> None:
        while raw and not raw.endswith(b"\n"):
            raw = self._counted(file.readline(min(_CHUNK, self._left)))

    def _drain(self, file: BinaryIO) -> None:
        while self._counted(file.read(min(_CHUNK, self._left))):
            pass

    def _counted(self, raw: bytes) -> bytes:
        if self._is_hashed:
            self._hash.update(raw)
        self.bytes += len(raw)
        self._left -= len(raw)
        return raw

    def _decode(self, raw: bytes) -> Line | Problem:
        raw = raw.rstrip(b"\r\n")
        try:
            return Line(self.number, raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            column = len(raw[: error.start].decode("utf-8")) + 1
            message = f"the byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
            return Problem.of("invalid_unicode", message, line=self.number, column=column)

    def _too_long(self) -> Problem:
        message = f"the line is longer than {self._limit:,} bytes; is the file one JSON array?"
        return Problem.of("line_too_long", message, line=self.number, column=1)

    def _blank(self, first: int, last: int) -> Problem:
        what = "an empty line" if first == last else f"{last - first + 1} empty lines"
        return Problem.of("blank_line", f"{what} before a row; remove", line=first, column=1)


def _open_as_it_is(path: Path) -> BinaryIO:
    return path.open("rb")
