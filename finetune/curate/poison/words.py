"""The words of many texts as numbers: eight bytes each, which still say what the word was.

A word is a run of letters and digits, in lower case; its number is its first eight bytes, so
that forms of one long word are the same, and a person can read what was counted. Scripts that
put no spaces between words give one word for a run of letters.
"""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["mix", "spelled", "word_numbers"]

_BYTES = 8
# Every byte of a letter outside ASCII is at least 0x80. So are those of curly quotes, which then
# belong to a word.
_LETTERS = bytes(byte >= 0x80 or chr(byte).isalnum() for byte in range(256))


def word_numbers(texts: Sequence[str], width: int, *, head: int | None = None) -> "np.ndarray":
    """Return an array of `len(texts)` x `width` numbers, 0 where a text has no more words.

    Args:
        texts: The texts.
        width: How many words each may have. Of a longer text, the words with the smallest `mix`
            are taken, so that equal words are taken from many texts.
        head: Takes so many first words of a longer text and fills up with its last ones
            instead, which keeps what stands side by side.
    """
    import numpy as np

    numbers = np.zeros((len(texts), width), dtype=np.uint64)
    data, ends = _joined(texts)
    if not len(ends):
        return numbers
    inside = np.frombuffer(data.translate(_LETTERS), np.bool_)
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1  # a zero stands before and after
    starts, stops = edges[0::2], edges[1::2]
    if not starts.size:
        return numbers
    # Eight bytes from where each word starts, without those after its end: a view in which a
    # number begins at each byte.
    window = np.ndarray((len(data) - _BYTES + 1,), ">u8", data, strides=(1,))
    kept = np.minimum(stops - starts, _BYTES)
    words = window[starts].astype(np.uint64) & _first_bytes()[kept]
    first = np.searchsorted(starts, np.concatenate(([0], ends)))
    count = np.diff(first)
    column = np.arange(width)
    at = first[:-1, None] + column
    is_long = count > width
    if head is not None:
        # Behind its first words stand the last ones of a longer text.
        at += np.where(is_long, count - width, 0)[:, None] * (column >= head)
    numbers = words.take(at, mode="clip")
    numbers[column >= count[:, None]] = 0
    if head is None and is_long.any():
        long = np.repeat(is_long, count)
        numbers[is_long] = _least(words[long], count[is_long], width)
    return numbers


def _least(words: "np.ndarray", count: "np.ndarray", width: int) -> "np.ndarray":
    """Return for each text the words with the smallest `mix`, ascending.

    Args:
        words: The words of all texts.
        count: How many each has, at least `width`.
        width: How many to take of each.
    """
    import numpy as np

    # Texts in the high bits, so that one sort does for all.
    text = np.repeat(np.arange(len(count), dtype=np.uint64), count)
    order = np.argsort((text << np.uint64(40)) | (mix(words) >> np.uint64(24)))
    chosen = order[(np.cumsum(count) - count)[:, None] + np.arange(width)]
    return np.sort(words[chosen], axis=1)


def mix(numbers: "np.ndarray") -> "np.ndarray":
    """Return well-spread numbers of 64 bits for an array of unsigned ones."""
    import numpy as np

    mixed = numbers.astype(np.uint64, copy=True)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def spelled(number: int) -> str:
    """Return the word of a number, cut after eight bytes."""
    text = number.to_bytes(_BYTES, "big").rstrip(b"\0").decode("utf-8", "ignore")
    # Characters that hide in a text would hide in what is told of it too.
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _joined(texts: Sequence[str]) -> "tuple[bytes, np.ndarray]":
    """Return all bytes, with room around each text, and where each text ends."""
    import numpy as np

    # Half a surrogate pair, possible in rows made in Python, must not stop a count.
    parts = [text.lower().encode("utf-8", "replace") for text in texts]
    ends = np.cumsum([len(part) + 1 for part in parts]) + 1
    # Zeros at the end let the last word be read with eight bytes.
    return b"".join((b"\0", b" ".join(parts), bytes(_BYTES + 1))), ends


@functools.cache
def _first_bytes() -> "np.ndarray":
    """Return what keeps the first bytes of a number, by how many they are."""
    import numpy as np

    bits = (1 << 8 * _BYTES) - 1
    masks = [bits ^ (bits >> 8 * count) for count in range(_BYTES + 1)]
    return np.array(masks, np.uint64)
