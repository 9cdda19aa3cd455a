"""Sources cut into shards: whole lines that can be read without the rest of their file."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from finetune.dataset.lines import Line, LineReader
from finetune.dataset.problem import DatasetError, Problem
from finetune.dataset.sample import Sample
from finetune.dataset.sample_file import parse_sample

__all__ = ["SHARD_BYTES", "Shard", "Source", "cut", "estimate_shards"]

SHARD_BYTES = 4 * 1024 * 1024
"""About so many bytes are one shard; a line is never cut."""
_BLOCK = 1024 * 1024
_FIRST_LINES = 100
"""One of them has to be a sample."""
_NO_TEXT = ("unreadable_file", "not_text", "empty_file")


class Source(NamedTuple):
    """A file that is curated."""

    path: str
    name: str
    """What provenance calls it."""
    sha256: str
    bytes: int
    lines: int


class Shard(NamedTuple):
    """Some lines of a source."""

    number: int
    """Its place among all shards."""
    source: int
    """Its source's place among the sources."""
    path: str
    name: str
    start: int
    """Where it begins, in bytes."""
    size: int
    """In bytes."""
    first_line: int
    """1-based."""

    def lines(self) -> Iterator[Line | Problem]:
        """Yield its lines, numbered as in the file, and what is wrong with some of them."""
        for item in LineReader(
            Path(self.path),
            start=self.start,
            size=self.size,
            first_line=self.first_line,
            is_hashed=False,
        ):
            # Lines without anything are no rows; where a shard ends says nothing about them.
            # Lines first: whether an object is one of pydantic's models is slow to tell.
            if isinstance(item, Line) or item.code not in ("blank_line", "empty_file"):
                yield item


def cut(
    paths: Sequence[Path], *, shard_bytes: int = SHARD_BYTES
) -> tuple[list[Source], list[Shard]]:
    """Read the sources once, and return their hashes and shards in order.

    Raises:
        DatasetError: A source cannot be read, is empty, not text, or begins with lines that are
            no samples.
    """
    sources: list[Source] = []
    shards: list[Shard] = []
    names = _names(paths)
    for at, path in enumerate(paths):
        _refuse_foreign(path)
        digest, offset, line = hashlib.sha256(), 0, 1
        start, start_line = 0, 1
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                end = block.rfind(b"\n")
                if end >= 0 and offset + end + 1 - start >= shard_bytes:
                    size = offset + end + 1 - start
                    after = line + block.count(b"\n", 0, end + 1)
                    shards.append(
                        Shard(len(shards), at, str(path), names[at], start, size, start_line)
                    )
                    start, start_line = start + size, after
                offset += len(block)
                line += block.count(b"\n")
        if offset > start:
            size = offset - start
            shards.append(Shard(len(shards), at, str(path), names[at], start, size, start_line))
        sources.append(Source(str(path), names[at], digest.hexdigest(), offset, line - 1))
    return sources, shards


def estimate_shards(size: int, sources: int, *, shard_bytes: int = SHARD_BYTES) -> int:
    """Return about how many shards `cut` makes of sources of so many bytes, hardly ever fewer."""
    return size // max(shard_bytes, _BLOCK) + sources


def _names(paths: Sequence[Path]) -> list[str]:
    """Name files as shortly as they can be told apart."""
    if len({path.name for path in paths}) == len(paths):
        return [path.name for path in paths]
    return [str(path) for path in paths]


def _refuse_foreign(path: Path) -> None:
    """Raise for what holds no samples, before anything is made of it."""
    first: Problem | None = None
    for number, item in enumerate(LineReader(path)):
        found = [item] if isinstance(item, Problem) else parse_sample(item)
        if isinstance(found, Sample):
            return
        first = first or found[0]
        if first.code in _NO_TEXT or number == _FIRST_LINES:
            break
    if first is not None:
        problem = first
        if first.code not in _NO_TEXT:
            text = f"{first.message}; convert other formats first: wikiswarm dataset convert"
            problem = first.model_copy(update={"message": text})
        raise DatasetError(str(path), (problem,))
