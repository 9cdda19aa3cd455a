"""The test of ratings: its false alarms, what it finds, and that a state goes on."""

import numpy as np
import pytest

from benchmarks.watch import SHAPES, evidence, normal_ratings, ratings
from finetune.watch import ChangeDetector, Shift, threshold

STREAMS, COUNT = 1000, 5000
MOST = 0.025


def _false_alarms(found: "np.ndarray") -> float:
    return float((found.max(axis=1) >= threshold(MOST)).mean())


@pytest.mark.requirement("S3-19")
@pytest.mark.parametrize("baseline", [None, 4.2, 5.0])
def test_the_arrays_are_the_detector(baseline: float | None) -> None:
    values = ratings(np.random.default_rng(1), "mostly five", 3, 2500)
    expected = evidence(values, 1, 5, baseline)
    for stream, looks in zip(values.tolist(), expected, strict=True):
        detector = ChangeDetector(low=1, high=5, baseline=baseline)
        shifts = [shift for value in stream if (shift := detector.add(value)) is not None]
        assert [shift.evidence for shift in shifts] == pytest.approx(looks.tolist(), abs=1e-9)


@pytest.mark.requirement("S3-19")
@pytest.mark.parametrize("shape", [*SHAPES, "normal"])
def test_few_streams_without_a_change_raise_an_alarm(shape: str) -> None:
    random = np.random.default_rng(2)
    values = (
        normal_ratings(random, 3.8, STREAMS, COUNT)
        if shape == "normal"
        else ratings(random, shape, STREAMS, COUNT)
    )
    # The reference is what the stream itself showed before.
    assert _false_alarms(evidence(values, 1, 5)) <= MOST
    # Here it is declared, and right.
    true = float(values.mean())
    assert _false_alarms(evidence(values, 1, 5, true)) <= MOST


@pytest.mark.requirement("S3-19")
@pytest.mark.parametrize("share", [0.05, 0.5, 0.8, 0.95, 0.99])
def test_few_streams_of_thumbs_raise_an_alarm(share: float) -> None:
    random = np.random.default_rng(3)
    values = (random.random((STREAMS, COUNT)) < share).astype(float)
    assert _false_alarms(evidence(values, 0, 1)) <= MOST
    assert _false_alarms(evidence(values, 0, 1, share)) <= MOST


@pytest.mark.requirement("S3-19")
@pytest.mark.parametrize("before", [1000, 2000])
@pytest.mark.parametrize("mean", [3.0, 3.7])
def test_a_fall_by_a_third_of_a_star_is_found_within_a_thousand_ratings(
    before: int, mean: float
) -> None:
    random = np.random.default_rng(4)
    values = np.concatenate(
        [
            normal_ratings(random, mean, STREAMS, before),
            normal_ratings(random, mean - 0.3, STREAMS, 1000),
        ],
        axis=1,
    )
    assert values[:, before:].mean() - values[:, :before].mean() > -0.3
    assert 0.9 < values[:, :before].std() < 1.1
    alarms = evidence(values, 1, 5) >= threshold(MOST)
    early = alarms[:, : before // 10].any(axis=1)
    assert early.mean() <= MOST
    assert alarms[~early].any(axis=1).mean() >= 0.95
    declared = evidence(values, 1, 5, float(values[:, :before].mean())) >= threshold(MOST)
    assert declared[:, before // 10 :].any(axis=1).mean() >= 0.95


def test_a_stricter_rate_needs_more_evidence() -> None:
    assert threshold(0.025) < threshold(0.005) == pytest.approx(threshold(0.025) + np.log(5))


def test_a_detector_goes_on_from_what_it_wrote() -> None:
    values = ratings(np.random.default_rng(5), "flat", 1, 777)[0].tolist()
    whole, parts = ChangeDetector(low=1, high=5), ChangeDetector(low=1, high=5)
    expected = [whole.add(value) for value in values]
    found: list[Shift | None] = []
    for value in values:
        found.append(parts.add(value))
        parts = ChangeDetector.model_validate_json(parts.model_dump_json())
    assert found == expected
    assert parts == whole


def test_a_state_stays_small_however_long_the_stream_is() -> None:
    detector = ChangeDetector()
    sizes: list[int] = []
    for index in range(20_000):
        detector.add(index % 3 / 2)
        if index in (9_999, 19_999):
            sizes.append(len(detector.model_dump_json()))
    assert sizes[1] < sizes[0] + 100


def test_after_an_alarm_the_new_level_is_what_is_usual() -> None:
    random = np.random.default_rng(6)
    detector = ChangeDetector(low=1, high=5, baseline=4.0)
    alarms = 0
    for value in normal_ratings(random, 3.0, 1, 3000)[0].tolist():
        shift = detector.add(value)
        if shift is not None and shift.evidence >= threshold(MOST):
            assert shift.before == pytest.approx(4.0)
            detector.restart(shift.after_count)
            alarms += 1
    assert alarms == 1
    assert detector.mean == pytest.approx(3.0, abs=0.1)


@pytest.mark.requirement("S3-19")
@pytest.mark.parametrize("baseline", [1.0000001, 4.99, 5.0])
def test_a_baseline_at_the_end_of_the_range_is_compared_with(baseline: float) -> None:
    detector = ChangeDetector(low=1, high=5, baseline=baseline)
    assert [detector.add(5) for _ in range(200)][-1] == (0.0, 5.0, 5.0, 200, 0)
    constant = ChangeDetector(low=1, high=5, baseline=baseline)
    shifts = [shift for _ in range(20) if (shift := constant.add(4)) is not None]
    # Nothing but fours is a fall below nearly five, and none below one.
    assert (shifts[-1].evidence >= threshold(MOST)) == (baseline > 4)


@pytest.mark.requirement("S3-19")
@pytest.mark.parametrize("share", [0.9975, 0.999])
def test_few_streams_near_the_end_of_the_range_raise_an_alarm(share: float) -> None:
    random = np.random.default_rng(7)
    values = (random.random((STREAMS, COUNT)) < share).astype(float)
    assert _false_alarms(evidence(values, 0, 1, share)) <= MOST
    # A single bad rating is no alarm where there should be none.
    values = np.ones((1, COUNT))
    values[0, 15] = 0
    assert _false_alarms(evidence(values, 0, 1, 1.0)) == 0


def test_values_outside_of_the_range_count_as_its_ends() -> None:
    detector = ChangeDetector(low=1, high=5)
    for value in (7, -3) * 10:
        detector.add(value)
    assert detector.mean == pytest.approx(3.0)
