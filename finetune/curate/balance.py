"""The step `balance`: no label, agent or language has so many rows that the others drown."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from finetune.curate.language import Languages
from finetune.curate.ranking import NAME_BYTES, beyond, name_bytes, name_text
from finetune.curate.score import score_of
from finetune.curate.step import Decision, Note, StepConfig
from finetune.curate.turns import turns_of
from finetune.dataset.sample import Sample

if TYPE_CHECKING:
    import numpy as np

__all__ = ["BalanceConfig", "BalanceKey", "count_labels", "largest_allowed"]

BalanceKey = Literal["label", "agent_name", "model", "source", "language"]
"""What rows are counted by: a field of their provenance, or the language of their question."""


class BalanceConfig(StepConfig):
    """Keeps the best rows of the largest labels, up to a limit.

    Rows without a label are not counted and stay. What is removed says how many there were and how
    many stay.
    """

    step_name: ClassVar[str] = "balance"
    is_corpus_step: ClassVar[bool] = True

    by: BalanceKey = "label"
    max_ratio: Annotated[float, Field(ge=1)] | None = 5.0
    """A label may have so many times the rows of the label in the middle."""
    max_share: Annotated[float, Field(gt=0, le=1)] | None = None
    """A label may have this share of the labelled rows that stay, or an equal share where there
    are too few labels for that."""

    def build(self) -> "_Balance":
        """Return the step.

        Raises:
            MissingExtraError: Languages are counted, and py3langid is missing.
        """
        return _Balance(self)


class _Balance:
    def __init__(self, config: BalanceConfig) -> None:
        self._config = config
        self._label = _labeller(config.by)

    def summarise(self, samples: Sequence[Sample]) -> "np.ndarray":
        import numpy as np

        kind = np.dtype([("label", f"S{NAME_BYTES}"), ("quality", np.float32)])
        found = np.zeros(len(samples), dtype=kind)
        found["label"] = [name_bytes(self._label(sample)) for sample in samples]
        found["quality"] = [score_of(sample).total for sample in samples]
        return found

    def decide(self, summaries: "np.ndarray") -> list[Decision]:
        import numpy as np

        names, groups, counts = np.unique(
            summaries["label"], return_inverse=True, return_counts=True
        )
        known = names != b""
        most = largest_allowed(
            counts[known].tolist(), self._config.max_ratio, self._config.max_share
        )
        if most is None:
            return []
        limits = np.where(known, most, len(summaries))
        told = [f"{self._config.by} {name_text(bytes(name))}" for name in names]
        return [
            Decision(
                row,
                Note(
                    "too_many",
                    f"{told[groups[row]]}: {most:,} of {counts[groups[row]]:,} rows stay",
                ),
            )
            for row in beyond(groups, summaries["quality"], limits).tolist()
        ]


def count_labels(samples: Iterable[Sample], by: BalanceKey = "label") -> dict[str, int]:
    """Return how many rows each label has, the largest first; `""` for rows without one.

    Raises:
        MissingExtraError: Languages are counted, and py3langid is missing.
    """
    label = _labeller(by)
    counts = Counter(label(sample) or "" for sample in samples)
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def largest_allowed(
    counts: Sequence[int], max_ratio: float | None, max_share: float | None
) -> int | None:
    """Return how many rows a label may have, or None where there is no limit.

    Args:
        counts: How many each label has.
        max_ratio: How many times the median.
        max_share: Which share of what stays.
    """
    if len(counts) < 2:
        return None
    limits: list[int] = []
    if max_ratio is not None:
        ordered = sorted(counts)
        middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
        limits.append(math.ceil(max_ratio * middle))
    if max_share is not None:
        limits.append(_by_share(counts, max_share))
    return min(limits) if limits else None


def _by_share(counts: Sequence[int], share: float) -> int:
    """Return the largest limit with which no label has more than its share of what stays."""
    share = max(share, 1 / len(counts))
    low, high = 1, max(counts)
    # A limit that is small enough stays so when it is lowered, as all labels come closer.
    while low < high:
        limit = (low + high + 1) // 2
        if limit <= share * sum(min(count, limit) for count in counts) + 1e-9:
            low = limit
        else:
            high = limit - 1
    return low


def _labeller(by: BalanceKey) -> Callable[[Sample], str | None]:
    if by == "language":
        languages = Languages()
        return lambda sample: languages.of(turns_of(sample.row).question)
    return lambda sample: getattr(sample.provenance, by) or None
