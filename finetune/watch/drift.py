"""`check_drift`: one look at a log of predictions, recent ratings against earlier ones."""

import math
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from finetune.watch.changepoint import FIRST, ChangeDetector, Shift, evidence_of_fall, threshold
from finetune.watch.log import read_log
from swarm.errors import DataError

__all__ = ["DriftReport", "check_drift"]

_FALL = -0.5
_FALSE_ALARMS = 0.025
_CHANCE = 0.01


class DriftReport(BaseModel):
    """What a log says about how answers were rated."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    has_drifted: bool
    """Recent ratings are lower: by more than 0.5 on average, or beyond chance at some point."""
    earlier: float | None = None
    """The mean of all ratings but the last `window`; None when there are too few."""
    recent: float | None = None
    """The mean of the last `window` ratings."""
    chance: float | None = None
    """At most how likely so large a fall is without any change."""
    fell_at: int | None = None
    """After how many ratings the sequential test found the first fall that still lasts, if any."""
    ratings: int
    message: str
    problems: tuple[str, ...] = ()
    """Lines of the log that could not be read."""

    @property
    def change(self) -> float | None:
        """How much the mean went up, or down."""
        if self.earlier is None or self.recent is None:
            return None
        return self.recent - self.earlier


def check_drift(log: Path | str = "predictions_log.jsonl", window: int = 100) -> DriftReport:
    """Compare the newest ratings of a log with those before, in the order of their times.

    Two rules warn: a fall of the mean by more than 0.5, and the sequential test of
    `finetune.watch.changepoint`, which also finds smaller falls that last, with at most 2.5 %
    false alarms in 5,000 ratings. Answers without a rating do not count.

    Args:
        log: The file that `log_prediction` writes.
        window: How many ratings are recent; there must be twice as many.

    Raises:
        DataError: There is no such file, or the window is smaller than 1.
    """
    if window < 1:
        raise DataError(f"the window is a number of ratings, at least 1, not {window}")
    reading = read_log(Path(log))
    given = [p.user_feedback for p in reading.predictions if p.user_feedback is not None]
    problems = tuple(reading.problems)
    if len(given) < 2 * window:
        return DriftReport(
            has_drifted=False,
            ratings=len(given),
            message="Not enough data for drift detection yet."
            f" ({len(given)} ratings; {2 * window} are needed)",
            problems=problems,
        )
    earlier = math.fsum(given[:-window]) / (len(given) - window)
    recent = math.fsum(given[-window:]) / window
    change = recent - earlier
    lasting = [fall for fall in _falls(given, window) if recent <= fall.halfway]
    found = lasting[0] if lasting else None
    message = f"Drift: {earlier:.2f} → {recent:.2f} (Δ={change:+.2f})"
    chance = _chance(earlier - recent, given, window)
    if change < _FALL:
        message += "\nSignificant quality drop detected! Consider retraining."
        if chance > _CHANCE:
            message += f"\n{window} ratings are few: chance alone may do this ({chance:.0%})."
    elif found is not None:
        message += (
            f"\nA lasting fall was found after {found.at:,} ratings, from"
            f" {found.shift.before:.2f} to {found.shift.after:.2f}. Consider retraining."
        )
    return DriftReport(
        has_drifted=change < _FALL or found is not None,
        earlier=earlier,
        recent=recent,
        chance=chance,
        fell_at=None if found is None else found.at,
        ratings=len(given),
        message=message,
        problems=problems,
    )


class _Fall(NamedTuple):
    at: int
    """After how many ratings it was found."""
    shift: Shift

    @property
    def halfway(self) -> float:
        """The mean above which it is over."""
        return (self.shift.before + self.shift.after) / 2


def _falls(given: list[int], window: int) -> list[_Fall]:
    """Return the falls, oldest first, but those that were over later on."""
    first, limit = max(FIRST, window), threshold(_FALSE_ALARMS)
    # A rise is looked for as well: the next fall is from the level that ratings came back to.
    down, up = (ChangeDetector(low=1, high=5, first=first) for _ in range(2))
    falls: list[_Fall] = []
    for at, rating in enumerate(given, start=1):
        fell, rose = down.add(rating), up.add(6 - rating)
        if fell is not None and fell.evidence >= limit:
            falls = [fall for fall in falls if fell.before <= fall.halfway]
            falls.append(_Fall(at, fell))
            stretch = fell.after_count
        elif rose is not None and rose.evidence >= limit:
            falls = [fall for fall in falls if 6 - rose.after <= fall.halfway]
            stretch = rose.after_count
        else:
            continue
        down.restart(stretch)
        up.restart(stretch)
    return falls


def _chance(fall: float, given: list[int], window: int) -> float:
    """Return a bound on how likely so large a fall is when the ratings are in random order."""
    count = len(given)
    scaled = [(rating - 1) / 4 for rating in given]
    mean = math.fsum(scaled) / count
    variance = max(math.fsum((value - mean) ** 2 for value in scaled), 0.25) / count
    older = 1 - window / count
    # The newest lie below the mean of all by less than below the mean of the earlier ones.
    below = fall / 4 * older
    return math.exp(-evidence_of_fall(mean, below, variance * older, window))
