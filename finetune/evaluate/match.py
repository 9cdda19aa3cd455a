"""Exact match: is an answer the expected one, character by character but for white space.

Pure functions without a model, so that answers of a served GGUF, a hosted model or a person are
scored in the same way as the answers of a training run.
"""

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["MatchScore", "exact_match", "score_matches"]


class MatchScore(NamedTuple):
    """How many answers were the expected ones."""

    rows: int
    exact: int

    @property
    def accuracy(self) -> float:
        """Share of exact answers; 0 without rows."""
        return self.exact / self.rows if self.rows else 0.0


def exact_match(expected: str, answer: str) -> bool:
    """Tell whether two answers are equal once runs of white space are one space."""
    return expected.split() == answer.split()


def score_matches(pairs: Iterable[tuple[str, str]]) -> MatchScore:
    """Return the score of (expected, answer) pairs."""
    matches = [exact_match(expected, answer) for expected, answer in pairs]
    return MatchScore(len(matches), sum(matches))
