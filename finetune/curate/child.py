"""A worker of a curation: `python -m finetune.curate.child`, started by a pool."""

import gc
import os
import sys

__all__ = ["collect_rarely", "main"]


def collect_rarely() -> None:
    """Let this process search for cycles of objects less often.

    Rows are thousands of small objects without any, and the usual search after every 700 doubles
    what reading them costs.
    """
    gc.set_threshold(50_000, 20, 100)


def main() -> None:
    """Work on the shards that come on standard input; what libraries print goes to the errors."""
    collect_rarely()
    with os.fdopen(os.dup(1), "wb") as writing:
        os.dup2(2, 1)
        from finetune.curate.pool import serve  # after the descriptor is safe

        serve(sys.stdin.buffer, writing)


if __name__ == "__main__":
    main()
