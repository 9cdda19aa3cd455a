"""The words of many texts at once, as arrays of numbers.

A word is a run of letters, digits and symbols without case; of scripts that put no spaces between
words, each character is one. Greetings with a person's name, and names under a letter, are left
out: a letter that only another person wrote says the same.
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from finetune.curate.duplicates.characters import (
    ALONE,
    COMMA,
    DIGIT,
    LINE_END,
    SPACE,
    STOP,
    UPPER,
    WORD,
    characters,
    mix,
)
from finetune.curate.duplicates.conversation import REJECTED
from finetune.curate.duplicates.lexicon import (
    FAREWELL,
    GREETING,
    MARK,
    NEGATION,
    NUMERAL,
    Lexicon,
)
from finetune.curate.duplicates.numbers import ROOM, number_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Words", "words_of"]

_MINUS: Final = ord("~")
"""Stands for the minus before a number, as in folded texts."""


class _Own(threading.local):
    """What each thread has for itself: a lexicon that two threads teach would mix their words."""

    lexicon: Lexicon | None = None


_own = _Own()


class Words(NamedTuple):
    """The words of a list of texts; arrays have one entry for each word, texts in their order."""

    starts: "NDArray[np.int64]"
    """Where the words of each text begin, and the end of the last one."""
    text: "NDArray[np.int64]"
    """Which text a word stands in."""
    number: "NDArray[np.uint64]"
    """The word; those that a preference row rejects have numbers of their own."""
    row: "NDArray[np.int64]"
    """Where the lexicon has it."""
    traits: "NDArray[np.uint8]"
    """What the lexicon says of it: `NEGATION`, `NUMERAL` and so on."""
    is_name: "NDArray[np.bool_]"
    """Written with a capital letter inside a sentence."""
    lexicon: Lexicon

    @property
    def is_fact(self) -> "NDArray[np.bool_]":
        """A number or a negation, which another text has to have as well to say the same."""
        return self.traits & (NEGATION | NUMERAL) > 0

    @property
    def is_bare(self) -> "NDArray[np.bool_]":
        """Which texts hold nothing but the marks between messages."""
        import numpy as np

        total = np.concatenate(([0], np.cumsum(self.traits & MARK == 0)))[self.starts]
        return total[1:] == total[:-1]


class _Text(NamedTuple):
    """All texts joined, byte by byte."""

    data: bytearray
    """In lower case, in UTF-8, and zeros."""
    kind: "NDArray[np.uint8]"
    """What each byte belongs to, see `characters`."""
    inside: "NDArray[np.bool_] | None"
    """Which bytes go on with a character; None where all are characters."""
    ends: "NDArray[np.int64]"
    """Where each text ends."""


def words_of(bodies: Sequence[str]) -> Words:
    """Return the words of texts in Unicode's form NFKC."""
    import numpy as np

    lexicon = _own.lexicon
    if lexicon is None or lexicon.is_full:
        # Words and what is known of them are used together, and both hold the lexicon.
        lexicon = _own.lexicon = Lexicon()
    text = _joined(bodies)
    _keep_signs(text)
    kind = text.kind
    is_word = kind & WORD > 0
    # A word begins where the character before is none, or where one of the two stands alone.
    is_joined = is_word[1:] & is_word[:-1] & ((kind[1:] | kind[:-1]) & ALONE == 0)
    if text.inside is not None:
        is_joined |= text.inside[1:] & is_word[1:]
    at = np.flatnonzero(is_word & ~np.concatenate(([False], is_joined)))
    ends = np.flatnonzero(is_word & ~np.concatenate((is_joined, [False]))) + 1
    first = np.searchsorted(at, np.concatenate(([0], text.ends)))
    which = np.repeat(np.arange(len(bodies)), np.diff(first))
    number = number_words(text.data, at, ends)
    row = lexicon.rows(number, at, ends, text.data)
    traits = lexicon.traits[row]
    is_name = _inside_sentence(kind, at)
    _separate_rejected(number, row, first, which, lexicon)
    words = Words(first, which, number, row, traits, is_name, lexicon)
    return _without_people(words, text, at, ends)


