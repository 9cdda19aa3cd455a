"""What is known of a candidate beside the model it would replace."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from finetune.evaluate.agreement import Agreement
from finetune.evaluate.benchmarks import BenchmarkScore
from finetune.evaluate.decision import GateDecision
from finetune.evaluate.general import AreaScore
from finetune.evaluate.judging import JudgeReport, PreferenceReport
from finetune.evaluate.metrics import TaskMetrics
from finetune.evaluate.people import PeopleReport
from finetune.evaluate.report import EvaluationReport
from finetune.evaluate.row import RowResult

__all__ = [
    "BenchmarkDelta",
    "Comparison",
    "MetricDelta",
    "ModelSide",
    "Sample",
    "benchmark_deltas",
    "choose_samples",
    "metric_deltas",
]

_FIGURES: Mapping[str, bool] = {
    "exact": True,
    "normalised": True,
    "token_f1": True,
    "rouge_l": True,
    "bleu": True,
    "chrf": True,
    "loss": False,
    "perplexity": False,
}
"""The figures over all rows, and whether more is better."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ModelSide(_Record):
    """One of the two models."""

    model: str
    report: EvaluationReport
    judge: JudgeReport | None = None


class MetricDelta(_Record):
    """One figure of both models."""

    metric: str
    baseline: float
    candidate: float
    delta: float
    """Candidate less baseline."""
    is_better: bool
    """Whether the candidate's is the better one; chance is the gate's business."""


class BenchmarkDelta(_Record):
    """One figure of a benchmark, of both models."""

    task: str
    metric: str
    baseline: float
    candidate: float
    delta: float


class Sample(_Record):
    """One question with both answers."""

    row: int
    question: str
    expected: str
    baseline: str
    candidate: str
    change: Literal["gained", "lost", "both right", "both wrong"]


class Comparison(_Record):
    """Everything that an evaluation report says."""

    candidate: ModelSide
    baseline: ModelSide
    metrics: tuple[MetricDelta, ...]
    perplexity_improvement: float | None
    """Share by which the perplexity fell; None where it is not known of both models."""
    samples: tuple[Sample, ...]
    areas: tuple[AreaScore, ...] = ()
    """General questions; empty where they were not asked."""
    preference: PreferenceReport | None = None
    """Both answers to each question, side by side, as the judge sees them."""
    agreement: Agreement | None = None
    """How far the judge agrees with people, where that was measured."""
    people: PeopleReport | None = None
    benchmarks: tuple[BenchmarkDelta, ...] = ()
    gate: GateDecision
    has_same_prompts: bool
    """Whether both models were sent the same text, chat templates included where they are known."""
    recommendations: tuple[str, ...]


def metric_deltas(baseline: TaskMetrics, candidate: TaskMetrics) -> tuple[MetricDelta, ...]:
    """Return the figures that are known of both models."""
    pairs: list[tuple[str, float, float, bool]] = []
    for name, more_is_better in _FIGURES.items():
        old, new = getattr(baseline, name), getattr(candidate, name)
        if old is not None and new is not None:
            pairs.append((name, old, new, more_is_better))
    if baseline.labels and candidate.labels:
        for name in ("accuracy", "macro_f1", "micro_f1"):
            old, new = getattr(baseline.labels, name), getattr(candidate.labels, name)
            pairs.append((f"labels: {name}", old, new, True))
    return tuple(
        MetricDelta(
            metric=name,
            baseline=old,
            candidate=new,
            delta=new - old,
            is_better=new > old if more_is_better else new < old,
        )
        for name, old, new, more_is_better in pairs
    )


def benchmark_deltas(
    baseline: Sequence[BenchmarkScore], candidate: Sequence[BenchmarkScore]
) -> tuple[BenchmarkDelta, ...]:
    """Return the figures of benchmarks that are known of both models."""
    known = {(one.task, one.metric): one.value for one in baseline}
    return tuple(
        BenchmarkDelta(
            task=one.task,
            metric=one.metric,
            baseline=known[one.task, one.metric],
            candidate=one.value,
            delta=one.value - known[one.task, one.metric],
        )
        for one in candidate
        if (one.task, one.metric) in known
    )


def choose_samples(
    pairs: Sequence[tuple[RowResult, RowResult]], *, most: int = 12
) -> tuple[Sample, ...]:
    """Return rows to show: those that were lost first, then gained, then the others.

    Args:
        pairs: The candidate's and the baseline's rows.
        most: How many.
    """
    order = ("lost", "gained", "both wrong", "both right")
    samples = [
        Sample(
            row=new.row,
            question=new.question,
            expected=new.expected,
            baseline=old.answer,
            candidate=new.answer,
            change=_change(new.exact, old.exact),
        )
        for new, old in pairs
    ]
    by_change = {name: [one for one in samples if one.change == name] for name in order}
    # A quarter each, so that a long list of one kind does not hide the others.
    share = max(1, most // len(order))
    chosen = [one for name in order for one in by_change[name][:share]]
    rest = [one for name in order for one in by_change[name][share:]]
    return tuple(sorted([*chosen, *rest][:most], key=lambda one: order.index(one.change)))


def _change(new: bool, old: bool) -> Literal["gained", "lost", "both right", "both wrong"]:
    if new:
        return "both right" if old else "gained"
    return "lost" if old else "both wrong"
