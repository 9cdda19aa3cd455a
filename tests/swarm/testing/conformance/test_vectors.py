"""The suite for vector indexes: ours pass it, and broken ones do not."""

from array import array
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from swarm.chroma import ChromaFolder
from swarm.memory import Entry, ExactIndex, Found, VectorIndex
from swarm.memory.cells import CellKey
from swarm.memory.chroma import ChromaIndex
from swarm.testing.conformance import (
    ConformanceError,
    validate_vector_index,
    vector_index_cases,
)

pytestmark = pytest.mark.anyio
Make = Callable[[str], VectorIndex]


def _exact(name: str) -> VectorIndex:
    return ExactIndex(uses_numpy=True)


def _plain(name: str) -> VectorIndex:
    return ExactIndex(uses_numpy=False)


@pytest.fixture(params=["numpy", "plain", "chroma"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Each of our indexes."""
    if request.param != "chroma":
        return _exact if request.param == "numpy" else _plain
    folder = ChromaFolder(tmp_path)
    request.addfinalizer(folder.close)
    return lambda name: ChromaIndex(folder, CellKey("storage", name, "", ""), "test")


@pytest.mark.parametrize("case", vector_index_cases())
async def test_our_indexes_keep_their_promise(make: Make, case: str) -> None:
    report = await validate_vector_index(make, only=[case])
    report.raise_failures()
    assert [(result.name, bool(result.promise)) for result in report.results] == [(case, True)]


class _Forgetful(ExactIndex):
    """Never says what it lacks."""

    def sync(self, items: Mapping[str, str]) -> list[str]:
        """Forget what is gone, in silence."""
        super().sync(items)
        return []


class _FirstOnly(ExactIndex):
    """Keeps one vector of each item."""

    def put(self, entries: Mapping[str, Entry]) -> None:
        """Drop the others."""
        super().put({k: Entry(e.text, e.vectors[:1]) for k, e in entries.items()})


class _Adding(ExactIndex):
    """Keeps what an item had."""

    def put(self, entries: Mapping[str, Entry]) -> None:
        """Add vectors in place of replacing them."""
        had = self._vectors
        super().put({k: Entry(e.text, [*had.get(k, []), *e.vectors]) for k, e in entries.items()})


class _Unordered(ExactIndex):
    """Has the worst first, and knows no bounds."""

    def search(self, vector: "array[float]", *, total: int, score: float) -> list[Found]:
        """Return everything, in the wrong order."""
        return super().search(vector, total=10_000, score=-2)[::-1]


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        (_Forgetful, "sync_says_what_is_missing"),
        (_FirstOnly, "the_best_vector_of_an_item_counts"),
        (_Adding, "putting_again_replaces"),
        (_Unordered, "the_nearest_come_first"),
        (_Unordered, "total_and_score_bound_what_is_found"),
    ],
)
async def test_a_broken_index_is_told(kind: type[ExactIndex], broken: str) -> None:
    report = await validate_vector_index(lambda name: kind(), only=[broken])
    with pytest.raises(ConformanceError, match=f"1 of 1 cases failed\n  {broken}: "):
        report.raise_failures()


async def test_a_case_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="no such cases: speed"):
        await validate_vector_index(_exact, only=["speed"])
