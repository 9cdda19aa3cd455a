"""Tables over all characters, so that numpy reads texts: what each is to a word.

The tables are filled for the characters that texts bring; ASCII is there from the start.
"""

import functools
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from finetune.dataset.folding import MARKS, fold_character

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "ALONE",
    "COMMA",
    "DIGIT",
    "LETTERS",
    "LINE_END",
    "SPACE",
    "STOP",
    "UPPER",
    "WORD",
    "Characters",
    "characters",
    "folded",
    "letters_of",
    "mix",
]

WORD: Final = 1
"""The bit of a character that belongs to a word."""
ALONE: Final = 2
"""Of one that is a word of its own."""
UPPER: Final = 4
DIGIT: Final = 8
SPACE: Final = 16
"""Of a plain space."""
COMMA: Final = 32
STOP: Final = 64
"""Of what may stand behind a name in a greeting, besides a comma."""
LINE_END: Final = 128
LETTERS: Final = 22
"""Bits that say which letters a word has; the letters share them."""
_ALL: Final = 0x110000
_SIGNS: Final = {" ": SPACE, ",": COMMA, ".": STOP, "!": STOP, ";": STOP} | dict.fromkeys(
    "\n\r", LINE_END
)
# Scripts that put no spaces between words: Thai, Lao, Tibetan, Myanmar, Khmer, Kana, Han.
_SPACELESS: Final = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)


class Characters:
    """What is known of each character."""

    def __init__(self) -> None:
        import numpy as np

        self.kind: NDArray[np.uint8] = np.zeros(_ALL, np.uint8)
        """The bits of a character: `WORD`, `ALONE` and so on."""
        self.folded: NDArray[np.uint32] = np.arange(_ALL, dtype=np.uint32)
        """What stands for a character of a word: the same in lower case."""
        self.width: NDArray[np.uint8] = np.ones(_ALL, np.uint8)
        """How many bytes that has in UTF-8."""
        self._is_known: NDArray[np.bool_] = np.zeros(_ALL, np.bool_)
        self._learn(range(128))
        self.ascii_kind = bytes(self.kind[:128]) + bytes(128)
        """The bits of each ASCII character, for `bytes.translate`."""

    def learn(self, codes: "NDArray[np.uint32]") -> None:
        """Fill the tables for the characters of a text."""
        import numpy as np

        unknown = codes[~self._is_known[codes]]
        if len(unknown):
            self._learn(np.unique(unknown).tolist())

    def _learn(self, codes: "range | list[Any]") -> None:
        for code in codes:
            char = chr(code)
            kind = _SIGNS.get(char, 0) | (UPPER if char.isupper() else 0)
            if fold_character(char).strip():
                is_alone = char in MARKS or _SPACELESS.match(char) is not None
                kind |= WORD | ALONE if is_alone else WORD
                kind |= DIGIT if unicodedata.category(char)[0] == "N" else 0
                self.folded[code] = ord(folded(char))
            elif 0xD800 <= code < 0xE000:
                self.folded[code] = ord(" ")  # half a pair, which UTF-8 has no bytes for
            self.kind[code] = kind
            self.width[code] = len(chr(self.folded[code]).encode())
            self._is_known[code] = True


@functools.cache
def characters() -> Characters:
    """Return the tables of this process."""
    return Characters()


def folded(char: str) -> str:
    """Return the one character that stands for a character of a word."""
    stands = fold_character(char)
    return stands if len(stands) == 1 else char  # `ß`, which would become two


def letters_of(word: str) -> int:
    """Return the bits of the letters that a word in lower case has."""
    found = 0
    for char in word:
        found |= 1 << (ord(char) % LETTERS)
    return found


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
