"""Indexes a folder in a process of its own, for tests that kill it or run two at once.

`python -m tests.wiki.documents.program ROOT FOLDER VECTORS [STOP_AFTER]`; with the last one it
stops dead in front of that file, as a killed process does.
"""

import os
import signal
import sys
from pathlib import Path

from wiki.documents import DocumentIndex
from wiki.documents.vectors import Backend


def main(root: str, folder: str, vectors: Backend, stop_after: str = "0") -> None:
    """Index, print how many files were read, and how many passages there are."""
    index = DocumentIndex(Path(root), ["."], Path(folder), embedding="hash", vectors=vectors)
    left = int(stop_after)

    def check() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    report = index.refresh(check)
    sys.stdout.write(f"{report.read} {report.passages}\n")
    index.close()


if __name__ == "__main__":
    kind: Backend = "chroma" if sys.argv[3] == "chroma" else "exact"
    main(sys.argv[1], sys.argv[2], kind, *sys.argv[4:])
