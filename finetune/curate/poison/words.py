"""The words of many texts as numbers: eight bytes each, which still say what the word was.

A word is a run of letters and digits, in lower case; its number is its first eight bytes, so
that forms of one long word are the same, and a person can read what was counted. Scripts that
put no spaces between words give one word for a run of letters.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["mix", "spelled", "word_numbers"]

_BYTES = 8


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
    if not data.size:
        return numbers
    inside = _is_letter()[data]
    edges = np.flatnonzero(np.diff(inside, prepend=False))
    starts, stops = edges[0::2], edges[1::2]
    if not starts.size:
        return numbers
    # Eight bytes from where each word starts, without those after its end.
    window = np.lib.stride_tricks.sliding_window_view(data, _BYTES)[starts]
    kept = np.minimum(stops - starts, _BYTES)
    window = np.where(np.arange(_BYTES) < kept[:, None], window, 0)
    words = window.view(">u8").ravel().astype(np.uint64)
    text_of = np.searchsorted(ends, starts, side="right")
    first = np.searchsorted(text_of, np.arange(len(texts) + 1))
    place = np.arange(len(words)) - first[text_of]
    count = np.diff(first)
    fits = count <= width
    if head is not None:
        # The last words of a longer text move up to where its first ones end.
        size = count[text_of]
        late = (size > width) & (place >= size - (width - head))
        place = np.where(late, place - (size - width), place)
        taken = (place < head) | late | (size <= width)
    else:
        taken = fits[text_of]
        mixed = mix(words)
        for index in np.flatnonzero(~fits).tolist():
            own = slice(first[index], first[index + 1])
            least = np.argpartition(mixed[own], width)[:width]
            numbers[index] = np.sort(words[own][least])
    numbers[text_of[taken], place[taken]] = words[taken]
    return numbers


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


def _joined(texts: Sequence[str]) -> "tuple[np.ndarray, np.ndarray]":
    """Return all bytes, with room after each text, and where each text ends."""
    import numpy as np

    # Half a surrogate pair, possible in rows made in Python, must not stop a count.
    parts = [text.lower().encode("utf-8", "replace") for text in texts]
    ends = np.cumsum([len(part) + 1 for part in parts])
    # Zeros at the end let the last word be read with eight bytes.
    return np.frombuffer(b" ".join(parts) + bytes(_BYTES + 1), dtype=np.uint8), ends


def _is_letter() -> "np.ndarray":
    import numpy as np

    # Every byte of a letter outside ASCII is at least 0x80. So are those of curly quotes, which
    # then belong to a word.
    return np.array([byte >= 0x80 or chr(byte).isalnum() for byte in range(256)], dtype=bool)
