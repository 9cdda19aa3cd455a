"""What was made of the last rows, so that steps which ask for the same make it once."""

from typing import Generic, TypeVar

from finetune.dataset.rows import DpoRow, SftRow

__all__ = ["Remembered"]

_MOST = 1024
"""Rows whose results are surely kept; a worker looks at fewer together."""

_Made = TypeVar("_Made")


class Remembered(Generic[_Made]):
    """Results by row, of the last 1,024 to 2,048 rows. A row never changes, so neither do they."""

    def __init__(self) -> None:
        self._new: dict[int, tuple[SftRow | DpoRow, _Made]] = {}
        self._old: dict[int, tuple[SftRow | DpoRow, _Made]] = {}

    def get(self, row: SftRow | DpoRow) -> tuple[SftRow | DpoRow, _Made] | None:
        """Return a row with what was made of it, or None where that is not known."""
        name = id(row)
        known = self._new.get(name) or self._old.get(name)
        # A row that is kept holds its place in memory, so another one there was never seen.
        return known if known is not None and known[0] is row else None

    def keep(self, row: SftRow | DpoRow, made: _Made) -> None:
        """Take note of what was made of a row."""
        if len(self._new) >= _MOST:
            self._old, self._new = self._new, {}
        self._new[id(row)] = row, made
