"""How sure an answer is: the model's own probabilities, and what its words admit.

What these numbers mean for one model is learned from labelled answers; see `wiki.calibration`.
"""

import math
import re
from typing import NamedTuple

from swarm import CompletionResult

__all__ = ["Signals", "is_hedged", "read_signals"]

_HEDGES = re.compile(
    r"\b(?:i(?:['\u2019]m| am) (?:really |quite )?(?:not sure|not certain|unsure|uncertain)"
    r"|i (?:do not|don['\u2019]t) (?:really )?know"
    r"|i (?:have no|lack) (?:information|knowledge|data)"
    r"|i (?:can(?:not|['\u2019]t)|could(?:n['\u2019]t| not)) (?:find|answer|say for sure)"
    r"|(?:it is|it['\u2019]s) (?:not clear|unclear)"
    r"|i (?:would|may) (?:only )?be guessing"
    r"|as an ai\b)",
    re.IGNORECASE,
)
_LOWEST = -20.0
_HEDGE = math.log(2)
"""A phrase is a weak signal: it halves what the numbers say."""


class Signals(NamedTuple):
    """What an answer shows of how sure it is."""

    confidence: float | None
    """Geometric mean of the token probabilities, where the provider gives them."""
    weakest: float | None
    """The same over the least sure tokens in a row."""
    is_hedged: bool
    """Its words say that it is not sure."""

    @property
    def score(self) -> float | None:
        """One number for all of it, at most 0; None without probabilities."""
        if self.confidence is None:
            return None
        weakest = self.confidence if self.weakest is None else self.weakest
        score = (_log(self.confidence) + _log(weakest)) / 2
        return score - _HEDGE if self.is_hedged else score

    @property
    def estimate(self) -> float | None:
        """The confidence of a model that nobody calibrated.

        0 where its words are all there is and they say that it is not sure.
        """
        if self.confidence is None:
            return 0.0 if self.is_hedged else None
        return self.confidence / 2 if self.is_hedged else self.confidence


def read_signals(result: CompletionResult) -> Signals:
    """Return what an answer shows."""
    return Signals(result.confidence, result.weakest, is_hedged(result.message.content))


def is_hedged(text: str) -> bool:
    """Whether a text says that its writer is not sure, in English."""
    return _HEDGES.search(text) is not None


def _log(probability: float) -> float:
    return max(math.log(probability), _LOWEST) if probability > 0 else _LOWEST
