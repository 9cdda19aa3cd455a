"""A file as a stream of UTF-8 bytes, whatever its compression and encoding.

Reads in chunks; nothing is held but the chunk. Which encoding a file has is told by its first
bytes in `guess_encoding`; what the text means is not known here.
"""

import codecs
import gzip
import io
import re
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

__all__ = ["Compression", "guess_encoding", "open_utf8", "read_start", "unpacked"]

Compression = Literal["gzip"]
"""How a file may be packed."""

_CHUNK = 256 * 1024
_GZIP = b"\x1f\x8b"
_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
# Without meaning in Windows-1252, or so rare in text that a damaged file is likelier.
_UNLIKELY_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d\xfe\xff\x00-\x08\x0e-\x1a]")


def unpacked(path: Path) -> tuple[BinaryIO, Compression | None]:
    """Open a file, unpacking what begins like gzip.

    Raises:
        OSError: It cannot be read, or turns out to be no gzip while it is read.
    """
    file = path.open("rb")
    start = file.peek(2)[:2]
    if start != _GZIP:
        return file, None
    return cast("BinaryIO", io.BufferedReader(_Unpacked(file), _CHUNK)), "gzip"


def read_start(path: Path, size: int) -> tuple[bytes, bool, Compression | None]:
    """Return the first bytes of a file, whether that is all, and how it is packed.

    Raises:
        OSError: It cannot be read.
    """
    file, compression = unpacked(path)
    with file:
        start = file.read(size)
        return start, not file.read(1), compression


def open_utf8(path: Path, encoding: str) -> BinaryIO:
    """Open a file as UTF-8 text without a byte order mark.

    Args:
        path: The file; gzip is unpacked.
        encoding: What it is written in, by a name of Python's codecs.

    Raises:
        OSError: It cannot be read; later, that a byte does not fit the encoding.
    """
    file, _ = unpacked(path)
    if codecs.lookup(encoding).name in ("utf-8", "utf-8-sig"):
        return file  # as it is; readers skip the mark and name each line that is not UTF-8
    return cast("BinaryIO", io.BufferedReader(_Recoded(file, encoding), _CHUNK))


def guess_encoding(start: bytes, *, is_all: bool) -> tuple[str, str | None]:
    """Return the encoding of a text by its first bytes, and a note where it is a guess.

    Args:
        start: The first bytes of the file.
        is_all: Whether there are no more; a character may be cut at the end otherwise.
    """
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig", None
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", None
    sample = start[:4096]
    if b"\x00" in sample:
        # Latin letters and the marks of JSON have their zeros in every second byte.
        even, odd = sample[::2].count(0), sample[1::2].count(0)
        encoding = "utf-16-le" if odd > even else "utf-16-be"
        text = sample.decode(encoding, errors="ignore")
        if min(even, odd) == 0 and not _CONTROL.search(text):
            return encoding, "UTF-16 without a byte order mark"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(start, final=False)
    except UnicodeDecodeError as error:
        # Whole sequences of UTF-8 elsewhere mean a damaged file of UTF-8, not another encoding.
        if not (_SEQUENCE.search(start) or _UNLIKELY_1252.search(start)):
            bad = start[error.start]
            note = f"not UTF-8 (the byte 0x{bad:02x}); read as Windows-1252, which Latin-1 is in"
            return "windows-1252", note
    return "utf-8", None


class _Unpacked(io.RawIOBase):
    """Gzip whose damage is an `OSError` that says so."""

    def __init__(self, file: BinaryIO) -> None:
        self._packed = file
        self._file = gzip.GzipFile(fileobj=file)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            data = self._file.read(len(buffer))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise OSError(f"it begins like gzip but is damaged or cut: {error}") from None
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        self._packed.close()
        super().close()


class _Recoded(io.RawIOBase):
    """Text of another encoding, as UTF-8."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._ready = b""
        self._is_done = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._ready and not self._is_done:
            data = self._file.read(_CHUNK)
            self._is_done = not data
            try:
                text = self._decoder.decode(data, final=self._is_done)
                self._ready = text.encode("utf-8")
            except UnicodeError as error:
                reason = getattr(error, "reason", "an invalid character")
                raise OSError(f"it is not {self._encoding}: {reason}") from None
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()
