"""What needs no ratings: false alarms over all signals together, and vectors of questions."""

import numpy as np
import pytest

from benchmarks.watch import evidence
from finetune.watch import energy_test, threshold
from finetune.watch.observed import Answered
from finetune.watch.questions import QuestionState, QuestionVectors, encode_questions
from finetune.watch.stream import Move, Stream, StreamLimits

MOST = 0.025
TESTS = 6


@pytest.mark.requirement("S3-19")
def test_all_signals_together_raise_few_alarms_without_a_change() -> None:
    random = np.random.default_rng(1)
    size = (1000, 5000)
    length = np.log1p(random.lognormal(5, 0.8, size)) / np.log1p(100_000)
    refusals = (random.random(size) < 0.03).astype(float)
    signals = (length, 1 - length, 1 - refusals, random.beta(8, 2, size))
    limit = threshold(MOST / TESTS)
    alarms = np.zeros(1000, bool)
    for values in signals:
        alarms |= evidence(values, 0, 1).max(axis=1) >= limit
    assert alarms.mean() <= MOST


def test_answers_that_change_are_told_with_what_they_were_and_are() -> None:
    random = np.random.default_rng(2)
    limits = StreamLimits()
    stream = Stream.begin(limits)
    moves: list[Move] = []
    for index in range(900):
        text = "x" * int(random.lognormal(5 if index < 500 else 4, 0.5))
        moves += stream.take_answer(Answered("m", "q", text, 0.9), limits)
    (move,) = moves
    assert move.signal == "length"
    assert move.before == pytest.approx(148, rel=0.15)
    assert move.after == pytest.approx(54, rel=0.15)
    assert move.text.startswith("answers got shorter: 1")


def test_no_signals_are_watched_when_nobody_asks_for_them() -> None:
    limits = StreamLimits(has_signals=False)
    stream = Stream.begin(limits)
    for index in range(400):
        assert stream.take_answer(Answered("m", "q", "x" * (1 + 99 * (index > 200))), limits) == []
    assert (stream.answers, stream.signals) == (400, {})


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.requirement("S3-19")
def test_the_energy_test_is_wrong_as_often_as_its_limit_says() -> None:
    random = np.random.default_rng(3)
    below = 0
    for seed in range(400):
        vectors = _unit(random.normal(size=(70, 8)))
        below += energy_test(vectors[:40], vectors[40:], limit=0.05, seed=seed).p <= 0.05
    assert 0.02 <= below / 400 <= 0.08


def test_the_energy_test_finds_other_directions_and_ends_early_where_there_are_none() -> None:
    random = np.random.default_rng(4)
    first, second = _unit(random.normal(size=(200, 32))), random.normal(size=(100, 32))
    same = energy_test(first, _unit(second), limit=1e-4, seed=1)
    other = energy_test(first, _unit(second + 0.3), limit=1e-4, seed=1)
    assert same.p > 1e-4 >= other.p
    assert other.statistic > same.statistic
    assert abs(other.inside) < 0.02


def test_equal_questions_are_no_change() -> None:
    vectors = _unit(np.ones((300, 7)))
    assert energy_test(vectors[:200], vectors[200:], limit=0.001, seed=1).p == pytest.approx(1)


def test_a_state_of_questions_goes_on_and_begins_anew_with_other_vectors() -> None:
    texts = [f"What does number {index} cost?" for index in range(120)]
    vectors = encode_questions(texts, "hash", None)
    assert vectors.made_by == "hash"
    whole, parts = QuestionState(), QuestionState()
    expected = whole.add(vectors, window=50, false_alarms=0.01)
    for row in vectors.rows:
        one = QuestionVectors("hash", [row])
        expected += parts.add(one, window=50, false_alarms=0.01)
        parts = QuestionState.model_validate_json(parts.model_dump_json())
    assert (parts, expected) == (whole, [])
    assert parts.add(vectors, window=50, false_alarms=0.01)[0].before_count == 100
    other = QuestionVectors("else", [row[:8] for row in vectors.rows])
    assert parts.add(other, window=50, false_alarms=0.01) == []
    assert (parts.made_by, parts.size) == ("else", 8)
    assert "cost" not in parts.model_dump_json()
