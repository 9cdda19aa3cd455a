"""How many questions a test set needs before the gate can see a difference.

The gate asks for a difference beyond chance, so with few questions a better model is refused as
well. What it takes grows with the square of how far the two models' rows scatter about the
difference (O. S. Miettinen, The matched pairs design in the case of all-or-none responses, 1968;
R. J. Connor, Sample size for testing differences in proportions for the paired-sample design,
1987).
"""

import math
from statistics import NormalDist

__all__ = ["rows_for_accuracies", "rows_wanted"]

_NORMAL = NormalDist()


def rows_wanted(
    difference: float, deviation: float, *, confidence: float = 0.95, power: float = 0.8
) -> int:
    """Return the number of questions with which a true difference is seen.

    Args:
        difference: The mean difference, candidate less live; above zero.
        deviation: The standard deviation of the rows' differences.
        confidence: Of the gate.
        power: How often the gate shall promote a candidate that is better by `difference`.

    Raises:
        ValueError: The difference is not above zero.
    """
    if difference <= 0:
        raise ValueError("only a difference above zero is ever seen as better")
    # Were there no difference, the same rows would scatter about zero: a little wider.
    chance = math.hypot(deviation, difference)
    scatter = _NORMAL.inv_cdf(confidence) * chance + _NORMAL.inv_cdf(power) * deviation
    return math.ceil((scatter / difference) ** 2)


def rows_for_accuracies(
    live: float,
    candidate: float,
    correlation: float,
    *,
    confidence: float = 0.95,
    power: float = 0.8,
) -> int:
    """Return the number of questions with which a more accurate candidate is promoted.

    Args:
        live: The share of questions that the live model answers rightly.
        candidate: The share that the candidate answers rightly; larger.
        correlation: Of the two models' rows, right being 1 and wrong 0. A model that was trained
            on from the live one has about 0.5 to 0.7.
        confidence: Of the gate.
        power: How often the gate shall promote the candidate.

    Raises:
        ValueError: The candidate is not more accurate, or no two models are like this.
    """
    spread = math.sqrt(live * (1 - live) * candidate * (1 - candidate))
    both = live * candidate + correlation * spread
    if not max(0.0, live + candidate - 1) <= both <= min(live, candidate):
        raise ValueError("no two models have these accuracies and this correlation")
    difference = candidate - live
    deviation = math.sqrt(max(0.0, live + candidate - 2 * both - difference**2))
    return rows_wanted(difference, deviation, confidence=confidence, power=power)
