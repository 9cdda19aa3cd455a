"""Mixing general rows into those of a domain, so that a model keeps what it knew before."""

import random
from collections.abc import Sequence

from finetune.dataset.sample import Sample
from swarm.errors import DataError

__all__ = ["mix_general_data"]


def mix_general_data(
    rows: Sequence[Sample], general: Sequence[Sample], *, ratio: float = 0.2, seed: int = 0
) -> list[Sample]:
    """Return the rows of a domain with general ones among them, in a shuffled order.

    The same rows and seed give the same order. Rows of the domain are never left out, and a
    general row that is one of them is not added.

    Args:
        rows: The domain's rows.
        general: Where the general rows are drawn from, each at most once.
        ratio: The part of the result that is general, from 0 up to but not with 1.
        seed: Decides which general rows are drawn, and the order.

    Raises:
        DataError: The ratio is out of range, or there are too few general rows; says how many
            are needed.
    """
    if not 0 <= ratio < 1:
        raise DataError(f"the ratio is the general part of the result, from 0 to 1, not {ratio:g}")
    needed = round(len(rows) * ratio / (1 - ratio))
    taken = {sample.id for sample in rows}
    fresh: list[Sample] = []
    for sample in general:
        if sample.id not in taken:
            taken.add(sample.id)
            fresh.append(sample)
    if len(fresh) < needed:
        raise DataError(
            f"a ratio of {ratio:g} needs {needed} general rows beside {len(rows)} of the domain,"
            f" and there are {len(fresh)} different ones"
        )
    source = random.Random(seed)
    mixed = [*rows, *source.sample(fresh, needed)]
    source.shuffle(mixed)
    return mixed
