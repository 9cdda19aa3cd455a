"""Rows for a person to read: a share of the set that nobody chose."""

import hashlib
import math
from collections.abc import Sequence

from finetune.dataset.sample import Sample

__all__ = ["review_sample"]


def review_sample(samples: Sequence[Sample], share: float = 0.1) -> list[int]:
    """Return the positions of a random share of the rows, in order, at least one.

    The draw is seeded by the content of the whole set: the same rows give the same draw in any
    order, and one row more or less gives another, so no author can choose to be left out.

    Args:
        samples: The set.
        share: How much of it to draw, over 0 and up to 1; counts are rounded up.

    Raises:
        ValueError: The share is outside these bounds.
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share is over 0 and up to 1, not {share}")
    ids = [bytes.fromhex(sample.id) for sample in samples]
    seed = hashlib.blake2b(b"".join(sorted(ids)), digest_size=32).digest()
    draws = [hashlib.blake2b(own, key=seed, digest_size=16).digest() for own in ids]
    order = sorted(range(len(ids)), key=lambda at: (draws[at], at))
    return sorted(order[: math.ceil(share * len(ids))])
