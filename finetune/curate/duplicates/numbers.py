"""Words as numbers, eight bytes at a time: many words of many texts in a few calls of numpy."""

import hashlib
from typing import TYPE_CHECKING, Final

from finetune.curate.duplicates.characters import mix

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ROOM", "number_words"]

ROOM: Final = 8
"""Zeros that have to stand behind the last word."""
_LONGEST: Final = 64
"""Bytes of a word that are taken eight at a time; of the few that are longer, all at once."""


def number_words(
    data: bytes | bytearray, at: "NDArray[np.int64]", ends: "NDArray[np.int64]"
) -> "NDArray[np.uint64]":
    """Return a number for the bytes of each word, well mixed; words have no zeros in them.

    Args:
        data: Texts, with `ROOM` zeros behind them.
        at: Where each word begins.
        ends: Where each ends.
    """
    import numpy as np

    # A view in which a number of eight bytes begins at each byte.
    window = np.ndarray((len(data) - ROOM + 1,), "<u8", data, strides=(1,))
    lengths = ends - at
    number = _first_bytes(window[at], lengths)
    long = np.flatnonzero(lengths > ROOM)
    for done in range(ROOM, _LONGEST, ROOM):
        if not len(long):
            return mix(number)
        more = _first_bytes(window[at[long] + done], lengths[long] - done)
        number[long] = mix(number[long]) ^ more
        long = long[lengths[long] > done + ROOM]
    for word in long.tolist():
        digest = hashlib.blake2b(data[at[word] : ends[word]], digest_size=8)
        number[word] = int.from_bytes(digest.digest(), "little")
    return mix(number)


def _first_bytes(numbers: "NDArray[np.uint64]", count: "NDArray[np.int64]") -> "NDArray[np.uint64]":
    """Return numbers without the bytes behind so many first ones."""
    import numpy as np

    masks = np.array([(1 << 8 * size) - 1 for size in range(ROOM + 1)], np.uint64)
    return numbers & masks[np.minimum(count, ROOM)]
