"""The gate: may a candidate take the place of the live model?

It may when it is better on the primary figure beyond chance, on no other figure worse by more
than a margin, and fails no probe. Nothing is promoted here.
"""

import math
from collections.abc import Mapping, Sequence

from finetune.evaluate.decision import (
    Decision,
    GateDecision,
    GateMetric,
    GatePolicy,
    MetricVerdict,
)
from finetune.evaluate.metrics import row_scores
from finetune.evaluate.paired import PairedDifference, paired_differences
from finetune.evaluate.power import rows_wanted
from finetune.evaluate.probes import ProbeFinding
from finetune.evaluate.row import RowResult, pair_results
from swarm.errors import DataError

__all__ = ["decide"]


def decide(
    candidate: Sequence[RowResult],
    live: Sequence[RowResult],
    policy: GatePolicy | None = None,
    *,
    judged: tuple[Sequence[float], Sequence[float]] | None = None,
    probes: Sequence[ProbeFinding] = (),
) -> GateDecision:
    """Return whether a candidate may take the place of the live model.

    Args:
        candidate: The candidate's answers.
        live: The live model's answers to the same questions, in the same order.
        policy: What has to be shown; the defaults when absent.
        judged: A judge's scores from 1 to 5 of both, row by row; for the figure `judge`.
        probes: What probes of the candidate found; a single finding refuses it.

    Raises:
        DataError: The two do not answer the same questions, or a figure that the policy needs is
            not there.
        MissingExtraError: numpy is not installed.
    """
    policy = policy or GatePolicy()
    pair_results(candidate, live)
    rows = len(candidate)
    columns = _columns(candidate, live, policy, judged)
    verdicts = _verdicts(columns, policy) if rows else ()
    why_not = [f"probe {one.kind}: {one.reason}" for one in probes]
    decision: Decision = "promote"
    if why_not:
        decision = "refuse"
    elif rows < policy.minimum_rows:
        decision = "not_enough_data"
        why_not = [f"{rows} questions are too few; the policy wants {policy.minimum_rows}"]
    else:
        why_not = list(_failures(verdicts, policy))
        decision = "refuse" if why_not else "promote"
    return GateDecision(
        decision=decision,
        reasons=tuple(why_not) or tuple(_successes(verdicts, policy)),
        rows=rows,
        metrics=tuple(verdict for verdict, _ in verdicts),
        probes=tuple(probes),
        policy=policy,
    )


_Columns = Mapping[GateMetric, tuple[Sequence[float], Sequence[float]]]
_Verdicts = Sequence[tuple[MetricVerdict, PairedDifference]]


def _columns(
    candidate: Sequence[RowResult],
    live: Sequence[RowResult],
    policy: GatePolicy,
    judged: tuple[Sequence[float], Sequence[float]] | None,
) -> _Columns:
    """Return the figures of each row, the primary one first."""
    found: dict[GateMetric, tuple[Sequence[float], Sequence[float]]] = {}
    for wanted in (policy.primary, *policy.others):
        scores = _scores(wanted, candidate, live, judged)
        if scores is not None:
            found[wanted] = scores
        elif wanted == policy.primary:
            raise DataError(f"the primary figure {wanted.metric!r} is not known for every row")
    return found


def _scores(
    wanted: GateMetric,
    candidate: Sequence[RowResult],
    live: Sequence[RowResult],
    judged: tuple[Sequence[float], Sequence[float]] | None,
) -> tuple[Sequence[float], Sequence[float]] | None:
    if wanted.metric != "judge":
        first, second = row_scores(candidate, wanted.metric), row_scores(live, wanted.metric)
        return None if first is None or second is None else (first, second)
    if judged is None:
        return None
    if {len(judged[0]), len(judged[1])} != {len(candidate)}:
        raise DataError("the judge's scores are not as many as the rows")
    return [(score - 1) / 4 for score in judged[0]], [(score - 1) / 4 for score in judged[1]]


def _verdicts(columns: _Columns, policy: GatePolicy) -> _Verdicts:
    differences = [
        [new - old for new, old in zip(*columns[wanted], strict=True)] for wanted in columns
    ]
    compared = paired_differences(
        list(zip(*differences, strict=True)),
        confidence=policy.confidence,
        resamples=policy.resamples,
        seed=policy.seed,
    )
    return [
        (_verdict(wanted, *columns[wanted], found, policy), found)
        for wanted, found in zip(columns, compared, strict=True)
    ]


def _verdict(
    wanted: GateMetric,
    candidate: Sequence[float],
    live: Sequence[float],
    found: PairedDifference,
    policy: GatePolicy,
) -> MetricVerdict:
    return MetricVerdict(
        metric=wanted.metric,
        live=math.fsum(live) / len(live),
        candidate=math.fsum(candidate) / len(candidate),
        difference=found.mean,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        margin=wanted.margin,
        is_better=found.p_value <= 1 - policy.confidence,
        is_not_worse=found.low >= -wanted.margin,
    )


def _failures(verdicts: _Verdicts, policy: GatePolicy) -> list[str]:
    reasons: list[str] = []
    for at, (one, found) in enumerate(verdicts):
        if not one.is_not_worse:
            reasons.append(
                f"{one.metric} may be worse by more than {one.margin:g}:"
                f" {one.difference:+.4f}, in truth above {one.low:+.4f}"
            )
        elif at == 0 and policy.must_improve and not one.is_better:
            reasons.append(
                f"{one.metric} is not better beyond chance: {one.difference:+.4f},"
                f" p {one.p_value:.3f}{_rows_wanted(found, policy)}"
            )
    return reasons


def _successes(verdicts: _Verdicts, policy: GatePolicy) -> list[str]:
    first, rest = verdicts[0][0], [one for one, _ in verdicts[1:]]
    better = "better" if policy.must_improve else f"not worse by {first.margin:g}"
    reasons = [f"{first.metric} is {better}: {first.difference:+.4f}, p {first.p_value:.3f}"]
    return reasons + [f"{one.metric} is not worse by {one.margin:g}" for one in rest]


def _rows_wanted(found: PairedDifference, policy: GatePolicy) -> str:
    """Return how many questions would show a difference of this size, if it is true."""
    if found.mean <= 0:
        return ""
    rows = rows_wanted(found.mean, found.deviation, confidence=policy.confidence)
    return f"; if it is real, about {rows:,} questions would show it"
