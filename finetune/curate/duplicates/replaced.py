"""Which words of one text stand in the place of other words of another; typos do not count."""

from typing import TYPE_CHECKING, Final

from finetune.curate.duplicates.characters import LETTERS, mix
from finetune.curate.duplicates.words import Words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["WORDS", "Vocabulary", "word_entries"]

WORDS: Final = 128
"""Different words of a text that are compared; of longer texts a sample, the same for all."""
_ORDER: Final = 24  # bits of the order in which words are taken
_SHORT: Final = 4
"""Words of fewer letters are taken last: most are the same in all texts."""
_NONE: Final = 0xFFFFFFFF
_FACTOR: Final = 0x9E3779B1
"""Spreads entries over a table: the golden ratio in 32 bits, as Knuth's multiplicative hashing."""
_PAIRS: Final = 512
_CHUNK: Final = 512
"""Texts whose words are counted at once; what is made of them stays in the processor's cache."""
_TYPO: Final = 1
"""Letters that a word with a typo has more or less, at most."""


def word_entries(words: Words) -> "NDArray[np.uint32]":
    """Return up to `WORDS` different words of each text, at most 256 texts.

    An entry has ten bits of the word's place in the order, then the letters that it has. Entries
    ascend; places that are left have all bits set.
    """
    import numpy as np

    letters = words.lexicon.letters[words.row].astype(np.uint64)
    place = words.number >> np.uint64(64 - _ORDER + 1)
    place |= (words.lexicon.length[words.row] < _SHORT).astype(np.uint64) << np.uint64(_ORDER - 1)
    text = words.text.astype(np.uint64)
    shifted = text << np.uint64(_ORDER + LETTERS) | place << np.uint64(LETTERS) | letters
    shifted.sort()
    ordered = shifted[np.append(True, shifted[1:] != shifted[:-1])[: len(shifted)]]
    text = (ordered >> np.uint64(_ORDER + LETTERS)).astype(np.int64)
    first = np.searchsorted(text, np.arange(len(words.starts) - 1))
    column = np.arange(len(text)) - first[text]
    kept = column < WORDS
    entry = ordered >> np.uint64(LETTERS + _ORDER - (32 - LETTERS)) << np.uint64(LETTERS)
    entry |= ordered & np.uint64((1 << LETTERS) - 1)
    entries = np.full((len(words.starts) - 1, WORDS), _NONE, np.uint32)
    entries[text[kept], column[kept]] = entry[kept].astype(np.uint32)
    return entries


class Vocabulary:
    """Knows which words stand in one text only, as typos do."""

    def __init__(self, entries: "NDArray[np.uint32]") -> None:
        import numpy as np

        self._bits = min(24, max(22, (len(entries) * 512).bit_length()))
        self._texts = np.zeros(1 << self._bits, np.uint32)
        # Copies of a text do not make its typos any more usual.
        texts = np.unique(_names(entries), return_index=True)[1]
        for start in range(0, len(texts), _CHUNK):
            part = entries[texts[start : start + _CHUNK]]
            np.add.at(self._texts, self._place(part[part != _NONE]), np.uint32(1))

    def replaced(
        self, left: "NDArray[np.uint32]", right: "NDArray[np.uint32]"
    ) -> "NDArray[np.int64]":
        """Return for each pair how many words of one stand in the place of others.

        Words that one text has beyond the other replace nothing.
        """
        import numpy as np

        counts = np.zeros(len(left), np.int64)
        for start in range(0, len(left), _PAIRS):
            entries, is_left, is_right = _different(
                left[start : start + _PAIRS], right[start : start + _PAIRS]
            )
            in_question = np.flatnonzero(is_left.any(axis=1) & is_right.any(axis=1))
            chosen = np.zeros(entries.shape, np.bool_)
            chosen[in_question] = (is_left | is_right)[in_question]
            is_rare = np.zeros(chosen.shape, np.bool_)
            is_rare[chosen] = self._texts[self._place(entries[chosen])] <= 1
            for at in in_question.tolist():
                own, rare = entries[at], is_rare[at]
                left_words = _with_rarity(own[is_left[at]], rare[is_left[at]])
                right_words = _with_rarity(own[is_right[at]], rare[is_right[at]])
                counts[start + at] = _unmatched(left_words, right_words)
        return counts

    def _place(self, entries: "NDArray[np.uint32]") -> "NDArray[np.int64]":
        import numpy as np

        return (entries * np.uint32(_FACTOR) >> np.uint32(32 - self._bits)).astype(np.int64)


def _names(entries: "NDArray[np.uint32]") -> "NDArray[np.uint64]":
    """Return a number for the words of each text."""
    import numpy as np

    factors = mix(np.arange(WORDS, dtype=np.uint64)) | np.uint64(1)
    names = np.zeros(len(entries), np.uint64)
    for start in range(0, len(entries), _CHUNK):
        part = entries[start : start + _CHUNK].astype(np.uint64)
        names[start : start + _CHUNK] = (part * factors).sum(axis=1)
    return names


def _different(
    left: "NDArray[np.uint32]", right: "NDArray[np.uint32]"
) -> "tuple[NDArray[np.uint32], NDArray[np.bool_], NDArray[np.bool_]]":
    """Return the entries of both sides of each pair, and which only the one or the other has."""
    import numpy as np

    both = np.concatenate((left, right), axis=1).astype(np.uint64) << np.uint64(1)
    both[:, WORDS:] |= np.uint64(1)
    both.sort(axis=1)
    entries = (both >> np.uint64(1)).astype(np.uint32)
    is_single = np.ones(entries.shape, np.bool_)
    is_twin = entries[:, 1:] == entries[:, :-1]
    is_single[:, 1:] &= ~is_twin
    is_single[:, :-1] &= ~is_twin
    # Beyond the last place of a full sample nothing is known of a text.
    last = np.minimum(left[:, -1:], right[:, -1:])
    last_place = np.where(last == _NONE, np.uint32(_NONE), last >> np.uint32(LETTERS))
    is_single &= (entries >> np.uint32(LETTERS) < last_place) & (entries != _NONE)
    is_right = (both & np.uint64(1)).astype(np.bool_)
    return entries, is_single & ~is_right, is_single & is_right


def _with_rarity(
    entries: "NDArray[np.uint32]", is_rare: "NDArray[np.bool_]"
) -> list[tuple[int, bool]]:
    return list(zip(entries.tolist(), is_rare.tolist(), strict=True))


def _unmatched(left: list[tuple[int, bool]], right: list[tuple[int, bool]]) -> int:
    """Return how many words are left on both sides when typos are taken out.

    A word with a typo stands in its text only, and the right word elsewhere, too. Where both are
    found nowhere else they may as well be two names.
    """
    unmatched = 0
    for word, is_rare in left:
        for other, is_other_rare in right:
            if is_rare != is_other_rare and _differing_letters(word, other) <= _TYPO:
                right.remove((other, is_other_rare))
                break
        else:
            unmatched += 1
    return min(unmatched, len(right))


def _differing_letters(left: int, right: int) -> int:
    return ((left ^ right) & ((1 << LETTERS) - 1)).bit_count()
