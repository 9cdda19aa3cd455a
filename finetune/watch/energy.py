"""Tells whether two sets of vectors come from one distribution: the energy test.

Székely and Rizzo, "Energy statistics: a class of statistics based on distances", Journal of
Statistical Planning and Inference 143 (2013), 1249-1272; by permutation, which is exact for any
distribution as long as the vectors are independent.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["EnergyTest", "energy_test"]

_AT_ONCE = 500


class EnergyTest(NamedTuple):
    """What a test found."""

    statistic: float
    """The energy distance: 0 for equal distributions."""
    p: float
    """How likely so large a distance is by chance; at least so much, when it is above the limit."""
    inside: float
    """The mean cosine of two vectors of the first set."""
    between: float
    """The mean cosine of a vector of the first set and one of the second."""


def energy_test(
    first: "NDArray[np.floating]", second: "NDArray[np.floating]", *, limit: float, seed: int
) -> EnergyTest:
    """Compare two sets of vectors of length one.

    Args:
        first: One vector in each row; two rows at least.
        second: The other set.
        limit: The p-value that matters: with one above it, the test ends early.
        seed: Of the permutations.

    Returns:
        The p-value is (1 + exceedances) / (1 + permutations), so that it is never 0.
    """
    import numpy as np

    together = np.concatenate([first, second]).astype(np.float64)
    cosines = together @ together.T
    squares = 2 - 2 * cosines
    # Equal vectors have no distance, whatever rounding makes of it.
    distances = np.sqrt(np.where(squares > 1e-9, squares, 0))
    size = len(first)
    rows = distances.sum(1)
    own = np.arange(len(together)) < size
    measured = float(_energies(distances, rows, own[None], size)[0])
    random = np.random.default_rng(seed)
    most = max(999, int(np.ceil(5 / limit)) - 1)
    exceed = done = 0
    while done < most and 1 + exceed <= limit * (1 + most):
        some = min(_AT_ONCE, most - done)
        order = random.permuted(np.broadcast_to(own, (some, len(own))), axis=1)
        # Sums in another order differ in the last digits; what is as large counts.
        exceed += int((_energies(distances, rows, order, size) >= measured - 1e-9).sum())
        done += some
    inside = (float(cosines[:size, :size].sum()) - size) / (size * (size - 1))
    between = float(cosines[:size, size:].mean())
    return EnergyTest(measured, (1 + exceed) / (1 + done), inside, between)


def _energies(
    distances: "NDArray[np.float64]", rows: "NDArray[np.float64]", first: Any, size: int
) -> Any:
    """Return the energy distance for each choice of the vectors that are the first set."""
    import numpy as np

    chosen = first.astype(np.float64)
    inside = ((chosen @ distances) * chosen).sum(1)
    across = chosen @ rows - inside
    others = rows.sum() - inside - 2 * across
    rest = len(rows) - size
    return 2 * across / (size * rest) - inside / size**2 - others / rest**2
