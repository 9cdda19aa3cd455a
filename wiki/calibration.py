"""Calibration: how often answers of one model version are right, by how sure it was of them.

Kept beside the versions in the model registry, never inside one, and bound to the hash of the
version it was measured on.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from swarm.errors import DataError
from swarm.files import write_atomically
from wiki.confidence import Signals
from wiki.registry import ModelVersion

__all__ = [
    "Calibration",
    "LabelledAnswer",
    "Method",
    "expected_calibration_error",
    "fit_calibration",
    "read_calibration",
    "write_calibration",
]

Method = Literal["isotonic", "platt"]
"""Steps that only rise, or a logistic curve."""

_FEWEST = 10
_ENOUGH_FOR_STEPS = 300
"""Isotonic steps follow any shape, and chance too where there are few answers."""
_FOLDS = 5


class LabelledAnswer(NamedTuple):
    """An answer of which somebody knows whether it is right."""

    signals: Signals
    is_right: bool


class Calibration(BaseModel):
    """Turns how sure a model was into how likely the answer is right."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    format: Literal[1] = 1
    method: Method
    slope: float = 0.0
    """With `intercept`, of the logistic curve."""
    intercept: float = 0.0
    steps: tuple[tuple[float, float], ...] = ()
    """Score and likelihood, both ascending, for isotonic calibration."""
    answers: Annotated[int, Field(ge=1)]
    """How many labelled answers it was made from."""
    right: Annotated[float, Field(ge=0, le=1)]
    """The share of them that was right."""
    ece_before: Annotated[float, Field(ge=0, le=1)]
    """Expected calibration error of the model's own confidence."""
    ece_after: Annotated[float, Field(ge=0, le=1)]
    """Of this calibration, measured on answers that were left out when it was fitted."""
    version_sha256: str = ""
    """The version that it is for."""

    def apply(self, signals: Signals) -> float | None:
        """Return how likely an answer is right, or None where the model gave no probabilities."""
        score = signals.score
        return None if score is None else self.at(score)

    def at(self, score: float) -> float:
        """Return how likely an answer of a score is right."""
        if self.method == "platt":
            return _logistic(self.slope * score + self.intercept)
        scores = [step[0] for step in self.steps]
        place = bisect_left(scores, score)
        if place == 0:
            return self.steps[0][1]
        if place == len(scores):
            return self.steps[-1][1]
        (left, low), (right, high) = self.steps[place - 1], self.steps[place]
        return low + (high - low) * (score - left) / (right - left)


def expected_calibration_error(
    confidences: Sequence[float], is_right: Sequence[bool], *, bins: int = 10
) -> float:
    """Return how far confidence and correctness lie apart, over bins of equal width.

    Args:
        confidences: From 0 to 1, one for each answer.
        is_right: Whether the answer was right.
        bins: How many.

    Raises:
        DataError: There are no answers, or not one label for each.
    """
    if not confidences or len(confidences) != len(is_right):
        raise DataError("the calibration error needs answers, each with a confidence and a label")
    found: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in zip(confidences, is_right, strict=True):
        found.setdefault(min(int(confidence * bins), bins - 1), []).append((confidence, right))
    apart = (abs(sum(c for c, _ in group) - sum(r for _, r in group)) for group in found.values())
    return sum(apart) / len(confidences)


def fit_calibration(
    answers: Sequence[LabelledAnswer], *, method: Method | None = None
) -> Calibration:
    """Return the calibration that fits labelled answers.

    Args:
        answers: Right and wrong ones, each with the model's probabilities.
        method: `platt` fits a logistic curve, `isotonic` steps; by default the curve below 300
            answers.

    Raises:
        DataError: Fewer than ten answers have probabilities, or all are right, or all are wrong.
    """
    known = [
        (a.signals, score, a.is_right) for a in answers if (score := a.signals.score) is not None
    ]
    labels = [right for _, _, right in known]
    if len(known) < _FEWEST or len(set(labels)) < 2:
        raise DataError(
            f"calibration needs {_FEWEST} answers with token probabilities, right and wrong ones;"
            f" {sum(labels)} right and {len(labels) - sum(labels)} wrong were given; questions that"
            " the model cannot know make wrong ones"
        )
    chosen: Method = method or ("platt" if len(known) < _ENOUGH_FOR_STEPS else "isotonic")
    pairs = [(score, right) for _, score, right in known]
    before = [signals.estimate or 0.0 for signals, _, _ in known]
    draft = Calibration(
        method=chosen,
        answers=len(known),
        right=sum(labels) / len(labels),
        ece_before=expected_calibration_error(before, labels),
        ece_after=0.0,
    )
    left_out = _left_out(draft, pairs)
    after = expected_calibration_error(left_out, labels)
    return _fitted(draft, pairs).model_copy(update={"ece_after": min(1.0, after)})


