"""How sure a model was of an answer, from the log-probabilities of its tokens."""

import math
from collections.abc import Sequence

__all__ = ["WINDOW", "mean_probability", "weakest_probability"]

WINDOW = 4
"""Tokens of the least sure stretch; one token alone is often only another way to say the same."""


def mean_probability(logprobs: Sequence[float]) -> float | None:
    """Return the geometric mean of the token probabilities, or None without any."""
    return math.exp(sum(logprobs) / len(logprobs)) if logprobs else None


def weakest_probability(logprobs: Sequence[float]) -> float | None:
    """Return the geometric mean over the least sure `WINDOW` tokens in a row, or None."""
    if not logprobs:
        return None
    width = min(WINDOW, len(logprobs))
    starts = range(len(logprobs) - width + 1)
    return math.exp(min(sum(logprobs[start : start + width]) for start in starts) / width)
