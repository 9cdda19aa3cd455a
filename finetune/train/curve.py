"""Reads the curve of a training: healthy, or what is wrong with it and what to change.

It takes numbers, so it reads a run of any back end.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, median
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

__all__ = ["CurvePoint", "CurveReading", "Verdict", "read_curve"]

Verdict = Literal[
    "healthy", "overfitting", "underfitting", "oscillating", "forgetting", "diverged", "too short"
]
"""What a curve says about its training."""

_FEWEST = 5
_DIVERGED = 1.3
_OVERFITTED = 1.05
_BARELY_MOVED = 0.85
_STILL_FALLING = 0.85
_RESTLESS = 0.22
_FORGOTTEN = 0.05
_LEARNT = 0.1
"""A loss below which the answers are known, and its wobble means nothing."""

_FIXES: dict[Verdict, str] = {
    "healthy": "nothing to change; judge the model on questions that it has not seen",
    "overfitting": "stop early (validation 0.1, patience 3), train fewer epochs, or add rows",
    "underfitting": "raise learning_rate (twice), train more epochs, or use a higher LoRA rank",
    "oscillating": "lower learning_rate (to 5e-5 for an adapter), or let more rows make a step"
    " (accumulation)",
    "forgetting": "use a lower rank (8 to 16) and fewer steps (30 to 100), and mix general rows"
    " into the data (rehearsal)",
    "diverged": "lower learning_rate to a tenth, and look for broken rows in the data",
    "too short": "train more steps; a few points make no curve",
}


class CurvePoint(NamedTuple):
    """One measured loss."""

    step: int
    loss: float


class CurveReading(BaseModel):
    """What a curve says, in words."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    verdict: Verdict
    reason: str
    """The figures that led to the verdict."""
    fix: str
    """What to change."""
    best_step: int | None = None
    """The step with the lowest validation loss."""


def read_curve(
    training: Sequence[CurvePoint],
    validation: Sequence[CurvePoint] = (),
    *,
    general_before: float | None = None,
    general_after: float | None = None,
) -> CurveReading:
    """Return what the losses of a run say.

    Args:
        training: The training loss by step.
        validation: The loss on rows that were not trained on, by step.
        general_before: Share of right answers to general questions before the training.
        general_after: The same after it.
    """
    losses = [point.loss for point in training]
    best = min(validation, key=lambda p: p.loss, default=None)

    def found(verdict: Verdict, reason: str) -> CurveReading:
        step = best.step if best is not None and math.isfinite(best.loss) else None
        return CurveReading(verdict=verdict, reason=reason, fix=_FIXES[verdict], best_step=step)

    for point in (*training, *validation):
        if not math.isfinite(point.loss):
            return found("diverged", f"the loss is {point.loss} at step {point.step}")
    if len(losses) < _FEWEST:
        return found("too short", f"{len(losses)} points")
    start, end = _level(losses, 0.0, 0.1), _level(losses, 0.9, 1.0)
    if end > start * _DIVERGED:
        return found("diverged", f"the training loss rose from {start:.3g} to {end:.3g}")
    if general_before is not None and general_after is not None:
        lost = general_before - general_after
        if lost > _FORGOTTEN:
            said = f"general answers fell from {general_before:.0%} to {general_after:.0%}"
            return found("forgetting", f"{said}, while the training loss went to {end:.3g}")
    restless = _restlessness(losses)
    if restless > _RESTLESS and end > _LEARNT:
        return found(
            "oscillating",
            f"the training loss jumps by {restless:.0%} of its level from step to step",
        )
    if len(validation) >= _FEWEST and (reason := _overfitted(training, validation)):
        return found("overfitting", reason)
    if end > _LEARNT and end > start * _BARELY_MOVED:
        return found("underfitting", f"the loss barely moved: {start:.3g} to {end:.3g}")
    middle = _level(losses, 0.7, 0.8)
    if end > _LEARNT and end < middle * _STILL_FALLING:
        return found("underfitting", f"the loss still falls at the end: {middle:.3g} to {end:.3g}")
    seen = f", validation {validation[-1].loss:.3g}" if validation else ""
    return found("healthy", f"the loss fell from {start:.3g} to {end:.3g} and is level{seen}")


def _level(values: Sequence[float], start: float, end: float) -> float:
    """Return the median of a part of the curve: a level that single jumps do not move."""
    low = min(int(len(values) * start), len(values) - 1)
    return median(values[low : max(low + 1, math.ceil(len(values) * end))])


def _restlessness(losses: Sequence[float]) -> float:
    """Return the usual jump between neighbours in the second half, as a share of the level."""
    half = losses[len(losses) // 2 :]
    level = fmean(half)
    if len(half) < _FEWEST or level <= 0:
        return 0.0
    # Differences of neighbours are free of the trend; noise of one value counts twice in them.
    jumps = [abs(b - a) for a, b in pairwise(half)]
    return fmean(jumps) / math.sqrt(2) / level


def _overfitted(training: Sequence[CurvePoint], validation: Sequence[CurvePoint]) -> str | None:
    """Return why a run overfits: its validation loss rises while the training loss falls."""
    smooth = [
        CurvePoint(p.step, fmean(q.loss for q in validation[max(0, at - 1) : at + 2]))
        for at, p in enumerate(validation)
    ]
    best = min(smooth, key=lambda p: p.loss)
    end = smooth[-1].loss
    if best.step == validation[-1].step or end < best.loss * _OVERFITTED:
        return None
    before = [p.loss for p in training if p.step <= best.step]
    after = [p.loss for p in training if p.step > best.step]
    if not before or not after or _level(after, 0.5, 1.0) > _level(before, 0.8, 1.0):
        return None
    return f"the validation loss rose from {best.loss:.3g} at step {best.step} to {end:.3g}" + (
        ", while the training loss fell on"
    )
