"""Curves of losses: generated ones of each kind, with noise, are told apart."""

import math
import random
from collections.abc import Callable

import pytest

from finetune.train.curve import CurvePoint, Verdict, read_curve

SEEDS = range(50)


def _curve(
    level: Callable[[float], float], seed: int, noise: float, steps: int = 120
) -> list[CurvePoint]:
    rng = random.Random(seed)
    return [
        CurvePoint(step, max(1e-4, level(step / steps) * (1 + rng.gauss(0, noise))))
        for step in range(1, steps + 1)
    ]


def _falling(to: float, speed: float = 8.0) -> Callable[[float], float]:
    return lambda at: to + (3.0 - to) * math.exp(-speed * at)


def _flat(_: float) -> float:
    return 2.5


def _every_tenth(points: list[CurvePoint]) -> list[CurvePoint]:
    return points[9::10]


def _read(verdict: Verdict, seed: int) -> str:
    """Generate a curve of a kind and return what is read in it."""
    noise = random.Random(f"{verdict}{seed}").uniform(0.02, 0.12)
    falling = _curve(_falling(0.5), seed, noise)
    valley = _every_tenth(_curve(_falling(0.7), seed + 1, 0.02))
    match verdict:
        case "healthy":
            return read_curve(falling, valley, general_before=0.8, general_after=0.79).verdict
        case "overfitting":
            rising = _curve(lambda at: _falling(0.7)(at) + max(0.0, at - 0.4), seed + 1, 0.02)
            return read_curve(_curve(_falling(0.2, 4), seed, noise), _every_tenth(rising)).verdict
        case "underfitting":
            slow = _falling(0.3, 1.5) if seed % 2 else _flat
            return read_curve(_curve(slow, seed, noise)).verdict
        case "oscillating":
            return read_curve(_curve(_falling(0.8), seed, 0.45), valley).verdict
        case "forgetting":
            return read_curve(falling, general_before=0.8, general_after=0.6).verdict
        case "diverged":
            if seed % 2:
                return read_curve([*falling, CurvePoint(121, math.nan)]).verdict
            return read_curve(_curve(lambda at: 2 + 6 * at, seed, noise)).verdict
        case "too short":
            return read_curve(falling[:3]).verdict


@pytest.mark.parametrize(
    "verdict",
    ["healthy", "overfitting", "underfitting", "oscillating", "forgetting", "diverged",
     "too short"],
)  # fmt: skip
@pytest.mark.requirement("S3-12", "S3-13", "S3-15", "S2-31")
def test_a_noisy_curve_is_read_as_what_it_is(verdict: Verdict, note: Callable[[str], None]) -> None:
    right = sum(_read(verdict, seed) == verdict for seed in SEEDS)
    note(f"curves that are {verdict}: {right} of {len(SEEDS)} read right")
    assert right >= 0.94 * len(SEEDS)


@pytest.mark.requirement("S3-13")
def test_each_reading_says_what_to_change() -> None:
    falling = _curve(_falling(0.5), 1, 0.05)
    forgot = read_curve(falling, general_before=0.9, general_after=0.5)
    assert "lower rank (8 to 16)" in forgot.fix and "30 to 100" in forgot.fix
    assert "from 90% to 50%" in forgot.reason
    assert "5e-5" in read_curve(_curve(_falling(0.8), 1, 0.5)).fix
    assert "learning_rate to a tenth" in read_curve([CurvePoint(7, math.inf)]).fix
    flat = read_curve(_curve(_flat, 1, 0.05))
    assert "raise learning_rate" in flat.fix and flat.best_step is None
    rising = [CurvePoint(10 * n, 1.0 + abs(n - 3) / 5) for n in range(1, 13)]
    over = read_curve(_curve(_falling(0.2, 4), 1, 0.02), rising)
    assert (over.verdict, over.best_step) == ("overfitting", 30)
    assert "stop early" in over.fix
    # Training and validation that both stay high are no overfitting.
    assert read_curve(_curve(_flat, 1, 0.02), rising[:2]).verdict == "underfitting"
