"""ROUGE-L: how much of an answer stands in the expected one, in the same order.

Texts are split and stemmed as Google's `rouge-score` does it, so its figures are reproduced;
letters outside a-z and digits outside 0-9 count as spaces there, and so here.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from finetune.evaluate.stem import stem

__all__ = ["RougeScore", "rouge_l", "rouge_tokens"]

_OTHER = re.compile("[^a-z0-9]+")


class RougeScore(NamedTuple):
    """What the two texts share, from 0 to 1."""

    precision: float
    """Share of the answer's words that are in the longest common subsequence."""
    recall: float
    """Share of the expected words that are in it."""
    f_measure: float
    """Harmonic mean of both."""


def rouge_tokens(text: str) -> list[str]:
    """Return the words of a text in lower case; those of more than three letters as stems."""
    return [stem(word) if len(word) > 3 else word for word in _OTHER.split(text.lower()) if word]


def rouge_l(expected: str, answer: str) -> RougeScore:
    """Return the ROUGE-L score of an answer; all zeros when either text has no words."""
    wanted, given = rouge_tokens(expected), rouge_tokens(answer)
    common = _longest_common(wanted, given)
    if not common:
        return RougeScore(0.0, 0.0, 0.0)
    precision, recall = common / len(given), common / len(wanted)
    return RougeScore(precision, recall, 2 * precision * recall / (precision + recall))


def _longest_common(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest common subsequence, in memory of one row."""
    row = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for at, other in enumerate(second, start=1):
            above = row[at]
            row[at] = diagonal + 1 if word == other else max(above, row[at - 1])
            diagonal = above
    return row[-1]
