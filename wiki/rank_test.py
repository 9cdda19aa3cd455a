"""Whether one group of clients is more content than another: the rank test of Mann and Whitney.

Ratings from 1 to 5 have an order and no distances, and most of them are equal, so their ranks are
compared, with the correction for ties.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["RankTest", "rank_test"]


class RankTest(NamedTuple):
    """What the ranks say about two groups."""

    superiority: float
    """How likely a member of the first group is above one of the second, ties counted half: 0.5
    when there is no difference."""
    p_value: float
    """How often chance alone gives a difference as large as this one or larger, in either way."""


def rank_test(first: Sequence[float], second: Sequence[float]) -> RankTest:
    """Compare two independent groups of values.

    The p-value is the normal approximation with corrections for ties and for continuity, which is
    close from about eight values in each group.

    Raises:
        ValueError: A group is empty.
    """
    if not first or not second:
        raise ValueError("expected values in both groups")
    counts, ours = Counter((*first, *second)), Counter(first)
    total, below, ranks = len(first) + len(second), 0, 0.0
    for value in sorted(counts):
        # Equal values share the mean of the ranks that they take.
        ranks += ours[value] * (below + (counts[value] + 1) / 2)
        below += counts[value]
    above = ranks - len(first) * (len(first) + 1) / 2
    pairs = len(first) * len(second)
    ties = sum(count**3 - count for count in counts.values())
    variance = pairs / 12 * (total + 1 - ties / (total * (total - 1)))
    distance = abs(above - pairs / 2) - 0.5
    if variance <= 0 or distance <= 0:
        return RankTest(above / pairs, 1.0)
    return RankTest(above / pairs, math.erfc(distance / math.sqrt(2 * variance)))
