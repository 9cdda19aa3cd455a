"""The words of many texts at once, as arrays of numbers.

A word is a run of letters, digits and symbols without case; of scripts that put no spaces between
words, each character is one. Greetings with a person's name, and names under a letter, are left
out: a letter that only another person wrote says the same.
"""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from finetune.curate.duplicates.characters import (
    ALONE,
    DIGIT,
    MINUS,
    WORD,
    Characters,
    characters,
    mix,
)
from finetune.curate.duplicates.conversation import REJECTED
from finetune.curate.duplicates.language import FAREWELLS, GREETINGS, NEGATIONS
from finetune.dataset.folding import MARKS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Words", "word_number", "words_of"]

_FACTOR: Final = 0xD1342543DE82EF95


class Words(NamedTuple):
    """The words of a list of texts; arrays have one entry for each word, texts in their order."""

    starts: "NDArray[np.int64]"
    """Where the words of each text begin, and the end of the last one."""
    text: "NDArray[np.int64]"
    """Which text a word stands in."""
    at: "NDArray[np.int64]"
    """Where it begins in all texts joined."""
    number: "NDArray[np.uint64]"
    """The word; those that a preference row rejects have numbers of their own."""
    traits: "NDArray[np.uint32]"
    """Which letters it has, and whether it has a digit."""
    length: "NDArray[np.int64]"
    is_fact: "NDArray[np.bool_]"
    """A number or a negation, which another text has to have as well to say the same."""
    is_name: "NDArray[np.bool_]"
    """Written with a capital letter inside a sentence."""

    @property
    def is_bare(self) -> "NDArray[np.bool_]":
        """Which texts hold nothing but the marks between messages."""
        import numpy as np

        said = ~np.isin(self.number, _mark_numbers())
        total = np.concatenate(([0], np.cumsum(said)))[self.starts]
        return total[1:] == total[:-1]


def words_of(bodies: Sequence[str]) -> Words:
    """Return the words of texts in Unicode's form NFKC."""
    import numpy as np

    table = characters()
    codes = _codes(bodies, table)
    value, kind, traits = table.value[codes], table.kind[codes], table.traits[codes]
    _keep_signs(codes, value, kind, traits, table)
    is_word = kind > 0
    # A word begins where the character before is none, or where one of the two stands alone.
    is_joined = is_word[1:] & is_word[:-1] & ((kind[1:] | kind[:-1]) < ALONE)
    at = np.flatnonzero(is_word & ~np.concatenate(([False], is_joined)))
    ends = np.flatnonzero(is_word & ~np.concatenate((is_joined, [False]))) + 1
    bodies_end = np.cumsum([len(body) for body in bodies], dtype=np.int64)
    first = np.searchsorted(at, np.concatenate(([0], bodies_end)))
    text = np.repeat(np.arange(len(bodies)), np.diff(first))
    if not len(at):
        nothing = np.zeros(0, np.bool_)
        number = np.zeros(0, np.uint64)
        return Words(first, text, at, number, traits[:0], at, nothing, nothing)
    powers, inverses = _powers(len(codes))
    # The sum over a word, as a polynomial that does not depend on where the word stands.
    number = mix(np.add.reduceat(value * powers, at) * inverses[at])
    traits = np.bitwise_or.reduceat(traits, at)
    is_fact = _marked(number, NEGATIONS) | (traits & DIGIT > 0)
    is_name = _inside_sentence(codes, at, kind, table)
    _separate_rejected(number, first, text)
    words = Words(first, text, at, number, traits, ends - at, is_fact, is_name)
    return _without_people(words, codes)


def word_number(word: str) -> int:
    """Return the number of one word, given in lower case."""
    table = characters()
    codes = _codes([word], table)
    value = table.value[codes] * _powers(len(codes))[0]
    return int(mix(value.sum(keepdims=True))[0])


def _codes(bodies: Sequence[str], table: Characters) -> "NDArray[np.unsignedinteger[Any]]":
    import numpy as np

    text = "".join(bodies)
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
    table.learn(codes)
    return codes


def _keep_signs(
    codes: "NDArray[np.unsignedinteger[Any]]",
    value: "NDArray[np.uint64]",
    kind: "NDArray[np.uint8]",
    traits: "NDArray[np.uint32]",
    table: Characters,
) -> None:
    """Make the minus before a number a part of it."""
    import numpy as np

    at = np.flatnonzero(codes == ord("-"))
    at = at[at < len(codes) - 1]
    at = at[(traits[at + 1] & DIGIT > 0) & ((at == 0) | (kind[at - 1] == 0))]
    value[at], kind[at] = table.value[MINUS], WORD


