"""Finds that the mean of a stream of bounded values fell, without being told what it was before.

After every ten values, the mean of each newest stretch (20 to 1,920 values) is compared with that
of everything before it: the change-point model of Hawkins, Qiu and Kang, "The changepoint model
for statistical process control", Journal of Quality Technology 35 (2003), 355-366. So the
reference is never a fixed estimate from the first values: it grows, and its error is part of the
comparison. A stretch counts by Bennett's inequality ("Probability inequalities for the sum of
independent random variables", JASA 57 (1962), 33-45), which also fits rare and skewed values,
with the variance of a sample drawn without replacement. The threshold is measured, not proved:
see `threshold`.
"""

import math
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "BLOCK",
    "FIRST",
    "HORIZON",
    "STRETCHES",
    "ChangeDetector",
    "Shift",
    "evidence_of_fall",
    "threshold",
]

BLOCK = 10
"""Values between two looks."""
STRETCHES = (20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640, 960, 1280, 1920)
"""How many of the newest values are compared with those before; each about 1.4 times the last."""
FIRST = 50
"""The fewest values that a stretch is compared with."""
HORIZON = 5000
"""The number of values that the rate of false alarms is for."""

_USUAL, _USUAL_RATE = 8.4, 0.025
"""Of 2,000 simulated streams of each of 16 shapes, at most 1.4 % rose above 8.4 within 5,000
values; `benchmarks/watch.py` simulates them again."""
_PRIOR = 0.25
"""One imagined value at the largest variance there can be: without it, a stream that was all the
same so far has none, and the first other value would be infinitely surprising."""
_DECLARED = 50
"""Imagined values beside a declared mean, with the largest variance that this mean allows: the
first values of a stream say little about how far values scatter. Where a mean lies in the lowest
twentieth of the range, these are too few, and false alarms about twice as many."""


def threshold(false_alarms: float) -> float:
    """Return how much evidence is an alarm.

    Args:
        false_alarms: The share of streams without any change that may give an alarm within
            `HORIZON` values. Evidence is in natural logarithms of odds, so that a rate that is
            e times lower needs one more.
    """
    return _USUAL + math.log(_USUAL_RATE / false_alarms)


class Shift(NamedTuple):
    """How far the newest stretch lies below what was before it."""

    evidence: float
    """Minus the logarithm of how likely such a stretch is without a change, as a bound."""
    before: float
    """The mean of the values before."""
    after: float
    """The mean of the stretch."""
    before_count: int
    """0 for a declared mean."""
    after_count: int


class ChangeDetector(BaseModel):
    """What a stream left: a few sums, however long it is."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    low: float = 0.0
    """The lowest value there can be."""
    high: float = 1.0
    """The highest."""
    baseline: Annotated[float | None, Field(allow_inf_nan=False)] = None
    """A declared mean that counts as exact; None compares with the values before."""
    first: Annotated[int, Field(ge=FIRST)] = FIRST
    """How many values come before the first look; not needed with a baseline."""
    count: Annotated[int, Field(ge=0)] = 0
    total: float = 0.0
    squares: float = 0.0
    """Of all values, scaled to 0 to 1, the unfinished block left out; `total` likewise."""
    blocks: list[tuple[float, float]] = []
    """Sum and sum of squares of the newest blocks, oldest first."""
    unfinished: list[float] = []

    @property
    def mean(self) -> float | None:
        """The mean of all values in whole blocks; None before the first one."""
        return self._unscaled(self.total / self.count) if self.count else None

    def add(self, value: float) -> Shift | None:
        """Take a value in; values outside of the range count as its ends.

        Returns:
            The stretch that lies lowest, after every tenth value; None between looks.
        """
        scaled = (value - self.low) / (self.high - self.low)
        self.unfinished.append(min(1.0, max(0.0, scaled)))
        if len(self.unfinished) < BLOCK:
            return None
        block = math.fsum(self.unfinished), math.fsum(v * v for v in self.unfinished)
        self.unfinished = []
        self.count += BLOCK
        self.total += block[0]
        self.squares += block[1]
        self.blocks = [*self.blocks, block][-(STRETCHES[-1] // BLOCK) :]
        return self._look()

    def continue_from(self, other: "ChangeDetector") -> None:
        """Begin with the values of an earlier stream as what came before."""
        self.count, self.total, self.squares = other.count, other.total, other.squares
        self.blocks = []

    def restart(self, stretch: int) -> None:
        """Begin again after an alarm: the stretch that gave it is what is usual from now on."""
        newest = self.blocks[-(stretch // BLOCK) :]
        self.count = len(newest) * BLOCK
        self.total = math.fsum(block[0] for block in newest)
        self.squares = math.fsum(block[1] for block in newest)
        self.blocks, self.baseline = [], None

    def _look(self) -> Shift:
        lowest = Shift(0.0, self.mean or 0.0, self.mean or 0.0, self.count, 0)
        total, taken = 0.0, 0
        for stretch in STRETCHES:
            count = stretch // BLOCK
            if count > len(self.blocks):
                break
            # What a longer stretch has more than the one before it.
            total += math.fsum(b[0] for b in self.blocks[-count : len(self.blocks) - taken])
            taken = count
            found = self._compare(stretch, total)
            if found is not None and found.evidence > lowest.evidence:
                lowest = found
        return lowest

    def _compare(self, stretch: int, total: float) -> Shift | None:
        after, mean = total / stretch, self.total / self.count
        before_count = self.count - stretch
        if self.baseline is None:
            if before_count < self.first:
                return None
            usual, part, imagined = mean, stretch / self.count, _PRIOR / self.count
            before = (self.total - total) / before_count
            variance = max(self.squares / self.count - mean * mean, imagined) * (1 - part)
        else:
            usual = before = (self.baseline - self.low) / (self.high - self.low)
            before_count = 0
            # A mean at an end of the range allows no variance at all.
            imagined = max(_DECLARED * usual * (1 - usual), _PRIOR)
            spread = self.squares - self.count * mean * mean
            variance = (spread + imagined) / (self.count + _DECLARED)
        return Shift(
            evidence=evidence_of_fall(usual, usual - after, variance, stretch),
            before=self._unscaled(before),
            after=self._unscaled(after),
            before_count=before_count,
            after_count=stretch,
        )

    def _unscaled(self, value: float) -> float:
        return self.low + value * (self.high - self.low)


def evidence_of_fall(usual: float, below: float, variance: float, count: int) -> float:
    """Return Bennett's exponent: minus the logarithm of a bound on how likely such a mean is.

    Args:
        usual: The mean that there should be; values lie in 0 to 1.
        below: How far the measured mean lies below it.
        variance: Of one value; for a part of a known whole, less that part.
        count: How many values the measured mean is of.
    """
    if below <= 0 or usual <= 0:
        return 0.0
    ratio = below * usual / variance
    return count * variance / usual**2 * ((1 + ratio) * math.log1p(ratio) - ratio)
