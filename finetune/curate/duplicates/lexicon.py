"""What is known of each word: made once, however often texts say it.

Words have numbers, hashes of their letters; a lexicon gives each number a row in its tables. It
is of one thread, and begins anew before it grows too large.
"""

import functools
from typing import TYPE_CHECKING, Any, Final
from unicodedata import category

from finetune.curate.duplicates.characters import folded, letters_of
from finetune.curate.duplicates.language import FAREWELLS, GREETINGS, NEGATIONS
from finetune.dataset.folding import MARKS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FAREWELL", "GREETING", "MARK", "NEGATION", "NUMERAL", "Lexicon"]

NEGATION: Final = 1
GREETING: Final = 2
FAREWELL: Final = 4
MARK: Final = 8
"""The bit of what programs put between messages."""
NUMERAL: Final = 16
"""The bit of a word with a digit."""
_MOST: Final = 200_000
"""Words that are remembered, and those of one more call."""
_PLACES: Final = 1 << 20
"""Of the table by which words are found; a few words share one."""


class Lexicon:
    """The words that a thread has read."""

    def __init__(self) -> None:
        import numpy as np

        self.texts: list[str] = []
        """Each word in lower case."""
        self.traits: NDArray[np.uint8] = np.zeros(1024, np.uint8)
        """The bits of each word: `NEGATION` and so on."""
        self.letters: NDArray[np.uint32] = np.zeros(1024, np.uint32)
        """Which letters each has, see `letters_of`."""
        self.length: NDArray[np.int32] = np.zeros(1024, np.int32)
        """How many characters each has."""
        self._number: NDArray[np.uint64] = np.zeros(1024, np.uint64)
        self._known: dict[int, int] = {}
        """The row of each word by its number."""
        self._rows_of_marks: dict[str, int] = {}
        self._at: NDArray[np.int32] = np.zeros(_PLACES, np.int32)
        """The row of the last word with these bits of its number: a look instead of a search."""

    @property
    def is_full(self) -> bool:
        """Whether it is time for another one."""
        return len(self.texts) > _MOST

    def row_of_mark(self, mark: str) -> int | None:
        """Return the row of a mark between messages, or None where it was never read."""
        return self._rows_of_marks.get(mark)

    def rows(
        self,
        number: "NDArray[np.uint64]",
        at: "NDArray[np.int64]",
        ends: "NDArray[np.int64]",
        data: bytes | bytearray,
    ) -> "NDArray[np.int64]":
        """Return the row of each word; new ones are learnt.

        Args:
            number: The number of each.
            at: Where each begins in the data.
            ends: Where each ends.
            data: Texts in UTF-8 and in lower case.
        """
        import numpy as np

        rows = self._at[number & np.uint64(len(self._at) - 1)].astype(np.int64)
        left = np.flatnonzero(self._number[rows] != number)
        if len(left):
            # New words, and the few whose place another word has.
            numbers, first, which = np.unique(number[left], return_index=True, return_inverse=True)
            spans = zip(at[left[first]].tolist(), ends[left[first]].tolist(), strict=True)
            found = [
                self._row(one, data, start, end)
                for one, (start, end) in zip(numbers.tolist(), spans, strict=True)
            ]
            rows[left] = np.array(found, np.int64)[which]
        return rows

    def _row(self, number: int, data: bytes | bytearray, start: int, end: int) -> int:
        row = self._known.get(number)
        if row is not None:
            return row
        row = len(self.texts)
        if row == len(self._number):
            self._grow()
        text = data[start:end].decode()
        has_digit = any(category(char)[0] == "N" for char in text)
        self.traits[row] = _listed().get(text, 0) | (NUMERAL if has_digit else 0)
        self.letters[row] = letters_of(text)
        self.length[row] = len(text)
        self._number[row] = number
        self._at[number & (len(self._at) - 1)] = row
        if text in MARKS:
            self._rows_of_marks[text] = row
        # Last of all: a word that could not be learnt leaves its row to the next one.
        self.texts.append(text)
        self._known[number] = row
        return row

    def _grow(self) -> None:
        self.traits = _doubled(self.traits)
        self.letters = _doubled(self.letters)
        self.length = _doubled(self.length)
        self._number = _doubled(self._number)


@functools.cache
def _listed() -> dict[str, int]:
    """Return the bits of listed words, as folding leaves them."""
    bits = dict.fromkeys(MARKS, MARK)
    for bit, words in ((NEGATION, NEGATIONS), (GREETING, GREETINGS), (FAREWELL, FAREWELLS)):
        for word in words:
            text = "".join(map(folded, word))
            bits[text] = bits.get(text, 0) | bit
    return bits


def _doubled(array: "NDArray[Any]") -> "NDArray[Any]":
    import numpy as np

    return np.concatenate((array, np.zeros_like(array)))
