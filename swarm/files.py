"""Files that are replaced in one step: readers see the old content or the new one, whole."""

import os
import secrets
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

__all__ = ["replacing", "sync_folder", "write_atomically"]


def write_atomically(path: Path, content: str | bytes, *, mode: int = 0o666) -> None:
    """Replace a file; return once it is on the disk.

    Args:
        path: The file; its folder exists.
        content: What it holds then; text is written as UTF-8.
        mode: The permissions, less what the process's umask takes away.

    Raises:
        OSError: It cannot be written; the old content stands.
    """
    data = content.encode() if isinstance(content, str) else content
    with replacing(path, mode=mode) as file:
        file.write(data)


@contextmanager
def replacing(path: Path, *, mode: int = 0o666) -> Generator[BinaryIO, None, None]:
    """Open a file that takes the path's place when the block ends without an error.

    Args:
        path: The file; its folder exists.
        mode: See `write_atomically`.

    Raises:
        OSError: It cannot be written; the old content stands.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    file = open(temporary, "xb", opener=partial(os.open, mode=mode))  # noqa: SIM115 - closed below
    try:
        yield file
        file.flush()
        os.fsync(file.fileno())
        file.close()
        os.replace(temporary, path)
    finally:
        with suppress(OSError):  # closing flushes again, and fails again on a full disk
            file.close()
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until a folder's entries are on the disk."""
    if sys.platform == "win32":  # a folder cannot be opened there, and needs no such call
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
