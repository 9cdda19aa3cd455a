"""Is one model better than another on the same questions: paired resampling, repeatable.

Rows are the unit: each question was answered by both models, so only the differences matter. The
bootstrap says how large the difference may be in truth, the randomisation test whether chance
alone explains it. For right-or-wrong figures the latter is McNemar's exact test.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from swarm.errors import require

if TYPE_CHECKING:
    import numpy as np

__all__ = ["PairedDifference", "paired_differences"]

_NUMBERS = 2**22
"""Random numbers that are held at once, 32 MiB of them."""


class PairedDifference(NamedTuple):
    """The mean difference of one figure, candidate less live."""

    mean: float
    low: float
    """One-sided lower bound: the true difference is above it with the confidence asked for."""
    high: float
    """One-sided upper bound."""
    p_value: float
    """How often chance alone gives a mean difference as large as this one or larger."""
    deviation: float
    """Standard deviation of the rows' differences."""


def paired_differences(
    differences: "Sequence[Sequence[float]] | np.ndarray",
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> list[PairedDifference]:
    """Return what the rows' differences say about the mean difference of each figure.

    The same number of rows and the same seed draw the same resamples, whatever the values: many
    figures, or many simulated pairs of models, are judged in one pass over them.

    Args:
        differences: Rows by figures: what the candidate scored less what the live model scored.
        confidence: Of each bound by itself.
        resamples: How many sets of rows are drawn, and how many sets of signs.
        seed: Of the draws.

    Raises:
        MissingExtraError: numpy is not installed.
        ValueError: There are no rows.
    """
    require("numpy", extra="evaluate")
    import numpy as np

    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 2 or not values.size:
        raise ValueError("expected rows by figures, at least one of each")
    rows, figures = values.shape
    generator = np.random.default_rng(seed)
    means = np.empty((resamples, figures))
    larger = np.zeros(figures)
    total = values.sum(axis=0)
    # Sums in another order differ in their last digits, and a tie counts as as large.
    tolerance = 1e-9 * np.maximum(1.0, np.abs(values).sum(axis=0))
    step = max(1, _NUMBERS // rows)
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        weights = generator.multinomial(rows, np.full(rows, 1 / rows), size=count)
        means[start : start + count] = weights @ values / rows
        signs = generator.integers(0, 2, size=(count, rows), dtype=np.int8) * 2.0 - 1.0
        larger += (signs @ values >= total - tolerance).sum(axis=0)
    low, high = np.quantile(means, (1 - confidence, confidence), axis=0)
    return [
        PairedDifference(
            mean=float(total[at] / rows),
            low=float(low[at]),
            high=float(high[at]),
            # The signs that were found belong to the ways they could have fallen.
            p_value=float((1 + larger[at]) / (1 + resamples)),
            deviation=float(values[:, at].std()),
        )
        for at in range(figures)
    ]
