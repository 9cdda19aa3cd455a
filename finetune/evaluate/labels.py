"""Accuracy and F1 of a model that answers with one of a few labels."""

from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from finetune.evaluate.match import normalise_answer

__all__ = ["LabelScore", "LabelScores", "find_labels", "score_labels"]


class LabelScore(BaseModel):
    """One label."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    label: str
    rows: int
    """Rows that should get the label."""
    precision: float
    """Share of the answers with this label that are right; 0 when it was never given."""
    recall: float
    """Share of its rows that got it."""
    f1: float


class LabelScores(BaseModel):
    """How well labels were given, over all rows and label by label."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    accuracy: float
    macro_f1: float
    """The mean of the labels' F1: a rare label counts as much as a frequent one."""
    micro_f1: float
    """F1 over all rows at once; equals accuracy where every answer is one of the labels."""
    labels: tuple[LabelScore, ...]
    """By name."""


def score_labels(expected: Sequence[str], answers: Sequence[str]) -> LabelScores:
    """Return the scores of labels; they are compared without case and punctuation.

    An answer that is none of the expected labels is wrong and adds no label of its own.

    Raises:
        ValueError: There are no rows, or not as many answers as rows.
    """
    wanted = [normalise_answer(text) for text in expected]
    given = [normalise_answer(text) for text in answers]
    if not wanted or len(wanted) != len(given):
        raise ValueError(f"{len(wanted)} expected labels and {len(given)} answers")
    rows = Counter(wanted)
    right = Counter(one for one, other in zip(wanted, given, strict=True) if one == other)
    named = Counter(label for label in given if label in rows)
    labels = tuple(
        LabelScore(
            label=label,
            rows=rows[label],
            precision=right[label] / named[label] if named[label] else 0.0,
            recall=right[label] / rows[label],
            f1=2 * right[label] / (rows[label] + named[label]),
        )
        for label in sorted(rows)
    )
    return LabelScores(
        accuracy=right.total() / len(wanted),
        macro_f1=sum(one.f1 for one in labels) / len(labels),
        micro_f1=2 * right.total() / (len(wanted) + named.total()),
        labels=labels,
    )


def find_labels(expected: Sequence[str]) -> bool:
    """Tell whether the expected answers look like labels: short, few, and each used again."""
    counts = Counter(normalise_answer(text) for text in expected)
    return (
        2 <= len(counts) <= 50
        and min(counts.values()) >= 2
        and all(0 < len(label.split()) <= 3 for label in counts)
    )
