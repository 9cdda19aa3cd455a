"""A worker of a curation: `python -m finetune.curate.child FOLDER`, started by a pool."""

import os
import sys
from pathlib import Path

__all__ = ["main"]


def main() -> None:
    """Work on the shards that come on standard input; what libraries print goes to the errors."""
    with os.fdopen(os.dup(1), "wb") as writing:
        os.dup2(2, 1)
        from finetune.curate.pool import serve  # after the descriptor is safe

        serve(Path(sys.argv[1]), sys.stdin.buffer, writing)


if __name__ == "__main__":
    main()
