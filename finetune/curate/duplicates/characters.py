"""Tables over all characters, so that numpy reads texts: what each is to a word, and its number.

The tables are filled for the characters that texts bring; ASCII is there from the start.
"""

import functools
import re
import unicodedata
from typing import TYPE_CHECKING, Final

from finetune.dataset.folding import MARKS, fold_character

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ALONE", "DIGIT", "LETTERS", "MINUS", "WORD", "Characters", "characters", "mix"]

LETTERS: Final = 22
"""Bits that say which letters a word has; the letters share them."""
DIGIT: Final = 1 << LETTERS
"""The bit of a word with a digit."""
WORD: Final = 1
ALONE: Final = 2
MINUS: Final = ord("~")
_ALL: Final = 0x110000
# Scripts that put no spaces between words: Thai, Lao, Tibetan, Myanmar, Khmer, Kana, Han.
_SPACELESS: Final = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)


class Characters:
    """What is known of each character."""

    def __init__(self) -> None:
        import numpy as np

        self.value: NDArray[np.uint64] = np.zeros(_ALL, np.uint64)
        """A number for the folded character, 0 for what parts words."""
        self.traits: NDArray[np.uint32] = np.zeros(_ALL, np.uint32)
        """The bits of its letter, and of digits."""
        self.kind: NDArray[np.uint8] = np.zeros(_ALL, np.uint8)
        """`WORD` or 0, and `ALONE`, for a character that is a word of its own."""
        self.is_upper: NDArray[np.bool_] = np.zeros(_ALL, np.bool_)
        self._is_known: NDArray[np.bool_] = np.zeros(_ALL, np.bool_)
        self._learn(np.arange(128, dtype=np.uint32))

    def learn(self, codes: "NDArray[np.uint32]") -> None:
        """Fill the tables for the characters of a text."""
        import numpy as np

        unknown = codes[~self._is_known[codes]]
        if len(unknown):
            self._learn(np.unique(unknown))

    def _learn(self, codes: "NDArray[np.uint32]") -> None:
        import numpy as np

        folded = np.zeros(len(codes), np.uint64)
        for at, code in enumerate(codes.tolist()):
            char = chr(code)
            self.is_upper[code] = char.isupper()
            if stands := fold_character(char).strip():
                is_alone = char in MARKS or _SPACELESS.match(char) is not None
                self.kind[code] = WORD | ALONE if is_alone else WORD
                folded[at] = ord(stands[0])
                self.traits[code] = 1 << (ord(stands[0]) % LETTERS)
                if unicodedata.category(char)[0] == "N":
                    self.traits[code] |= DIGIT
        self.value[codes] = np.where(folded > 0, mix(folded), 0)
        self._is_known[codes] = True


@functools.cache
def characters() -> Characters:
    """Return the tables of this process."""
    return Characters()


def mix(numbers: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    """Return numbers that depend on each bit of the given ones (the finish of SplitMix64)."""
    import numpy as np

    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
