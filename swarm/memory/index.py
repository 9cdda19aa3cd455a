"""Exact search over the vectors of a storage's items: every item is compared.

numpy does it where it is installed; without, plain Python does, and takes several times as long.
"""

import heapq
import importlib.util
import math
from array import array
from collections.abc import Callable, Sequence
from operator import itemgetter, mul
from typing import Any, NamedTuple, Protocol

__all__ = ["ExactIndex", "Found", "VectorIndex"]


class Found(NamedTuple):
    """An item that a search found."""

    key: str
    score: float
    """Of the best of its vectors."""


class VectorIndex(Protocol):
    """Finds items by their vectors."""

    def put(self, key: str, vectors: "Sequence[array[float]]") -> None:
        """Keep the vectors of an item, in place of those it had."""
        ...

    def remove(self, key: str) -> None:
        """Forget an item; one that is not there is no error."""
        ...

    def search(self, vector: "array[float]", *, total: int, score: float) -> list[Found]:
        """Return the best items, the best first, each once.

        Args:
            vector: What to search for.
            total: The most items.
            score: The least similarity.

        Raises:
            ValueError: The vector has another length than those of the items.
        """
        ...


class ExactIndex:
    """Compares with everything; right for up to some hundred thousand vectors."""

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
        self._vectors: dict[str, list[array[float]]] = {}
        self._matrix: Any = None
        self._lengths: set[int] | None = None

    def __len__(self) -> int:
        return len(self._vectors)

    def __contains__(self, key: object) -> bool:
        return key in self._vectors

    def put(self, key: str, vectors: "Sequence[array[float]]") -> None:
        """Keep the vectors of an item; see `VectorIndex.put`."""
        self._vectors[key] = [self._scaled(vector) for vector in vectors]
        self._matrix = self._lengths = None

    def remove(self, key: str) -> None:
        """Forget an item; see `VectorIndex.remove`."""
        if self._vectors.pop(key, None) is not None:
            self._matrix = self._lengths = None

    def search(self, vector: "array[float]", *, total: int, score: float) -> list[Found]:
        """Return the best items; see `VectorIndex.search`."""
        if total < 1 or not any(self._vectors.values()):
            return []
        asked = self._scaled(vector)
        if self._lengths is None:
            self._lengths = {len(v) for vectors in self._vectors.values() for v in vectors}
        if self._lengths != {len(asked)}:
            known = ", ".join(map(str, sorted(self._lengths)))
            raise ValueError(f"a vector of length {len(asked)}, among vectors of length {known}")
        scores = self._fast(asked) if self._uses_numpy else self._slow(asked)
        found = (pair for pair in scores if pair[1] >= score)
        # Of two that are equal, the one that was put first stands first.
        return [Found(*pair) for pair in heapq.nlargest(total, found, key=itemgetter(1))]

    def _scaled(self, vector: "array[float]") -> "array[float]":
        if not self._is_cosine:
            return vector
        most = max(map(abs, vector))
        if most == 0.0:
            return vector
        # By the largest number first, so that no square is too large or too small.
        length = most * math.sqrt(sum((value / most) ** 2 for value in vector))
        return array("f", [value / length for value in vector])

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
