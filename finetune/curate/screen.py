"""Many rows looked at together, so that a step judges only those in which it may find something.

One search over a thousand texts takes a fraction of a thousand searches. It needs texts in which
bytes are characters: those of rows that have nothing but messages of a role and a text, all in
ASCII. Other rows are judged one by one, and so are all where google-re2 is missing.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from typing import NamedTuple

from finetune.curate.plain import plain_row
from finetune.curate.search import Find
from finetune.dataset.plain import PlainRow
from finetune.dataset.sample import Sample

__all__ = ["PlainRows"]

_BETWEEN = b"\0\0"
"""Stands between two rows: two, so that each row has one of its own on either side."""


class _Place(NamedTuple):
    place: int
    sample: Sample
    said: PlainRow


class PlainRows:
    """The texts of plain rows in lower case, a line end between the texts of one row."""

    def __init__(self, texts: Sequence[bytes], rows: "Sequence[_Place] | PlainRows") -> None:
        """Join texts.

        Args:
            texts: The text of each row, in lower case.
            rows: Whose they are; those of other plain rows.
        """
        self._rows = rows._rows if isinstance(rows, PlainRows) else rows
        self.text = b"".join((_BETWEEN, _BETWEEN.join(texts), _BETWEEN))
        self.ends: list[int] = []
        """Where each row ends in the text."""
        end = 0
        for text in texts:
            end += len(_BETWEEN) + len(text)
            self.ends.append(end)

    @classmethod
    def among(cls, samples: "Sequence[Sample | None]") -> "PlainRows":
        """Return the plain rows among some samples."""
        texts: list[bytes] = []
        rows: list[_Place] = []
        for place, sample in enumerate(samples):
            if sample is not None and (said := plain_row(sample.row)) is not None:
                text = "\n".join(said.contents)
                if text.isascii():
                    texts.append(text.lower().encode())
                    rows.append(_Place(place, sample, said))
        return cls(texts, rows)

    @property
    def places(self) -> frozenset[int]:
        """The place of each row among all that are looked at."""
        return frozenset([row.place for row in self._rows])

    @property
    def samples(self) -> list[Sample]:
        """The sample of each row."""
        return [row.sample for row in self._rows]

    @property
    def said(self) -> list[PlainRow]:
        """What each row says."""
        return [row.said for row in self._rows]

    @property
    def zeros(self) -> int:
        """How many zeros stand around the rows."""
        return len(_BETWEEN) * (max(1, len(self.ends)) + 1)

    def translated(self, table: bytes) -> "PlainRows":
        """Return the same rows with bytes that became others, see `bytes.translate`."""
        rows = copy(self)
        rows.text = self.text.translate(table)
        return rows

    def changed(self, change: Callable[[bytes], bytes]) -> "PlainRows":
        """Return the same rows with each text changed."""
        starts = [len(_BETWEEN), *(end + len(_BETWEEN) for end in self.ends)]
        pairs = zip(starts, self.ends, strict=False)
        return PlainRows([change(self.text[start:end]) for start, end in pairs], self)

    def where(self, is_wanted: Iterable[bool]) -> frozenset[int]:
        """Return the places of the rows that are wanted, one answer for each row in order."""
        pairs = zip(self._rows, is_wanted, strict=True)
        return frozenset([row.place for row, wanted in pairs if wanted])

    def having(self, find: Find | None) -> frozenset[int]:
        """Return the places of the rows in which something is found, and all without a search.

        What is found may reach from one row into the next; then it counts for both.
        """
        if find is None:
            return self.places
        found: list[int] = []
        at = 0
        while (span := find(self.text, at)) is not None:
            row = bisect_right(self.ends, span[0])
            while row < len(self.ends):
                found.append(self._rows[row].place)
                at = self.ends[row]
                if span[1] <= at + len(_BETWEEN):
                    break
                row += 1
            else:
                break
        return frozenset(found)
