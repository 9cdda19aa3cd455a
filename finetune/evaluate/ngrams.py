"""BLEU and chrF over a whole set of answers, as `sacrebleu` computes them."""

# sacrebleu ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Sequence
from typing import Any, NamedTuple

from swarm.errors import MissingExtraError, require

__all__ = ["NgramScores", "ngram_scores", "try_ngram_scores"]


class NgramScores(NamedTuple):
    """Both on sacrebleu's scale, 0 to 100."""

    bleu: float
    """Words in groups of one to four, with its default tokenizer `13a` and smoothing."""
    chrf: float
    """Letters in groups of one to six (chrF2); kinder to languages with long words."""


def ngram_scores(expected: Sequence[str], answers: Sequence[str]) -> NgramScores:
    """Return the scores of answers, one expected text each.

    Raises:
        MissingExtraError: sacrebleu is not installed.
        ValueError: There are no rows, or not as many answers as rows.
    """
    if not expected or len(expected) != len(answers):
        raise ValueError(f"{len(expected)} expected texts and {len(answers)} answers")
    sacrebleu: Any = require("sacrebleu", extra="evaluate")
    references = [list(expected)]
    return NgramScores(
        bleu=float(sacrebleu.corpus_bleu(list(answers), references).score),
        chrf=float(sacrebleu.corpus_chrf(list(answers), references).score),
    )


def try_ngram_scores(expected: Sequence[str], answers: Sequence[str]) -> NgramScores | None:
    """Return the scores, or None where sacrebleu is not installed or there is nothing to score."""
    try:
        return ngram_scores(expected, answers) if expected else None
    except MissingExtraError:
        return None
