"""Which vectors point nearly the same way: all compared when they are few, by buckets otherwise."""

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from finetune.curate.duplicates.groups import Copy, Groups, best_first, neighbours

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["EXACT", "copies_among"]

EXACT: Final = 20_000
"""Up to so many vectors, each is compared with all that stay."""
_BLOCK: Final = 512
_BITS: Final = 16
_BANDS: Final = 20
"""Two vectors with a cosine of 0.95 share a band of 16 signs with a probability of 0.18, so one in
50 pairs shares none."""
_WINDOW: Final = 16
_MOST_SIGNS: Final = 96
"""Of all 320 signs; pairs that differ in more are not compared. At a cosine of 0.95 about 32 do."""
_CHUNK: Final = 8192
_SEED: Final = 7


def copies_among(
    vectors: "NDArray[np.int8]", ranks: "NDArray[np.uint8]", threshold: float, exact: int = EXACT
) -> Iterator[Copy]:
    """Yield the vectors that another one, of a rank as good, stands for.

    Args:
        vectors: One in each row, in the order of their sources; they may have any length.
        ranks: How good each is.
        threshold: The cosine from which two vectors are the same.
        exact: Above so many rows, hyperplanes pick the pairs that are compared.
    """
    if len(vectors) < 2:
        return
    if len(vectors) <= exact:
        yield from _compared(vectors, best_first(ranks), threshold)
    else:
        yield from _bucketed(vectors, ranks, threshold)


def _compared(
    vectors: "NDArray[np.int8]", order: "NDArray[np.int64]", threshold: float
) -> Iterator[Copy]:
    import numpy as np

    kept = np.zeros((len(order), vectors.shape[1]), np.float32)
    names = np.zeros(len(order), np.int64)
    count = 0
    for start in range(0, len(order), _BLOCK):
        positions = order[start : start + _BLOCK]
        block = _units(vectors[positions])
        left = np.arange(len(block))
        if count:
            cosines = block @ kept[:count].T
            is_copy = (cosines >= threshold).any(axis=1)
            for at in np.flatnonzero(is_copy).tolist():
                twin = int(cosines[at].argmax())
                yield Copy(int(positions[at]), int(names[twin]), float(cosines[at, twin]))
            left = left[~is_copy]
        within = block @ block.T
        while len(left):
            best, left = int(left[0]), left[1:]
            kept[count], names[count] = block[best], positions[best]
            count += 1
            is_copy = within[best, left] >= threshold
            for at in left[is_copy].tolist():
                yield Copy(int(positions[at]), int(positions[best]), float(within[best, at]))
            left = left[~is_copy]


def _bucketed(
    vectors: "NDArray[np.int8]", ranks: "NDArray[np.uint8]", threshold: float
) -> Iterator[Copy]:
    import numpy as np

    groups = Groups(len(vectors))
    keys, signs = _signs(vectors)
    for band in range(_BANDS):
        label = groups.labels()
        for first, second in neighbours(keys[band], keys[(band + 1) % _BANDS], _WINDOW):
            apart = label[first] != label[second]
            first, second = first[apart], second[apart]
            for start in range(0, len(first), _CHUNK):
                a, b = first[start : start + _CHUNK], second[start : start + _CHUNK]
                near = _set_bits()[signs[a] ^ signs[b]].sum(axis=1) <= _MOST_SIGNS
                a, b = a[near], b[near]
                cosines = np.einsum("ij,ij->i", _units(vectors[a]), _units(vectors[b]))
                alike = cosines >= threshold
                for one, other in zip(a[alike].tolist(), b[alike].tolist(), strict=True):
                    groups.join(one, other)

    def similarity(best: int, members: "NDArray[np.int64]") -> "NDArray[np.float64]":
        cosines = _units(vectors[members]) @ _units(vectors[best : best + 1])[0]
        return cosines.astype(np.float64)

    yield from groups.copies(ranks, similarity, threshold)


def _signs(vectors: "NDArray[np.int8]") -> "tuple[NDArray[np.uint64], NDArray[np.uint16]]":
    """Return on which sides of hyperplanes vectors lie: by band, and by vector."""
    import numpy as np

    planes = np.random.default_rng(_SEED).standard_normal((vectors.shape[1], _BANDS * _BITS))
    planes = planes.astype(np.float32)
    # Texts of one language lie in one corner of the space; planes through its middle part them.
    middle = np.zeros(vectors.shape[1], np.float32)
    for start in range(0, len(vectors), _CHUNK):
        middle += _units(vectors[start : start + _CHUNK]).sum(axis=0)
    middle /= len(vectors)
    signs = np.zeros((len(vectors), _BANDS), np.uint16)
    for start in range(0, len(vectors), _CHUNK):
        part = _units(vectors[start : start + _CHUNK]) - middle
        signs[start : start + _CHUNK] = np.packbits(part @ planes > 0, axis=1).view(np.uint16)
    return signs.T.astype(np.uint64), signs


@functools.cache
def _set_bits() -> "NDArray[np.uint8]":
    """Return how many bits are set in each number of 16 bits."""
    import numpy as np

    numbers = np.arange(1 << 16, dtype=np.uint16).view(np.uint8).reshape(-1, 2)
    return np.unpackbits(numbers, axis=1).sum(axis=1, dtype=np.uint8)


def _units(vectors: "NDArray[np.int8]") -> "NDArray[np.float32]":
    """Return vectors of length one; one without any direction stays as it is."""
    import numpy as np

    numbers = vectors.astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", numbers, numbers))
    return numbers / np.maximum(lengths, 1.0)[:, None]
