"""What the test of ratings promises: false alarms without a change, and how soon a fall is found.

Many streams at once, as arrays, by the formulas of `finetune.watch.changepoint`; a test compares
both. It prints the figures of docs/watch.md.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from finetune.watch.changepoint import (  # noqa: E402 - found by the line above
    BLOCK,
    FIRST,
    STRETCHES,
    threshold,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SHAPES", "evidence", "main", "normal_ratings", "ratings"]

SHAPES: dict[str, tuple[float, ...]] = {
    "mostly five": (0.02, 0.03, 0.1, 0.25, 0.6),
    "love or hate": (0.3, 0.05, 0.05, 0.1, 0.5),
    "mostly one": (0.5, 0.25, 0.15, 0.07, 0.03),
    "flat": (0.2, 0.2, 0.2, 0.2, 0.2),
    "rarely one": (0.01, 0.0, 0.0, 0.0, 0.99),
}
"""How likely each rating from 1 to 5 is."""


def ratings(
    random: "np.random.Generator", shape: str, streams: int, count: int
) -> "NDArray[np.float64]":
    """Return ratings of a shape, a stream in each row."""
    import numpy as np

    return random.choice(np.arange(1.0, 6.0), p=SHAPES[shape], size=(streams, count))


def normal_ratings(
    random: "np.random.Generator", mean: float, streams: int, count: int
) -> "NDArray[np.float64]":
    """Return whole ratings with a standard deviation of about 1."""
    whole = random.normal(mean, 1.04, (streams, count))
    return whole.round().clip(1, 5)


def evidence(
    values: "NDArray[np.float64]", low: float, high: float, baseline: float | None = None
) -> "NDArray[np.float64]":
    """Return the evidence of each look, a stream in each row."""
    import numpy as np

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
            variance = (spread + np.maximum(50 * usual * (1 - usual), 0.25)) / (counts + 50)
        usual = np.maximum(usual, 1e-12)
        ratio = np.maximum(usual - after, 0) * usual / variance
        exponent = stretch * variance / usual**2 * ((1 + ratio) * np.log1p(ratio) - ratio)
        if baseline is None:
            exponent = np.where(counts - stretch >= FIRST, exponent, 0)
        found[:, first - 1 :] = np.maximum(found[:, first - 1 :], exponent)
    return found


def main() -> None:
    """Print the figures."""
    import numpy as np

    random = np.random.default_rng(11)
    limit, streams = threshold(0.025), 2000
    thumbs = (0.02, 0.05, 0.2, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
    print("alarms within 5,000 values without a change: reference estimated, mean declared")
    names: list[str | float] = [*SHAPES, "normal", *thumbs]
    for name in names:
        low, high = (0.0, 1.0) if not isinstance(name, str) else (1.0, 5.0)
        if not isinstance(name, str):
            values = (random.random((streams, 5000)) < name).astype(np.float64)
        elif name == "normal":
            values = normal_ratings(random, 3.8, streams, 5000)
        else:
            values = ratings(random, name, streams, 5000)
        shares = [
            float((evidence(values, low, high, mean).max(axis=1) >= limit).mean())
            for mean in (None, float(values.mean()))
        ]
        print(f"  {name}: {shares[0]:.2%}, {shares[1]:.2%}")
    print("a fall found within 1,000 ratings, and half of them after so many")
    for before in (500, 700, 1000, 2000):
        for mean in (3.0, 3.7):
            values = np.concatenate(
                [
                    normal_ratings(random, mean, streams, before),
                    normal_ratings(random, mean - 0.3, streams, 1000),
                ],
                axis=1,
            )
            usual = float(values[:, :before].mean())
            fall = usual - float(values[:, before:].mean())
            print(f"  by {fall:.2f} after {before} around {usual:.2f}:", end="")
            for baseline in (None, usual):
                alarms = evidence(values, 1, 5, baseline) >= limit
                early = alarms[:, : before // BLOCK].any(axis=1)
                late = alarms[~early, before // BLOCK :]
                found = late.any(axis=1)
                half = int(np.median(late[found].argmax(axis=1) + 1)) * BLOCK
                print(f" {found.mean():.1%} ({half})", end="")
            print()


if __name__ == "__main__":
    main()
