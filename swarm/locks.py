"""A lock on a folder, between threads and between processes."""

import contextlib
import os
import sys
from collections.abc import Generator
from pathlib import Path

__all__ = ["folder_lock"]


@contextlib.contextmanager
def folder_lock(folder: Path, *, wait: bool = True) -> Generator[None, None, None]:
    """Keep other threads and processes out of the same block for this folder.

    The system releases the lock when its holder dies, so it is never left behind.

    Args:
        folder: The folder; it exists.
        wait: Wait until it is free.

    Raises:
        BlockingIOError: It is not free, and `wait` is false.
    """
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(descriptor, wait)
        yield
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt
    import time

    def _lock(descriptor: int, wait: bool) -> None:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
                return
            except OSError as error:  # it gives up after ten seconds
                if not wait:
                    raise BlockingIOError(error.errno, "another process holds it") from None
                time.sleep(0.1)

else:
    import fcntl

    def _lock(descriptor: int, wait: bool) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
