"""A lock between processes that can be tried without waiting.

`swarm.locks.folder_lock` waits; a question must not wait for another process that indexes.
"""

import contextlib
import os
import sys
from collections.abc import Generator
from pathlib import Path

__all__ = ["try_lock"]


@contextlib.contextmanager
def try_lock(folder: Path) -> Generator[bool, None, None]:
    """Give whether this block has the folder for itself; the system frees it if we die."""
    descriptor = os.open(folder / ".indexing", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield _try(descriptor)
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _try(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