def _joined(bodies: Sequence[str]) -> _Text:
    """Return all texts joined, with zeros behind, so that the last word has eight bytes, too."""
    import numpy as np

    table = characters()
    joined = "".join(bodies)
    lengths = np.array([len(body) for body in bodies], np.int64)
    if joined.isascii():
        data = joined.lower().encode() + bytes(ROOM)
        kind = np.frombuffer(joined.encode().translate(table.ascii_kind), np.uint8)
        return _Text(bytearray(data), kind.copy(), None, np.cumsum(lengths))
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
    table.learn(codes)
    data = table.folded[codes].astype("<u4").tobytes().decode("utf-32-le").encode()
    width = table.width[codes]
    places = np.concatenate(([0], np.cumsum(width, dtype=np.int64)))
    inside = np.ones(len(data), np.bool_)
    inside[places[:-1]] = False
    kind = np.repeat(table.kind[codes], width)
    return _Text(bytearray(data + bytes(ROOM)), kind, inside, places[np.cumsum(lengths)])


def _keep_signs(text: _Text) -> None:
    """Make the minus before a number a part of it."""
    import numpy as np

    data, kind = np.frombuffer(text.data, np.uint8)[: len(text.kind)], text.kind
    at = np.flatnonzero(data == ord("-"))
    at = at[at < len(kind) - 1]
    at = at[(kind[at + 1] & DIGIT > 0) & ((at == 0) | (kind[at - 1] & WORD == 0))]
    data[at], kind[at] = _MINUS, WORD


def _inside_sentence(kind: "NDArray[np.uint8]", at: "NDArray[np.int64]") -> "NDArray[np.bool_]":
    """Tell which words are written with a capital although no sentence begins there."""
    import numpy as np

    found = (kind[at] & UPPER > 0) & (at >= 2)
    words = np.flatnonzero(found)
    before = kind[at[words] - 2]
    is_inside = (before & (WORD | ALONE) == WORD) | (before & COMMA > 0)
    found[words] = is_inside & (kind[at[words] - 1] & SPACE > 0)
    return found


def _separate_rejected(
    number: "NDArray[np.uint64]",
    row: "NDArray[np.int64]",
    first: "NDArray[np.int64]",
    which: "NDArray[np.int64]",
    lexicon: Lexicon,
) -> None:
    import numpy as np

    rejected = lexicon.row_of_mark(REJECTED)
    if rejected is not None and (is_mark := row == rejected).any():
        seen = np.cumsum(is_mark)
        # Each text begins with the mark of a role, so none is counted at its first word.
        inside = seen > seen[first[:-1]][which]
        number[inside] = mix(number[inside])


def _without_people(
    words: Words, text: _Text, at: "NDArray[np.int64]", ends: "NDArray[np.int64]"
) -> Words:
    import numpy as np

    greetings = np.flatnonzero(words.traits & (GREETING | FAREWELL))
    greetings = greetings[greetings < len(at) - 1]
    if not len(greetings):
        return words
    is_greeting = words.traits[greetings] & GREETING > 0
    names = greetings + 1
    gap = at[names] - ends[greetings]
    last = len(text.kind) - 1
    after = text.kind[np.minimum(ends[names], last)]
    ends_line = (ends[names] > last) | (after & LINE_END > 0)
    # A mark between messages is a word of its own, with a space before it.
    follows = np.minimum(names + 1, len(at) - 1)
    ends_line |= (words.traits[follows] & MARK > 0) & (at[follows] == ends[names] + 1)
    is_greeted = (gap <= 2) & (ends_line | (after & (COMMA | STOP) > 0))
    is_person = (is_greeting & is_greeted) | (~is_greeting & ends_line)
    is_person &= (words.text[names] == words.text[greetings]) & ~words.is_fact[names]
    keep = np.ones(len(at), np.bool_)
    keep[greetings[is_person]] = False
    for name in names[is_person].tolist():
        own = slice(*words.starts[words.text[name] : words.text[name] + 2].tolist())
        keep[own] &= words.number[own] != words.number[name]
    left = np.flatnonzero(keep)
    return words._replace(
        starts=np.searchsorted(left, words.starts),
        text=words.text.take(left),
        number=words.number.take(left),
        row=words.row.take(left),
        traits=words.traits.take(left),
        is_name=words.is_name.take(left),
    )
