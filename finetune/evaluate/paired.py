"""Is one model better than another on the same questions: one paired test and its bounds.

Rows are the unit: each question was answered by both models, so only the differences matter.
Were the models equally good, each difference could as well have had the other sign. So the signs
of random halves of the rows are turned. A set of signs gives at least the sum that was found just
when the rows that it turned have a mean of at most zero: the means of random halves are the test,
and their quantiles are the bounds that belong to it (J. A. Hartigan, Using subsample values as
typical values, 1969). Ties count half, which is the mid-p form of McNemar's test for
right-or-wrong figures: the exact form gives 1 to 2 % of its 5 % away, mid-p does not (M. W.
Fagerland, S. Lydersen and P. Laake, The McNemar test for binary matched-pairs data, 2013).
Graded figures with rare large losses would pass too easily; the skewness of their differences
tightens the level (N. J. Johnson, Modified t tests and confidence intervals for asymmetrical
populations, 1978).
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from swarm.errors import require

if TYPE_CHECKING:
    import numpy as np

__all__ = ["PairedDifference", "paired_differences"]

_NUMBERS = 2**22
"""Random numbers that are held at once, 32 MiB of them."""

_NORMAL = NormalDist()


class PairedDifference(NamedTuple):
    """The mean difference of one figure, candidate less live."""

    mean: float
    low: float
    """One-sided lower bound: the true difference is above it with the confidence asked for."""
    high: float
    """One-sided upper bound."""
    p_value: float
    """How often chance alone gives a mean difference as large as this one, ties counted half."""
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

    The same number of rows and the same seed draw the same halves, whatever the values: many
    figures, or many simulated pairs of models, are judged in one pass over them.

    Args:
        differences: Rows by figures: what the candidate scored less what the live model scored.
        confidence: Of each bound by itself, and of the test that `p_value` is for.
        resamples: How many halves are drawn.
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
    lower = np.full(figures, 0.5)  # the signs that were found are one of the ways, and a tie
    # Sums in another order differ in their last digits, and a tie counts half.
    tolerance = 1e-9 * np.maximum(1.0, np.abs(values).sum(axis=0))
    step = max(1, _NUMBERS // rows)
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        turned = generator.integers(0, 2, size=(count, rows), dtype=np.int8).astype(np.float64)
        sums = turned @ values
        lower += (sums < tolerance).sum(axis=0) / 2 + (sums < -tolerance).sum(axis=0) / 2
        sizes = np.maximum(turned.sum(axis=1, keepdims=True), 1.0)
        means[start : start + count] = sums / sizes
    means.sort(axis=0)
    center, deviation = values.mean(axis=0), values.std(axis=0)
    thirds = ((values - center) ** 3).mean(axis=0)
    found: list[PairedDifference] = []
    for at in range(figures):
        skewness = thirds[at] / deviation[at] ** 3 if deviation[at] > 0 else 0.0
        shift = _shift(float(skewness), rows, confidence)
        p_value = _mcnemar(values[:, at])
        if p_value is None:
            p_value = _moved(float(lower[at]) / (1 + resamples), -min(shift, 0.0))
        low = _quantile(means[:, at], -min(shift, 0.0), confidence)
        found.append(
            PairedDifference(
                mean=float(center[at]),
                # Draws are not exact: next to zero the test has the word.
                low=max(low, 0.0) if p_value <= 1 - confidence else min(low, 0.0),
                high=_quantile(means[::-1, at], max(shift, 0.0), confidence),
                p_value=p_value,
                deviation=float(deviation[at]),
            )
        )
    return found


def _mcnemar(column: "np.ndarray") -> float | None:
    """Return McNemar's mid-p where all differences have one size, which needs no draws."""
    import numpy as np

    sizes = np.abs(column[column != 0])
    if not sizes.size or float(np.ptp(sizes)) > 1e-9 * float(sizes.max()):
        return None
    losses = np.arange(1, 1 + int((column < 0).sum()))
    # The logarithms of how many ways there are to have no loss, one, and so on.
    ways = np.concatenate(([0.0], np.cumsum(np.log((sizes.size - losses + 1) / losses))))
    chances = np.exp(ways - sizes.size * math.log(2))
    return float(chances.sum() - chances[-1] / 2)


def _shift(skewness: float, rows: int, confidence: float) -> float:
    """Return by how much skewness moves the bound of a mean, in standard errors."""
    bound = _NORMAL.inv_cdf(confidence)
    return skewness * (1 + 2 * bound**2) / (6 * math.sqrt(rows))


def _moved(probability: float, by: float) -> float:
    return _NORMAL.cdf(_NORMAL.inv_cdf(probability) + by)


def _quantile(ordered: "np.ndarray", outwards: float, confidence: float) -> float:
    """Return the bound at one end; skewness only moves it outwards, where it is too sure."""
    return float(ordered[math.floor(_moved(1 - confidence, -outwards) * len(ordered))])
