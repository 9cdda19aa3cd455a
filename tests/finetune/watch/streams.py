"""Simulated streams: many at once, as arrays, by the same formulas as the detector."""

import numpy as np
from numpy.typing import NDArray

from finetune.watch.changepoint import BLOCK, FIRST, STRETCHES

__all__ = ["SHAPES", "evidence", "normal_ratings", "ratings"]

SHAPES: dict[str, tuple[float, ...]] = {
    "mostly five": (0.02, 0.03, 0.1, 0.25, 0.6),
    "love or hate": (0.3, 0.05, 0.05, 0.1, 0.5),
    "mostly one": (0.5, 0.25, 0.15, 0.07, 0.03),
    "flat": (0.2, 0.2, 0.2, 0.2, 0.2),
    "rarely one": (0.01, 0.0, 0.0, 0.0, 0.99),
}
"""How likely each rating from 1 to 5 is."""


def ratings(
    random: np.random.Generator, shape: str, streams: int, count: int
) -> NDArray[np.float64]:
    """Return ratings of a shape, a stream in each row."""
    chosen = random.choice(5, p=SHAPES[shape], size=(streams, count))
    return chosen.astype(np.float64) + 1.0


def normal_ratings(
    random: np.random.Generator, mean: float, streams: int, count: int
) -> NDArray[np.float64]:
    """Return whole ratings with a standard deviation of about 1."""
    whole = random.normal(mean, 1.04, (streams, count))
    np.rint(whole, out=whole)
    np.clip(whole, 1, 5, out=whole)
    return whole


def evidence(
    values: NDArray[np.float64], low: float, high: float, baseline: float | None = None
) -> NDArray[np.float64]:
    """Return the evidence of each look, a stream in each row."""
    scaled = (values - low) / (high - low)
    streams, count = scaled.shape
    looks = count // BLOCK
    blocks = scaled.reshape(streams, looks, BLOCK)
    zero = np.zeros((streams, 1))
    sums = np.concatenate([zero, blocks.sum(2).cumsum(1)], axis=1)
    squares = np.concatenate([zero, (blocks**2).sum(2).cumsum(1)], axis=1)
    found = np.zeros((streams, looks))
    for stretch in STRETCHES:
        first = stretch // BLOCK
        if first > looks:
            break
        counts: NDArray[np.float64] = np.array(range(first, looks + 1), np.float64) * BLOCK
        mean = sums[:, first:] / counts
        spread = squares[:, first:] - counts * mean**2
        after = (sums[:, first:] - sums[:, : looks + 1 - first]) / stretch
        if baseline is None:
            usual = mean
            left = np.maximum(1 - stretch / counts, 1e-12)
            variance = np.maximum(spread / counts, 0.25 / counts) * left
        else:
            usual = np.full_like(mean, (baseline - low) / (high - low))
            variance = (spread + 50 * usual * (1 - usual)) / (counts + 50)
        usual = np.maximum(usual, 1e-12)
        ratio = np.maximum(usual - after, 0) * usual / variance
        exponent = stretch * variance / usual**2 * ((1 + ratio) * np.log1p(ratio) - ratio)
        if baseline is None:
            exponent = np.where(counts - stretch >= FIRST, exponent, 0)
        found[:, first - 1 :] = np.maximum(found[:, first - 1 :], exponent)
    return found