def _marked(number: "NDArray[np.uint64]", words: tuple[str, ...]) -> "NDArray[np.bool_]":
    """Tell which words are in a list."""
    import numpy as np

    exact, table = _lookup(words)
    found = table[number & np.uint64(0xFFFF)]
    at = np.flatnonzero(found)
    found[at] = _among(number[at], exact)
    return found


@functools.cache
def _lookup(words: tuple[str, ...]) -> "tuple[NDArray[np.uint64], NDArray[np.bool_]]":
    import numpy as np

    exact = np.array([word_number(word) for word in words], np.uint64)
    table = np.zeros(1 << 16, np.bool_)
    table[exact & np.uint64(0xFFFF)] = True
    return exact, table


def _inside_sentence(
    codes: "NDArray[np.unsignedinteger[Any]]",
    at: "NDArray[np.int64]",
    kind: "NDArray[np.uint8]",
    table: Characters,
) -> "NDArray[np.bool_]":
    """Tell which words are written with a capital although no sentence begins there."""
    import numpy as np

    found = table.is_upper[codes[at]] & (at >= 2)
    words = np.flatnonzero(found)
    one, two = at[words] - 1, at[words] - 2
    is_inside = (kind[two] == WORD) | (codes[two] == ord(","))
    found[words] = is_inside & (codes[one] == ord(" "))
    return found


def _separate_rejected(
    number: "NDArray[np.uint64]", first: "NDArray[np.int64]", text: "NDArray[np.int64]"
) -> None:
    import numpy as np

    is_mark = number == np.uint64(word_number(REJECTED))
    if is_mark.any():
        seen = np.cumsum(is_mark)
        # Each text begins with the mark of a role, so none is counted at its first word.
        inside = seen > seen[first[:-1]][text]
        number[inside] = mix(number[inside])


def _without_people(words: Words, codes: "NDArray[np.unsignedinteger[Any]]") -> Words:
    import numpy as np

    at = words.at
    is_greeting = _marked(words.number, GREETINGS)
    greetings = np.flatnonzero(is_greeting | _marked(words.number, FAREWELLS))
    greetings = greetings[greetings < len(at) - 1]
    if not len(greetings):
        return words
    names = greetings + 1
    ends = at[names] + words.length[names]
    gap = at[names] - at[greetings] - words.length[greetings]
    after = codes[np.minimum(ends, len(codes) - 1)]
    ends_line = (ends == len(codes)) | _among(after, _codes_of("\n\r"))
    ends_line |= _among(codes[np.minimum(ends + 1, len(codes) - 1)], _codes_of("".join(MARKS)))
    is_greeted = (gap <= 2) & (ends_line | _among(after, _codes_of(",.!;")))
    is_person = (is_greeting[greetings] & is_greeted) | (~is_greeting[greetings] & ends_line)
    is_person &= (words.text[names] == words.text[greetings]) & ~words.is_fact[names]
    keep = np.ones(len(at), np.bool_)
    keep[greetings[is_person]] = False
    for name in names[is_person].tolist():
        own = slice(*words.starts[words.text[name] : words.text[name] + 2].tolist())
        keep[own] &= words.number[own] != words.number[name]
    kept = np.concatenate(([0], np.cumsum(keep)))[words.starts]
    return Words(
        kept,
        words.text[keep],
        words.at[keep],
        words.number[keep],
        words.traits[keep],
        words.length[keep],
        words.is_fact[keep],
        words.is_name[keep],
    )


def _among(values: "NDArray[Any]", few: "NDArray[Any]") -> "NDArray[np.bool_]":
    """Tell which values are among a few; for short lists faster than numpy's own way."""
    import numpy as np

    return np.asarray((values[:, None] == few).any(axis=1), np.bool_)


@functools.cache
def _mark_numbers() -> "NDArray[np.uint64]":
    import numpy as np

    return np.array([word_number(mark) for mark in sorted(MARKS)], np.uint64)


@functools.cache
def _codes_of(characters: str) -> "NDArray[np.uint8]":
    import numpy as np

    return np.frombuffer(characters.encode("ascii"), np.uint8)


def _powers(count: int) -> "tuple[NDArray[np.uint64], NDArray[np.uint64]]":
    """Return the powers of an odd number modulo 2**64, and their inverses."""
    size = 1 << max(count, 1 << 16).bit_length()
    powers, inverses = _all_powers(size)
    return powers[:count], inverses[:count]


@functools.lru_cache(maxsize=2)
def _all_powers(size: int) -> "tuple[NDArray[np.uint64], NDArray[np.uint64]]":
    import numpy as np

    factors = np.full((2, size), _FACTOR, np.uint64)
    factors[1] = pow(_FACTOR, -1, 1 << 64)
    factors[:, 0] = 1
    powers, inverses = np.cumprod(factors, axis=1)
    return powers, inverses
