"""The answers of many plain rows, counted together as `score.measure` counts those of one."""

from typing import TYPE_CHECKING, NamedTuple

from finetune.curate.duplicates.numbers import ROOM, number_words
from finetune.curate.score import CONTROLS
from finetune.curate.screen import PlainRows
from finetune.dataset.tokens import estimate_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Counts", "count_answers"]

_BETWEEN = b"\0"
_UPPER = bytes(range(ord("A"), ord("Z") + 1))
_NO_UPPER = bytes(code for code in range(1, 256) if code not in _UPPER)
_NO_LETTERS = bytes(code for code in range(1, 256) if not chr(code).isalpha() or code > 127)
_WORDS = bytes(code > 0 and not chr(code).isspace() for code in range(256))
_SEATS = 8
"""For each word, so that few of different words meet in one seat."""


class Counts(NamedTuple):
    """What was counted in the answers of some rows; arrays have an entry for each row."""

    rows: PlainRows
    """The rows with their answers as texts."""
    question_tokens: "NDArray[np.int64]"
    answer_tokens: "NDArray[np.int64]"
    size: "NDArray[np.int64]"
    """Characters of all answers."""
    words: "NDArray[np.int64]"
    """Words of the answers, by the spaces between them."""
    different: "NDArray[np.int64]"
    """How many of them are different ones, or fewer."""
    letters: "NDArray[np.int64]"
    capitals: "NDArray[np.int64]"


def count_answers(rows: PlainRows) -> Counts | None:
    """Return the counts, or None where an answer has a control character."""
    import numpy as np

    questions = [said.said_by("user") for said in rows.said]
    answers = [said.said_by("assistant") for said in rows.said]
    joined = _BETWEEN.decode().join(answers).encode()
    if len(joined) - len(joined.translate(None, CONTROLS)) != max(0, len(answers) - 1):
        return None
    spoken = PlainRows(joined.lower().split(_BETWEEN) if answers else [], rows)
    words, different = _count_words(spoken)
    return Counts(
        rows=spoken,
        question_tokens=np.array(list(map(estimate_text, questions)), np.int64),
        answer_tokens=np.array(list(map(estimate_text, answers)), np.int64),
        size=np.array(list(map(len, answers)), np.int64),
        words=words,
        different=different,
        letters=_lengths(joined.translate(None, _NO_LETTERS)),
        capitals=_lengths(joined.translate(None, _NO_UPPER)),
    )


def _lengths(joined: bytes) -> "NDArray[np.int64]":
    import numpy as np

    return np.array([len(part) for part in joined.split(_BETWEEN)], np.int64)


def _count_words(rows: PlainRows) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Return how many words each row has, and how many different ones, or a few less.

    Each word takes one of its row's seats by its number; a seat that is taken counts once.
    """
    import numpy as np

    data = rows.text + bytes(ROOM)
    inside = np.frombuffer(data.translate(_WORDS), np.bool_)
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1  # zeros stand before and after
    at, ends = edges[0::2], edges[1::2]
    words = np.diff(np.searchsorted(at, rows.ends), prepend=0)
    seats = np.concatenate(([0], np.cumsum(words * _SEATS)))
    number = number_words(data, at, ends) >> np.uint64(32)
    number *= np.repeat((words * _SEATS).astype(np.uint64), words)
    seat = (number >> np.uint64(32)).astype(np.int64) + np.repeat(seats[:-1], words)
    is_taken = np.zeros(seats[-1], np.bool_)
    is_taken[seat] = True
    return words, np.diff(np.searchsorted(np.flatnonzero(is_taken), seats))
