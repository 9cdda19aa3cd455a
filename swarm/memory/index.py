"""Exact search over the vectors of a storage's items: every item is compared.

numpy does it where it is installed; without, plain Python does, and takes several times as long.
"""

import heapq
import importlib.util
import math
from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter, mul
from typing import Any

from swarm.vector_index import Entry, Found

__all__ = ["ExactIndex", "other_length", "scale_vector"]


class ExactIndex:
    """Compares with everything, in memory; right for up to some hundred thousand vectors."""

    is_blocking = False

    def __init__(
        self,
        similarity: Callable[[Sequence[float], Sequence[float]], float] | None = None,
        *,
        is_cosine: bool = True,
        uses_numpy: bool | None = None,
    ) -> None:
        """Make an empty index.

        Args:
            similarity: Compares two vectors instead of their product.
            is_cosine: Compare directions, not lengths.
            uses_numpy: Whether to; where it is installed when absent.
        """
        self._similarity = similarity
        self._is_cosine = is_cosine and similarity is None
        if uses_numpy is None:
            uses_numpy = importlib.util.find_spec("numpy") is not None
        self._uses_numpy = uses_numpy and similarity is None
        self._texts: dict[str, str] = {}
        self._vectors: dict[str, list[array[float]]] = {}
        self._matrix: Any = None
        self._lengths: set[int] | None = None

    def sync(self, items: Mapping[str, str]) -> list[str]:
        """Forget what is gone or has changed; see `VectorIndex.sync`."""
        stale = [key for key, text in self._texts.items() if items.get(key) != text]
        for key in stale:
            del self._texts[key], self._vectors[key]
        if stale:
            self._matrix = self._lengths = None
        return [key for key in items if key not in self._texts]

    def put(self, entries: Mapping[str, Entry]) -> None:
        """Keep the vectors of items; see `VectorIndex.put`."""
        for key, entry in entries.items():
            self._texts[key] = entry.text
            self._vectors[key] = [self._scaled(vector) for vector in entry.vectors]
        self._matrix = self._lengths = None

    def search(self, vector: "array[float]", *, total: int, score: float) -> list[Found]:
        """Return the best items; see `VectorIndex.search`."""
        if total < 1 or not any(self._vectors.values()):
            return []
        asked = self._scaled(vector)
        if self._lengths is None:
            self._lengths = {len(v) for vectors in self._vectors.values() for v in vectors}
        if self._lengths != {len(asked)}:
            raise other_length(len(asked), self._lengths)
        scores = self._fast(asked) if self._uses_numpy else self._slow(asked)
        found = (pair for pair in scores if pair[1] >= score)
        # Of two that are equal, the one that was put first stands first.
        return [Found(*pair) for pair in heapq.nlargest(total, found, key=itemgetter(1))]

    def _scaled(self, vector: "array[float]") -> "array[float]":
        return scale_vector(vector) if self._is_cosine else vector

    def _slow(self, asked: "array[float]") -> list[tuple[str, float]]:
        if self._similarity is not None:
            compare, first = self._similarity, list(asked)
            return [
                (key, max(float(compare(first, list(vector))) for vector in vectors))
                for key, vectors in self._vectors.items()
                if vectors
            ]
        return [
            (key, max(sum(map(mul, asked, vector)) for vector in vectors))
            for key, vectors in self._vectors.items()
            if vectors
        ]

    def _fast(self, asked: "array[float]") -> list[tuple[str, float]]:
        import numpy

        if self._matrix is None:
            rows = [v for vectors in self._vectors.values() for v in vectors]
            self._matrix = numpy.stack([numpy.frombuffer(row, dtype=numpy.float32) for row in rows])
        scores: list[float] = (self._matrix @ numpy.frombuffer(asked, dtype=numpy.float32)).tolist()
        best: list[tuple[str, float]] = []
        start = 0
        for key, vectors in self._vectors.items():
            if vectors:
                best.append((key, max(scores[start : start + len(vectors)])))
                start += len(vectors)
        return best


def scale_vector(vector: "array[float]") -> "array[float]":
    """Return a vector of the same direction and of length 1; one of zeros stays as it is."""
    most = max(map(abs, vector))
    if most == 0.0:
        return vector
    # By the largest number first, so that no square is too large or too small.
    length = most * math.sqrt(sum((value / most) ** 2 for value in vector))
    return array("f", [value / length for value in vector])


def other_length(length: int, known: Collection[int]) -> ValueError:
    """Return the error of a vector that cannot be compared with the others."""
    lengths = ", ".join(map(str, sorted(known)))
    return ValueError(f"a vector of length {length}, among vectors of length {lengths}")
