"""Reads one file, whatever its format, within bounds."""

import re
from pathlib import Path

from swarm.errors import DataError
from wiki.documents.blocks import Text
from wiki.documents.markdown import read_markdown, read_text
from wiki.documents.markup import read_html
from wiki.documents.pdf import read_pdf
from wiki.documents.sources import SUFFIXES

__all__ = ["MAX_BYTES", "MAX_CHARS", "check_size", "read_file"]

MAX_BYTES = {"html": 8 * 2**20, "markdown": 8 * 2**20, "pdf": 64 * 2**20, "text": 8 * 2**20}
"""The largest file of each format."""
MAX_CHARS = 8 * 2**20
"""The longest text of one file."""

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([A-Za-z0-9_-]{1,40})", re.IGNORECASE)
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def read_file(file: Path) -> Text:
    """Return what a file says.

    Raises:
        DataError: It is too large, broken, or not in an encoding that can be told.
        MissingExtraError: The reader of its format is not installed.
    """
    kind = SUFFIXES[file.suffix.lower()]
    try:
        check_size(file, file.stat().st_size)
        if kind == "pdf":
            return read_pdf(file, MAX_CHARS)
        data = file.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}") from error
    text = _decode(data, is_html=kind == "html")
    if kind == "html":
        return read_html(text)
    return read_markdown(text) if kind == "markdown" else read_text(text)


def check_size(file: Path, size: int) -> None:
    """Raise if a file is too large to be read.

    Raises:
        DataError: It is.
    """
    limit = MAX_BYTES[SUFFIXES[file.suffix.lower()]]
    if size > limit:
        raise DataError(f"larger than {limit // 2**20} MB")


def _decode(data: bytes, *, is_html: bool) -> str:
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    if is_html and encoding == "utf-8" and (declared := _CHARSET.search(data[:2048])):
        encoding = declared[1].decode("ascii")
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        raise DataError(f"not text in {encoding}; save it as UTF-8") from None
    if "\0" in text:
        raise DataError("holds bytes that are no text")
    return text
