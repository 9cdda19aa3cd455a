"""The statistics of the gate: simulated pairs of models, a thousand at a time.

A right-or-wrong pair of models is drawn from the table of both right, one right, both wrong that
has the given accuracies and the given correlation between the two models' rows.
"""

import math
from typing import Any

import numpy as np
import pytest

from finetune.evaluate.paired import PairedDifference, paired_differences


def pairs(
    rows: int, *, live: float, candidate: float, correlation: float, runs: int = 1000, seed: int = 1
) -> "np.ndarray[Any, Any]":
    """Return the differences of simulated pairs of models, one pair a column."""
    spread = math.sqrt(live * (1 - live) * candidate * (1 - candidate))
    both = live * candidate + correlation * spread
    cells = [both, live - both, candidate - both, 1 - live - candidate + both]
    drawn = np.random.default_rng(seed).choice(4, p=cells, size=(rows, runs))
    return np.select([drawn == 1, drawn == 2], [-1.0, 1.0], 0.0)


def promoted(found: list[PairedDifference]) -> float:
    """Return the share of pairs that pass both tests at 95 %."""
    return sum(one.low > 0 and one.p_value <= 0.05 for one in found) / len(found)


@pytest.mark.requirement("S1-31")
@pytest.mark.parametrize(
    ("rows", "accuracy", "correlation"),
    [(400, 0.8, 0.5), (400, 0.5, 0.3), (400, 0.98, 0.2), (100, 0.8, 0.5), (50, 0.9, 0.3)],
)
def test_an_equal_model_is_promoted_in_at_most_one_run_of_twenty(
    rows: int, accuracy: float, correlation: float
) -> None:
    drawn = pairs(rows, live=accuracy, candidate=accuracy, correlation=correlation)
    assert promoted(paired_differences(drawn)) <= 0.05


@pytest.mark.requirement("S1-31")
@pytest.mark.parametrize(
    ("accuracy", "correlation"), [(0.8, 0.5), (0.8, 0.6), (0.85, 0.5), (0.7, 0.7)]
)
def test_five_points_more_are_seen_in_four_of_five_runs(
    accuracy: float, correlation: float
) -> None:
    drawn = pairs(400, live=accuracy, candidate=accuracy + 0.05, correlation=correlation)
    assert promoted(paired_differences(drawn)) >= 0.8


def test_continuous_figures_hold_their_level_too() -> None:
    drawn = np.random.default_rng(3).exponential(size=(100, 1000)) - 1.0
    mirrored = drawn * np.random.default_rng(4).choice([-1.0, 1.0], size=drawn.shape)
    assert promoted(paired_differences(mirrored)) <= 0.06


def test_the_bounds_are_those_of_the_normal_distribution_on_many_rows() -> None:
    drawn = np.random.default_rng(5).normal(0.1, 1.0, size=(2000, 1))
    (found,) = paired_differences(drawn)
    error = found.deviation / math.sqrt(2000)
    assert found.mean == pytest.approx(float(drawn.mean()))
    assert found.low == pytest.approx(found.mean - 1.645 * error, abs=0.05 * error * 2)
    assert found.high == pytest.approx(found.mean + 1.645 * error, abs=0.05 * error * 2)


@pytest.mark.parametrize(("wins", "losses"), [(3, 0), (8, 1), (12, 5), (30, 14)])
def test_the_test_against_chance_is_mcnemars_exact_one(wins: int, losses: int) -> None:
    column = [[1.0]] * wins + [[-1.0]] * losses + [[0.0]] * 50
    (found,) = paired_differences(column, resamples=100_000)
    ways = sum(math.comb(wins + losses, at) for at in range(wins, wins + losses + 1))
    assert found.p_value == pytest.approx(ways / 2 ** (wins + losses), abs=0.005)


def test_three_rows_without_a_loss_are_no_proof_though_the_bootstrap_takes_them_for_one() -> None:
    (found,) = paired_differences([[1.0]] * 3 + [[0.0]] * 397)
    assert found.low > 0
    assert found.p_value > 0.05


def test_equal_seeds_give_equal_results_and_columns_do_not_touch_each_other() -> None:
    drawn = pairs(120, live=0.8, candidate=0.85, correlation=0.5, runs=3)
    assert paired_differences(drawn, seed=7) == paired_differences(drawn, seed=7)
    assert paired_differences(drawn, seed=7) != paired_differences(drawn, seed=8)
    alone = paired_differences(drawn[:, 1:2], seed=7)[0]
    assert paired_differences(drawn, seed=7)[1] == pytest.approx(alone)


def test_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        paired_differences(np.empty((0, 1)))
