"""All figures of an evaluation, computed from its rows."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from finetune.evaluate.labels import LabelScores, find_labels, score_labels
from finetune.evaluate.match import normalised_match, token_f1
from finetune.evaluate.ngrams import try_ngram_scores
from finetune.evaluate.rouge import rouge_l
from finetune.evaluate.row import RowResult

__all__ = [
    "GOOD_PERPLEXITY",
    "ROW_METRICS",
    "PerplexityVerdict",
    "RowMetric",
    "TaskMetrics",
    "measure",
    "perplexity_verdict",
    "row_scores",
]

GOOD_PERPLEXITY = 20.0
"""Below it, a model of the domain expects its answers well."""

PerplexityVerdict = Literal["good", "high"]
"""`good` is below 20."""

RowMetric = Literal["exact", "normalised", "token_f1", "rouge_l", "log_likelihood"]
"""A figure that every row has for itself; more is better in each."""


class TaskMetrics(BaseModel):
    """The figures over all rows; shares are from 0 to 1."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    rows: int
    exact: float
    """Share of answers that are the expected ones but for white space."""
    normalised: float
    """Share of answers that are the expected ones without case, punctuation and articles."""
    token_f1: float
    """Mean F1 of words."""
    rouge_l: float
    """Mean F-measure of ROUGE-L on stems."""
    bleu: float | None = None
    """BLEU over all rows, 0 to 100; None without the extra `evaluate`."""
    chrf: float | None = None
    """chrF2 over all rows, 0 to 100; None without the extra `evaluate`."""
    loss: float | None = None
    """Validation loss: the mean over all tokens of the expected answers, in nats."""
    perplexity: float | None = None
    """exp(loss): among how many tokens, all equally likely, the model hesitates."""
    perplexity_verdict: PerplexityVerdict | None = None
    labels: LabelScores | None = None
    """Where the expected answers are a few labels."""


def measure(results: Sequence[RowResult]) -> TaskMetrics:
    """Return the figures over rows; without rows all shares are 0."""
    expected = [result.expected for result in results]
    answers = [result.answer for result in results]
    ngrams = try_ngram_scores(expected, answers)
    loss = _mean_loss(results)
    perplexity = None if loss is None else _exp(loss)
    return TaskMetrics(
        rows=len(results),
        exact=_mean(results, "exact"),
        normalised=_mean(results, "normalised"),
        token_f1=_mean(results, "token_f1"),
        rouge_l=_mean(results, "rouge_l"),
        bleu=None if ngrams is None else ngrams.bleu,
        chrf=None if ngrams is None else ngrams.chrf,
        loss=loss,
        perplexity=perplexity,
        perplexity_verdict=None if perplexity is None else perplexity_verdict(perplexity),
        labels=score_labels(expected, answers) if find_labels(expected) else None,
    )


def row_scores(results: Sequence[RowResult], metric: RowMetric) -> list[float] | None:
    """Return a figure of each row, or None where the rows do not have it."""
    values = [ROW_METRICS[metric](result) for result in results]
    found = [value for value in values if value is not None]
    return found if len(found) == len(values) else None


def perplexity_verdict(perplexity: float) -> PerplexityVerdict:
    """Return what a perplexity on held-out rows says."""
    return "good" if perplexity < GOOD_PERPLEXITY else "high"


def _log_likelihood(result: RowResult) -> float | None:
    """Return the mean log-probability of a token of the expected answer."""
    return None if result.loss is None or not result.tokens else -result.loss / result.tokens


ROW_METRICS: Mapping[RowMetric, Callable[[RowResult], float | None]] = {
    "exact": lambda row: float(row.exact),
    "normalised": lambda row: float(normalised_match(row.expected, row.answer)),
    "token_f1": lambda row: token_f1(row.expected, row.answer),
    "rouge_l": lambda row: rouge_l(row.expected, row.answer).f_measure,
    "log_likelihood": _log_likelihood,
}
"""How each figure of a row is computed."""


def _mean(results: Sequence[RowResult], metric: RowMetric) -> float:
    values = row_scores(results, metric) or [0.0]
    return math.fsum(values) / len(values)


def _mean_loss(results: Sequence[RowResult]) -> float | None:
    """Return the loss per token: a long answer weighs more than a short one."""
    if not results or any(result.loss is None or result.tokens is None for result in results):
        return None
    tokens = sum(result.tokens or 0 for result in results)
    return math.fsum(result.loss or 0.0 for result in results) / tokens if tokens else None


def _exp(loss: float) -> float:
    try:
        return math.exp(loss)
    except OverflowError:
        return math.inf
