"""Exact search: numpy and plain Python find the same, the best vector of an item counts."""

import random
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.memory import Entry, ExactIndex, Found
from swarm.memory.vectors import pack_vector

_numbers = st.floats(-(2.0**100), 2.0**100, width=32)
_vectors = st.lists(_numbers, min_size=3, max_size=3).map(pack_vector)


@given(
    items=st.dictionaries(st.text(max_size=3), st.lists(_vectors, max_size=3), max_size=6),
    asked=_vectors,
    total=st.integers(0, 7),
)
def test_numpy_and_plain_python_find_the_same(
    items: "dict[str, list[array[float]]]", asked: "array[float]", total: int
) -> None:
    found: list[list[Found]] = []
    for uses_numpy in (True, False):
        index = ExactIndex(uses_numpy=uses_numpy)
        index.put({key: Entry("", vectors) for key, vectors in items.items()})
        found.append(index.search(asked, total=total, score=-2))
    fast, slow = found
    assert [one.score for one in fast] == pytest.approx([one.score for one in slow], abs=1e-4)
    assert (
        len({one.key for one in slow})
        == len(slow)
        == min(total, sum(bool(vectors) for vectors in items.values()))
    )
    assert all(-1.0001 <= one.score <= 1.0001 for one in slow)


@pytest.mark.parametrize("uses_numpy", [True, False])
def test_the_best_vector_of_an_item_counts_and_the_score_cuts(uses_numpy: bool) -> None:
    """kit:storage:several-vectors, kit:storage:score."""
    index = ExactIndex(uses_numpy=uses_numpy)
    index.put({"both": Entry("", [pack_vector([1, 0]), pack_vector([0, 3])])})
    index.put({"first": Entry("", [pack_vector([2, 0])])})
    index.put({"none": Entry("", [])})
    index.put({"between": Entry("", [pack_vector([1, 1])])})
    asked = pack_vector([0, 1])
    found = index.search(asked, total=5, score=-1)
    assert [one.key for one in found] == ["both", "between", "first"]
    assert [one.key for one in index.search(asked, total=5, score=0.5)] == ["both", "between"]
    assert [one.key for one in index.search(asked, total=1, score=-1)] == ["both"]
    index.put({"first": Entry("", [pack_vector([0, 1])])})
    assert index.sync({"first": "", "none": "", "between": "", "new": ""}) == ["new"]
    assert [one.key for one in index.search(asked, total=5, score=0.5)] == ["first", "between"]


def test_a_similarity_of_the_user_and_products_are_used() -> None:
    """kit:embedding:calculate-similarity."""
    near = ExactIndex(lambda first, second: -abs(first[0] - second[0]))
    product = ExactIndex(is_cosine=False)
    for index in (near, product):
        for number in (1.0, 5.0, 9.0):
            index.put({str(number): Entry("", [pack_vector([number])])})
    asked = pack_vector([6.0])
    assert near.search(asked, total=2, score=-10) == [Found("5.0", -1.0), Found("9.0", -3.0)]
    assert product.search(asked, total=1, score=0) == [Found("9.0", 54.0)]


def test_a_vector_of_another_length_is_refused() -> None:
    index = ExactIndex()
    index.put({"a": Entry("", [pack_vector([1, 2])])})
    with pytest.raises(ValueError, match="length 3, among vectors of length 2"):
        index.search(pack_vector([1, 2, 3]), total=1, score=0)


def test_ten_thousand_items_find_the_nearest() -> None:
    source = random.Random(7)
    index = ExactIndex()
    for number in range(10_000):
        vector = pack_vector(source.gauss(0, 1) for _ in range(8))
        index.put({str(number): Entry("", [vector])})
    asked = pack_vector(source.gauss(0, 1) for _ in range(8))
    index.put({"same": Entry("", [asked])})
    assert index.search(asked, total=1, score=0)[0].key == "same"


@pytest.mark.parametrize("numbers", [[], [float("nan")], [float("inf")], [1e39]])
def test_what_is_no_vector_is_refused(numbers: list[float]) -> None:
    with pytest.raises((ValueError, OverflowError)):
        pack_vector(numbers)
