"""The values of a large JSON file one at a time: the items of an array, or objects in a row.

Reads in chunks and never holds more than the value at hand. Each value is given as its text with
its place, to be parsed strictly by `json_text`.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from finetune.dataset.json_text import JsonTextError, parse
from finetune.dataset.lines import MAX_LINE_BYTES

__all__ = ["ArrayError", "Piece", "read_values"]

_CHUNK = 1024 * 1024
_SPACE = re.compile(r"[ \t\r\n]*")
_AFTER_VALUE = frozenset(" \t\r\n,]}[{")
# Lenient on purpose: it only finds where a value ends.
_END_OF_VALUE = json.JSONDecoder().raw_decode


class Piece(NamedTuple):
    """The text of one value."""

    text: str
    line: int
    """1-based, where it begins."""
    column: int
    """1-based."""


class ArrayError(Exception):
    """The rest of the file cannot be read; never leaves this package."""

    def __init__(self, code: str, message: str, line: int, column: int) -> None:
        self.code, self.message, self.line, self.column = code, message, line, column
        super().__init__(message)


def read_values(file: BinaryIO, *, limit: int = MAX_LINE_BYTES) -> Iterator[Piece]:
    """Yield the items of a top-level array, or the values that follow each other without one.

    Args:
        file: UTF-8; a byte order mark is skipped.
        limit: Longest value, in characters.

    Raises:
        ArrayError: The text is no JSON at some place, so nothing after it can be read.
    """
    window = _Window(file)
    window.skip_space()
    is_array = window.peek() == "["
    if is_array:
        window.advance(1)
    is_first = True
    while True:
        window.skip_space()
        mark = window.peek()
        if is_array and mark == "]" and is_first:
            window.advance(1)
            break
        if not mark:
            if is_array:
                raise window.error("truncated_file", "the file ends inside the array")
            return
        yield window.take(limit)
        is_first = False
        window.skip_space()
        mark = window.peek()
        if is_array and mark == ",":
            window.advance(1)
        elif is_array and mark == "]":
            window.advance(1)
            break
        elif is_array and mark:
            raise window.error("invalid_json", "a comma or the closing bracket is missing")
    window.skip_space()
    if window.peek():
        raise window.error("invalid_json", "text after the end of the array")


class _Window:
    """The part of the text that is held, and where it stands in the file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._line, self._column = 1, 1
        self._is_done = False
        self._fill(_CHUNK)
        self._text = self._text.removeprefix("\ufeff")

    def error(self, code: str, message: str) -> ArrayError:
        return ArrayError(code, message, self._line, self._column)

    def peek(self) -> str:
        if self._at >= len(self._text):
            self._fill(_CHUNK)
        return self._text[self._at : self._at + 1]

    def skip_space(self) -> None:
        while True:
            found = _SPACE.match(self._text, self._at)
            self.advance((found.end() if found else self._at) - self._at)
            if self._at < len(self._text) or not self._fill(_CHUNK):
                return

    def advance(self, count: int) -> None:
        end = self._at + count
        if lines := self._text.count("\n", self._at, end):
            self._line += lines
            self._column = end - self._text.rfind("\n", self._at, end)
        else:
            self._column += count
        self._at = end

    def take(self, limit: int) -> Piece:
        """Return the value that begins here."""
        size, last = _CHUNK, -1
        while True:
            try:
                _, end = _END_OF_VALUE(self._text, self._at)
                # A number may go on after what is held: 2 is also the beginning of 2.5.
                if self._text[end : end + 1] in _AFTER_VALUE or not self._fill(size):
                    break
                continue
            except RecursionError:
                raise self.error("line_too_deep", "a value nested too deep") from None
            except json.JSONDecodeError as error:
                # The same place after more text was read is a fault and no cut. Strings are told
                # by their start, so those are tried until the limit.
                place = error.pos - self._at
                is_string = error.msg.startswith("Unterminated string")
                is_cut = is_string or place != last
                last = place
            except ValueError:  # an integer of thousands of digits
                raise self.error("invalid_json", "a number of thousands of digits") from None
            if len(self._text) - self._at > limit:
                raise self.error("line_too_long", f"a value longer than {limit:,} characters")
            if not (is_cut and self._fill(size)):
                raise self._fault()
            size *= 2
        piece = Piece(self._text[self._at : end], self._line, self._column)
        self.advance(end - self._at)
        return piece

    def _fault(self) -> ArrayError:
        """Say what is wrong with the value that begins here, at its place."""
        try:
            parse(self._text[self._at :])
        except JsonTextError as error:
            is_cut = self._is_done and not self._text[self._at + error.offset :].strip()
            message = "the file ends inside a value" if is_cut else error.message
            self.advance(error.offset)
            return self.error("truncated_file" if is_cut else "invalid_json", message)
        return self.error("invalid_json", "a JSON value is expected here")

    def _fill(self, size: int) -> bool:
        """Read on; return whether there was more."""
        if self._is_done:
            return False
        data = self._file.read(size)
        self._is_done = not data
        try:
            more = self._decoder.decode(data, final=self._is_done)
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            raise self.error("invalid_unicode", f"the byte 0x{byte:02x} is not UTF-8") from None
        self._text = self._text[self._at :] + more
        self._at = 0
        return bool(data)
