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
_ROW_BITS = 16


class Counts(NamedTuple):
    """What was counted in the answers of some rows; arrays have an entry for each row."""

    rows: PlainRows
    """The rows with their answers as texts."""
    question_tokens: list[int]
    answer_tokens: list[int]
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

    answers = [said.said_by("assistant").encode() for said in rows.said]
    spoken = PlainRows([answer.lower() for answer in answers], rows)
    if len(spoken.text) - len(spoken.text.translate(None, CONTROLS)) != spoken.zeros:
        return None
    joined = _BETWEEN.join(answers)
    words, different = _count_words(spoken)
    return Counts(
        rows=spoken,
        question_tokens=[estimate_text(said.said_by("user")) for said in rows.said],
        answer_tokens=[estimate_text(answer.decode()) for answer in answers],
        size=np.array([len(answer) for answer in answers], np.int64),
        words=words,
        different=different,
        letters=_lengths(joined.translate(None, _NO_LETTERS)),
        capitals=_lengths(joined.translate(None, _NO_UPPER)),
    )


def _lengths(joined: bytes) -> "NDArray[np.int64]":
    import numpy as np

    return np.array([len(part) for part in joined.split(_BETWEEN)], np.int64)


def _count_words(rows: PlainRows) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Return how many words each row has, and how many different ones."""
    import numpy as np

    data = rows.text + bytes(ROOM)
    inside = np.frombuffer(data.translate(_WORDS), np.bool_)
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1  # zeros stand before and after
    at, ends = edges[0::2], edges[1::2]
    words = np.diff(np.searchsorted(at, rows.ends), prepend=0)
    row = np.repeat(np.arange(len(words), dtype=np.uint64), words)
    number = number_words(data, at, ends) >> np.uint64(_ROW_BITS)
    number |= row << np.uint64(64 - _ROW_BITS)
    number.sort()
    is_first = np.append(True, number[1:] != number[:-1])[: len(number)]
    row = (number[is_first] >> np.uint64(64 - _ROW_BITS)).astype(np.int64)
    return words, np.bincount(row, minlength=len(words))
