"""A bounded reader of GGUF headers, in plain Python, that runs before native code sees the file.

It checks every count, length and offset against the size of the file and against fixed limits,
and keeps only what the caller needs. It reads no weights, and it does not judge whether an engine
can serve the model.
"""

import os
import stat
import struct
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict

from wiki.engine.chat_template import check_template
from wiki.engine.errors import GgufError
from wiki.engine.tensor_types import TENSOR_TYPES

__all__ = ["GgufHeader", "check_header", "parse_header"]

_MAX_ENTRIES = 65_536
_MAX_STRING = 16 * 2**20
_MAX_KEY = 1024
_MAX_TENSOR_NAME = 63
_MAX_DIMENSIONS = 4
_MAX_ALIGNMENT = 2**20
_MAX_ARCHITECTURE = 64
# A vocabulary of 262,144 tokens with its merges is 20 MiB and 800,000 strings.
_MAX_HEADER = 64 * 2**20
_MAX_ARRAY_STRINGS = 2**21

_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")
_SCALARS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: _U32,
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<B"),
    10: _U64,
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_BOOL, _STRING, _ARRAY = 7, 8, 9


class GgufHeader(BaseModel):
    """What a GGUF file says about itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    version: int
    architecture: str
    """Such as `llama` or `qwen2`."""
    name: str | None
    context_length: int | None
    """The longest conversation that the model was made for, in tokens."""
    has_chat_template: bool
    tensor_count: int
    alignment: int
    file_size: int
    cache_bytes: int = 0
    """What one token of a conversation takes in the cache of keys and values; 0 if not known."""


def check_header(path: Path) -> GgufHeader:
    """Check a file's header and return what it says.

    Raises:
        GgufError: It is not a regular file that can be read, or not a sound GGUF file.
    """
    try:
        # Opening a pipe would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise GgufError("is not a regular file", path)
            return parse_header(stream, status.st_size)
    except FileNotFoundError:
        raise GgufError("there is no such file", path) from None
    except OSError as error:
        raise GgufError(f"cannot be read: {error.strerror}", path) from None
    except GgufError as error:
        raise error if error.path else GgufError(error.reason, path) from None


def parse_header(stream: BinaryIO, size: int) -> GgufHeader:
    """Check a header that starts where the stream stands, at the start of `size` bytes.

    Raises:
        GgufError: It is not a sound GGUF file.
    """
    reader = _Reader(stream, min(size, _MAX_HEADER), size)
    if reader.take(4) != b"GGUF":
        raise GgufError("is no GGUF file: it does not start with GGUF")
    version = reader.u32()
    if version not in (2, 3):
        detail = " (big-endian)" if version in (2 << 24, 3 << 24) else ""
        raise GgufError(f"has GGUF version {version}{detail}; versions 2 and 3 are served")
    tensors = reader.count("tensors", _MAX_ENTRIES)
    entries = reader.count("metadata entries", _MAX_ENTRIES)
    metadata = _read_metadata(reader, entries)
    alignment = metadata.number("general.alignment", 32)
    if not 0 < alignment <= _MAX_ALIGNMENT or alignment & (alignment - 1):
        raise GgufError(f"has alignment {alignment}, which is no power of two in range")
    _check_tensors(reader, tensors, alignment)
    architecture = metadata.text("general.architecture")
    if not architecture or len(architecture) > _MAX_ARCHITECTURE:
        raise GgufError("does not name its architecture")
    if metadata.number("split.count", 1) > 1:
        raise GgufError("is one part of several; merge them into one file first")
    template = metadata.text("tokenizer.chat_template")
    check_template(template or "")
    return GgufHeader(
        version=version,
        architecture=architecture,
        name=metadata.text("general.name"),
        context_length=metadata.number(f"{architecture}.context_length", 0) or None,
        has_chat_template=bool(template),
        tensor_count=tensors,
        alignment=alignment,
        file_size=size,
        cache_bytes=_cache_bytes(metadata, architecture),
    )


def _cache_bytes(metadata: "_Metadata", architecture: str) -> int:
    """Return the bytes per token of keys and values in 16 bits; arrays count as the widest."""

    def number(key: str) -> int:
        value = metadata.get(f"{architecture}.{key}")
        return value if isinstance(value, int) and 0 < value < 2**20 else 0

    heads = number("attention.head_count")
    width = number("attention.key_length") or (number("embedding_length") // heads if heads else 0)
    return number("block_count") * (number("attention.head_count_kv") or heads) * width * 2 * 2


class _Metadata(dict[str, int | float | str | bool | None]):
    """The entries of the header; arrays are checked but not kept, and stand as None."""

    def number(self, key: str, default: int) -> int:
        value = self.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise GgufError(f"has a {key} that is no whole number")
        return value

    def text(self, key: str) -> str | None:
        value = self.get(key)
        if key in self and not isinstance(value, str):
            raise GgufError(f"has a {key} that is no text")
        return value if isinstance(value, str) else None


class _Reader:
    """Reads forward and never past the limit."""

    def __init__(self, stream: BinaryIO, limit: int, size: int) -> None:
        self._stream, self._limit, self.size = stream, limit, size
        self.position = 0
        self.strings = 0

    def take(self, length: int) -> bytes:
        self._advance(length)
        data = self._stream.read(length)
        if len(data) != length:
            raise GgufError("became shorter while it was read")
        return data

    def skip(self, length: int) -> None:
        self._advance(length)
        self._stream.seek(length, os.SEEK_CUR)

    def u32(self) -> int:
        return _U32.unpack(self.take(4))[0]

    def u64(self) -> int:
        return _U64.unpack(self.take(8))[0]

    def count(self, what: str, limit: int) -> int:
        number = self.u64()
        if number > limit:
            raise GgufError(f"claims {number} {what}; at most {limit} are served")
        return number

    def text(self, what: str, limit: int) -> str:
        try:
            return self.take(self.count(f"bytes in {what}", limit)).decode("utf-8")
        except UnicodeDecodeError:
            raise GgufError(f"has {what} that is not UTF-8") from None

    def skip_string(self) -> None:
        self.skip(self.count("bytes in a string", _MAX_STRING))

    def _advance(self, length: int) -> None:
        self.position += length
        if self.position > self._limit:
            short = self._limit == self.size
            raise GgufError("is cut short in its header" if short else "has too long a header")


def _read_metadata(reader: _Reader, entries: int) -> _Metadata:
    metadata = _Metadata()
    wanted: Callable[[str], bool] = {
        "general.alignment",
        "general.architecture",
        "general.name",
        "split.count",
        "tokenizer.chat_template",
    }.__contains__
    for _ in range(entries):
        key = reader.text("a key", _MAX_KEY)
        if key in metadata:
            raise GgufError(f"has the key {key[:100]!r} twice")
        kind = reader.u32()
        if kind == _ARRAY:
            metadata[key] = _skip_array(reader)
        elif kind == _STRING and not wanted(key):
            metadata[key] = reader.skip_string()
        elif kind == _STRING:
            metadata[key] = reader.text(f"a {key}", _MAX_STRING)
        elif kind in _SCALARS:
            scalar = _SCALARS[kind]
            metadata[key] = scalar.unpack(reader.take(scalar.size))[0]
            if kind == _BOOL and metadata[key] not in (0, 1):
                raise GgufError(f"has a truth value {metadata[key]} at {key[:100]!r}")
        else:
            raise GgufError(f"has a value of unknown type {kind} at {key[:100]!r}")
    return metadata


def _skip_array(reader: _Reader) -> None:
    kind, length = reader.u32(), reader.u64()
    if kind in _SCALARS:
        reader.skip(length * _SCALARS[kind].size)
    elif kind == _STRING:
        reader.strings += length
        if reader.strings > _MAX_ARRAY_STRINGS:
            raise GgufError(f"has more than {_MAX_ARRAY_STRINGS} strings in its lists")
        for _ in range(length):
            reader.skip_string()
    else:
        raise GgufError(f"has a list of unknown type {kind}")


def _check_tensors(reader: _Reader, tensors: int, alignment: int) -> None:
    names: set[str] = set()
    ends = 0
    for _ in range(tensors):
        name = reader.text("a tensor's name", _MAX_TENSOR_NAME)
        if name in names:
            raise GgufError(f"has the tensor {name!r} twice")
        names.add(name)
        dimensions = reader.u32()
        if dimensions > _MAX_DIMENSIONS:
            raise GgufError(f"has the tensor {name!r} in {dimensions} dimensions")
        shape = [reader.u64() for _ in range(dimensions)]
        kind, offset = reader.u32(), reader.u64()
        block = TENSOR_TYPES.get(kind)
        if block is None:
            raise GgufError(f"has the tensor {name!r} of unknown type {kind}")
        if 0 in shape or (shape[0] if shape else 1) % block.numbers:
            raise GgufError(f"has the tensor {name!r} with an impossible shape {shape}")
        if offset % alignment:
            raise GgufError(f"has the tensor {name!r} at {offset}, off its alignment")
        # Python's integers do not overflow, which is the point of counting here.
        ends = max(ends, offset + prod(shape) // block.numbers * block.size)
    data = -(-reader.position // alignment) * alignment
    if ends > max(0, reader.size - data):
        raise GgufError(f"is cut short: {data + ends} bytes are declared, {reader.size} are there")
