"""`check_drift`: the words of the source document, on top of the sequential test."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks.watch import normal_ratings
from finetune.watch import check_drift, log_prediction
from swarm.errors import DataError


def _log(path: Path, ratings: Sequence[int | None]) -> Path:
    for rating in ratings:
        log_prediction("How much?", "4.80 euros", rating, path=path)
    return path


@pytest.mark.requirement("S3-19")
def test_too_little_data_is_told_in_those_words(tmp_path: Path) -> None:
    path = _log(tmp_path / "log.jsonl", [5, None] * 199)
    report = check_drift(path)
    assert report.message.startswith("Not enough data for drift detection yet.")
    assert (report.has_drifted, report.ratings, report.change) == (False, 199, None)
    _log(path, [5])
    assert check_drift(path).change == 0


@pytest.mark.requirement("S3-18", "S3-19")
def test_a_fall_by_more_than_half_a_star_warns(tmp_path: Path) -> None:
    report = check_drift(_log(tmp_path / "log.jsonl", [5, 4] * 100 + [4, 3] * 50))
    assert report.has_drifted
    assert report.change == pytest.approx(-1)
    assert report.chance is not None and report.chance < 1e-6
    assert report.message.splitlines() == [
        "Drift: 4.50 → 3.50 (Δ=-1.00)",
        "Significant quality drop detected! Consider retraining.",
    ]


@pytest.mark.requirement("S3-19")
def test_a_small_fall_that_lasts_is_found_by_the_sequential_test(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    before = normal_ratings(random, 3.7, 1, 1000)[0]
    after = normal_ratings(random, 3.35, 1, 800)[0]
    path = _log(tmp_path / "log.jsonl", [int(rating) for rating in (*before, *after)])
    report = check_drift(path)
    assert report.change is not None and -0.5 < report.change < 0
    assert report.has_drifted and report.fell_at is not None and report.fell_at > 1000
    assert report.message.endswith("Consider retraining.")
    # It came back since then.
    better = normal_ratings(random, 4.0, 1, 300)[0]
    assert not check_drift(_log(path, [int(rating) for rating in better])).has_drifted


@pytest.mark.requirement("S3-19")
@pytest.mark.parametrize("second", [2.75, 3.55])
def test_a_fall_after_one_that_recovered_is_found_at_its_own_place(
    tmp_path: Path, second: float
) -> None:
    random = np.random.default_rng(2)
    means = ((4.0, 500), (2.5, 60), (4.0, 600), (second, 400))
    levels = [normal_ratings(random, mean, 1, count)[0] for mean, count in means]
    path = _log(tmp_path / "log.jsonl", [int(rating) for level in levels[:3] for rating in level])
    assert check_drift(path).fell_at is None
    report = check_drift(_log(path, [int(rating) for rating in levels[3]]))
    assert report.has_drifted
    assert report.fell_at is not None and 1160 < report.fell_at <= 1560


@pytest.mark.requirement("S3-19")
def test_of_two_falls_that_last_the_first_is_told_also_when_the_second_recovers(
    tmp_path: Path,
) -> None:
    random = np.random.default_rng(3)
    means = ((4.4, 600), (3.9, 400), (3.0, 100))
    levels = [normal_ratings(random, mean, 1, count)[0] for mean, count in means]
    path = _log(tmp_path / "log.jsonl", [int(rating) for level in levels for rating in level])
    first = check_drift(path).fell_at
    assert first is not None and 600 < first <= 1000
    back = normal_ratings(random, 3.9, 1, 200)[0]
    assert check_drift(_log(path, [int(rating) for rating in back])).fell_at == first


@pytest.mark.requirement("S3-19")
def test_few_ratings_are_said_to_be_few(tmp_path: Path) -> None:
    report = check_drift(_log(tmp_path / "log.jsonl", [5, 5, 2, 4]), window=2)
    assert report.has_drifted
    assert "chance alone may do this" in report.message


@pytest.mark.requirement("S3-19")
def test_times_count_and_not_the_order_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    lines = [
        {"timestamp": f"2026-11-{day:02}T10:00:00", "query": "q", "response": "r",
         "feedback": rating, "response_length": 1}
        for day, rating in [(20, 1), (21, 1), (1, 5), (2, 5)]
    ]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    report = check_drift(path, window=2)
    assert (report.earlier, report.recent) == (5, 1)


@pytest.mark.requirement("S3-19")
def test_broken_lines_are_named_and_an_absent_rating_is_not_a_bad_one(tmp_path: Path) -> None:
    path = _log(tmp_path / "log.jsonl", [5, None, 5])
    with path.open("a", encoding="utf-8") as file:
        file.write('[1]\n{"a\n\n{"query": "q", "response": "r", "timestamp": 1, '
                   '"response_length": 1, "user_feedback": 0}\n{"cut')  # fmt: skip
    report = check_drift(path, window=1)
    assert (report.ratings, report.has_drifted) == (2, False)
    assert [problem.removeprefix(str(path)) for problem in report.problems] == [
        ":4: no prediction: it is no JSON object",
        ":5: no prediction: invalid JSON: Invalid control character at",
        ":7: no prediction: user_feedback: Input should be greater than or equal to 1",
        ":8: the last line has no end; left for later",
    ]


def test_what_cannot_be_checked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read"):
        check_drift(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="at least 1, not 0"):
        check_drift(_log(tmp_path / "log.jsonl", [5]), window=0)


@pytest.mark.requirement("S3-18", "S3-19")
def test_the_names_of_the_source_document_work_without_a_path(home: Path) -> None:
    assert not home.exists()
    for rating in [5] * 4 + [1] * 2:
        log_prediction("a", "b", rating)
    assert Path("predictions_log.jsonl").is_file()
    assert "Consider retraining" in check_drift(window=2).message
