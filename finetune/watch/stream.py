"""One model's answers over time: its ratings, and what can be seen without anybody's opinion."""

import math
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from finetune.curate.refusals import refusal_share
from finetune.watch.changepoint import BLOCK, ChangeDetector, Shift, threshold
from finetune.watch.observed import Answered
from finetune.watch.questions import QuestionState, QuestionVectors
from wiki import WatchSignal

__all__ = ["Move", "Point", "Stream", "StreamLimits", "question_moves"]

_SIGNALS = 6
"""Tests that share the false alarms of the signals: answers that get shorter or longer, more
refusals, less confidence as the model tells it or as it was calibrated, and other questions."""
_LONGEST = 100_000
"""Characters; longer answers count as this."""
_POINTS = 400
_RECENT = 10
"""Blocks of ratings that a point's mean is taken over."""


class StreamLimits(NamedTuple):
    """What a stream is judged by."""

    window: int = 100
    false_alarms: float = 0.025
    """For the ratings, and once more for all signals together."""
    baseline: float | None = None
    has_signals: bool = True


class Move(NamedTuple):
    """Something that moved."""

    signal: WatchSignal
    before: float
    after: float
    before_count: int
    after_count: int
    text: str
    """What moved, from what to what."""


class Point(NamedTuple):
    """The ratings at one look, for a picture."""

    rated: int
    """How many ratings there were by then."""
    recent: float
    """The mean of the newest 100."""
    evidence: float


class Stream(BaseModel):
    """What is remembered of one model's answers."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    ratings: ChangeDetector
    signals: dict[str, ChangeDetector] = {}
    answers: int = 0
    rated: int = 0
    points: list[Point] = []
    """At most 400; of more, every other one is left out."""

    @classmethod
    def begin(cls, limits: StreamLimits, earlier: "Stream | None" = None) -> "Stream":
        """Return a new stream.

        Args:
            limits: See `StreamLimits`.
            earlier: That of the version before: what was thought of it is what the new one is
                compared with, so that a worse version is found and not taken for what is usual.
        """
        ratings = _detector(limits, low=1, high=5, baseline=limits.baseline)
        if earlier is not None and limits.baseline is None:
            ratings.continue_from(earlier.ratings)
        return cls(ratings=ratings)

    def take_rating(self, rating: int, limits: StreamLimits) -> Move | None:
        """Take a rating in; returns a fall that is more than chance."""
        self.rated += 1
        shift = self.ratings.add(rating)
        if shift is None:
            return None
        self._remember(shift)
        if shift.evidence < threshold(limits.false_alarms):
            return None
        self.ratings.restart(shift.after_count)
        than = f"{shift.before_count:,} before" if shift.before_count else "the declared baseline"
        text = (
            f"ratings fell from {shift.before:.2f} ({than}) to {shift.after:.2f}"
            f" (the last {shift.after_count:,})"
        )
        return _move("ratings", shift, text)

    def take_answer(self, answer: Answered, limits: StreamLimits) -> list[Move]:
        """Take an answer in; returns what moved."""
        self.answers += 1
        if not limits.has_signals:
            return []
        length = math.log1p(min(len(answer.text), _LONGEST)) / math.log1p(_LONGEST)
        declines = float(refusal_share(answer.text) > 0.5)
        # The detectors find what falls, so what rises is turned around.
        values = {"shorter": length, "longer": 1 - length, "refusals": 1 - declines}
        if answer.confidence is not None:
            kind = "calibrated confidence" if answer.is_calibrated else "confidence"
            values[kind] = answer.confidence
        limit = threshold(limits.false_alarms / _SIGNALS)
        found: list[Move] = []
        for name, value in values.items():
            detector = self.signals.get(name)
            if detector is None:
                detector = self.signals[name] = _detector(limits)
            shift = detector.add(value)
            if shift is not None and shift.evidence >= limit:
                detector.restart(shift.after_count)
                found.append(_signal_move(name, shift))
        return found

    def _remember(self, shift: Shift) -> None:
        newest = self.ratings.blocks[-_RECENT:]
        mean = math.fsum(block[0] for block in newest) / (len(newest) * BLOCK)
        self.points.append(Point(self.rated, round(1 + 4 * mean, 4), round(shift.evidence, 4)))
        if len(self.points) > _POINTS:
            self.points = self.points[1::2]


def question_moves(
    state: QuestionState, vectors: QuestionVectors, limits: StreamLimits
) -> list[Move]:
    """Take the vectors of a wiki's questions in; returns when other things are asked."""
    topics = state.add(vectors, window=limits.window, false_alarms=limits.false_alarms / _SIGNALS)
    return [
        Move(
            "questions",
            topic.inside,
            topic.between,
            topic.before_count,
            topic.after_count,
            f"other questions are asked: {topic.before_count:,} earlier ones are alike to"
            f" {topic.inside:.2f}, the last {topic.after_count:,} are like them to"
            f" {topic.between:.2f} (mean cosine, {vectors.made_by})",
        )
        for topic in topics
        if topic.p <= topic.limit
    ]


def _detector(
    limits: StreamLimits, *, low: float = 0, high: float = 1, baseline: float | None = None
) -> ChangeDetector:
    return ChangeDetector(low=low, high=high, first=limits.window, baseline=baseline)


def _move(signal: WatchSignal, shift: Shift, text: str) -> Move:
    return Move(signal, shift.before, shift.after, shift.before_count, shift.after_count, text)


def _signal_move(name: str, shift: Shift) -> Move:
    counts = f"({shift.before_count:,} answers before, the last {shift.after_count:,} now)"
    if name == "refusals":
        turned = shift._replace(before=1 - shift.before, after=1 - shift.after)
        text = f"refusals rose from {turned.before:.1%} to {turned.after:.1%} of answers {counts}"
        return _move("refusals", turned, text)
    if name in ("shorter", "longer"):
        before, after = (
            math.expm1(math.log1p(_LONGEST) * (1 - value if name == "longer" else value))
            for value in (shift.before, shift.after)
        )
        turned = shift._replace(before=before, after=after)
        text = f"answers got {name}: {before:,.0f} characters, now {after:,.0f} {counts}"
        return _move("length", turned, text)
    text = f"{name} fell from {shift.before:.2f} to {shift.after:.2f} {counts}"
    return _move("confidence", shift, text)
