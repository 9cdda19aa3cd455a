"""The standard output, kept for what belongs there."""

import contextlib
import os
import sys
from collections.abc import Generator

__all__ = ["quiet_stdout"]


@contextlib.contextmanager
def quiet_stdout() -> Generator[int]:
    """Send to standard error what anybody writes to standard output, C libraries included.

    Yields:
        A descriptor of the standard output itself, which is closed with the block.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield kept
    finally:
        os.dup2(kept, 1)
        os.close(kept)
