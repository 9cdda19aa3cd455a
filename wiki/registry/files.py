"""Files that are written once: copies with their hash."""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

__all__ = ["FileHash", "copy_file", "hash_file"]

_BLOCK = 2**20


class FileHash(NamedTuple):
    """The size and the SHA-256 of a file's content."""

    size: int
    sha256: str


def copy_file(source: Path, target: Path) -> FileHash:
    """Copy a file, wait until it is on the disk, and return what was copied.

    A copy and no link: whoever writes to the source later must not change the registry.
    """
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reader, target.open("xb") as writer:
        while block := reader.read(_BLOCK):
            digest.update(block)
            size += writer.write(block)
        writer.flush()
        os.fsync(writer.fileno())
    target.chmod(0o444)
    return FileHash(size, digest.hexdigest())


def hash_file(path: Path) -> FileHash:
    """Return what a file holds."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as reader:
        while block := reader.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return FileHash(size, digest.hexdigest())