def write_calibration(version: ModelVersion, calibration: Calibration) -> Path:
    """Keep the calibration of a version and return its file; an earlier one is replaced."""
    bound = calibration.model_copy(update={"version_sha256": version.manifest.sha256})
    path = _path(version)
    write_atomically(path, bound.model_dump_json(indent=1) + "\n")
    return path


def read_calibration(version: ModelVersion) -> Calibration | None:
    """Return the calibration of a version, or None where there is none for exactly this version.

    Raises:
        DataError: The file is damaged.
    """
    path = _path(version)
    try:
        found = Calibration.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as wrong:
        raise DataError(f"{path} is no calibration: {wrong.errors()[0]['msg']}") from None
    return found if found.version_sha256 == version.manifest.sha256 else None


def _path(version: ModelVersion) -> Path:
    return version.path.parent / f"calibration-{version.version}.json"


def _left_out(draft: Calibration, pairs: list[tuple[float, bool]]) -> list[float]:
    """Return for each answer what a calibration says that did not see it."""
    found = [0.0] * len(pairs)
    # Sorted by score and dealt in turn, so that each fold has answers of every kind.
    order = sorted(range(len(pairs)), key=lambda index: pairs[index])
    for fold in range(_FOLDS):
        own = set(order[fold::_FOLDS])
        fitted = _fitted(draft, [pairs[i] for i in range(len(pairs)) if i not in own])
        for index in own:
            found[index] = fitted.at(pairs[index][0])
    return found


def _fitted(draft: Calibration, pairs: list[tuple[float, bool]]) -> Calibration:
    if draft.method == "isotonic":
        return draft.model_copy(update={"steps": _isotonic(pairs)})
    slope, intercept = _platt(pairs)
    return draft.model_copy(update={"slope": slope, "intercept": intercept})


def _platt(pairs: list[tuple[float, bool]]) -> tuple[float, float]:
    """Fit a logistic curve by Newton's method, to targets that are never quite 0 or 1."""
    positive = sum(right for _, right in pairs)
    negative = len(pairs) - positive
    high, low = (positive + 1) / (positive + 2), 1 / (negative + 2)
    base = math.log((positive + 1) / (negative + 1))
    slope, intercept = 0.0, base
    for _ in range(100):
        g0 = g1 = 0.0
        # The small ridge keeps the step finite where all scores are alike or part perfectly.
        h00 = h11 = 1e-3
        h01 = 0.0
        for score, right in pairs:
            value = _logistic(slope * score + intercept)
            error, weight = value - (high if right else low), value * (1 - value)
            g0 += error * score
            g1 += error
            h00 += weight * score * score
            h01 += weight * score
            h11 += weight
        determinant = h00 * h11 - h01 * h01
        step0 = (h11 * g0 - h01 * g1) / determinant
        step1 = (h00 * g1 - h01 * g0) / determinant
        scale = min(1.0, 5.0 / max(abs(step0), abs(step1), 1e-12))
        slope, intercept = slope - scale * step0, intercept - scale * step1
        if max(abs(step0), abs(step1)) < 1e-8:
            break
    # A model that is surer where it is wrong says nothing; its rate of right answers still does.
    return (slope, intercept) if slope > 0 else (0.0, base)


def _isotonic(pairs: list[tuple[float, bool]]) -> tuple[tuple[float, float], ...]:
    """Pool neighbours that stand in the wrong order until the likelihood only rises."""
    blocks: list[tuple[float, float, int]] = []
    for score, right in sorted(pairs):
        blocks.append((score, float(right), 1))
        while len(blocks) > 1 and (
            blocks[-2][1] >= blocks[-1][1] or blocks[-2][0] == blocks[-1][0]
        ):
            (s1, v1, n1), (s2, v2, n2) = blocks.pop(-2), blocks.pop()
            count = n1 + n2
            blocks.append(((s1 * n1 + s2 * n2) / count, (v1 * n1 + v2 * n2) / count, count))
    return tuple((score, value) for score, value, _ in blocks)


def _logistic(value: float) -> float:
    if value >= 0:
        return 1 / (1 + math.exp(-value))
    return math.exp(value) / (1 + math.exp(value))
