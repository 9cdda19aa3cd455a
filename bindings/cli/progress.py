"""A progress bar on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

__all__ = ["Advance", "progress_bar"]

Advance = Callable[[int, int | None, str], None]
"""Takes what is done, what there is in all, if that is known, and a remark."""

_PLAIN_EVERY = 10.0
"""Seconds between two plain lines."""


@contextmanager
def progress_bar(title: str) -> Generator[Advance]:
    """Show progress on standard error while the block runs."""
    if not sys.stderr.isatty():
        last = time.monotonic()

        def tell(count: int, total: int | None, remark: str) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _PLAIN_EVERY or count == total:
                last = now
                of_all = "" if total is None else f" of {total}"
                print(f"{title}: {count}{of_all} {remark}".rstrip(), file=sys.stderr)

        yield tell
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[remark]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=None, remark="")

        def advance(count: int, total: int | None, remark: str) -> None:
            progress.update(task, completed=count, total=total, remark=remark)

        yield advance
