"""The conformance suite for vector indexes: what a storage relies on, whatever searches."""

from array import array
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Protocol

import anyio.to_thread

from swarm.testing.conformance.report import ConformanceError, Report, expect, run_cases
from swarm.vector_index import Entry, Found, VectorIndex

__all__ = [
    "IndexFactory",
    "a_vector_without_direction_is_like_nothing",
    "all_of_many_items_are_found",
    "an_item_may_have_no_vectors",
    "another_length_is_refused",
    "keys_are_any_text",
    "putting_again_replaces",
    "sync_says_what_is_missing",
    "the_best_vector_of_an_item_counts",
    "the_nearest_come_first",
    "total_and_score_bound_what_is_found",
    "validate_vector_index",
    "vector_index_cases",
]


class IndexFactory(Protocol):
    """Makes indexes that compare by the cosine."""

    def __call__(self, name: str, /) -> VectorIndex:
        """Return an index of a name; empty, or where indexes are kept, with what it had."""
        ...


def vector_index_cases() -> tuple[str, ...]:
    """Return the names of all cases, in their order."""
    return tuple(_CASES)


async def validate_vector_index(
    factory: IndexFactory, *, only: Collection[str] | None = None, seconds: float = 60.0
) -> Report:
    """Check that an index does what `swarm.vector_index.VectorIndex` promises.

    Args:
        factory: Makes the indexes.
        only: The names of the cases to run; all when absent.
        seconds: How long a case may take.
    """
    unknown = sorted(set(only or ()) - set(_CASES))
    if unknown:
        raise ValueError(f"no such cases: {', '.join(unknown)}")
    chosen = {name: case for name, case in _CASES.items() if only is None or name in only}
    promises = {name: (case.__doc__ or "").strip() for name, case in chosen.items()}
    return await run_cases(
        {name: _in_thread(case, name, factory) for name, case in chosen.items()},
        promises,
        seconds=seconds,
    )


def _in_thread(
    case: Callable[[VectorIndex], None], name: str, factory: IndexFactory
) -> Callable[[], Awaitable[None]]:
    # Indexes may block.
    return partial(anyio.to_thread.run_sync, lambda: case(factory(name)), abandon_on_cancel=True)


def the_nearest_come_first(index: VectorIndex) -> None:
    """The items whose vectors point most alike come first, with the cosine as their score."""
    _fill(index, {"near": [[0, 9]], "far": [[1, 0]], "between": [[1, 1]], "away": [[0, -1]]})
    found = index.search(_vector(0, 1), total=3, score=-1)
    expect([one.key for one in found] == ["near", "between", "far"], f"found {found}")
    wrong = [abs(one.score - score) for one, score in zip(found, (1, 0.7071, 0), strict=True)]
    expect(max(wrong) < 1e-3, f"found {found}")


def the_best_vector_of_an_item_counts(index: VectorIndex) -> None:
    """An item with several vectors is found once, by the best of them."""
    many = [[1, (19 - number) / 50] for number in range(20)]
    _fill(index, {"many": many, "one": [[0, 1]], "other": [[-1, 0]]})
    found = index.search(_vector(1, 0), total=3, score=-2)
    expect([one.key for one in found] == ["many", "one", "other"], f"found {found}")
    expect(abs(found[0].score - 1) < 1e-3, f"found {found}")


def total_and_score_bound_what_is_found(index: VectorIndex) -> None:
    """No more than `total` items are found, and none below `score`."""
    _fill(index, {"a": [[1, 0]], "b": [[1, 1]], "c": [[0, 1]]})
    asked = _vector(1, 0)
    _expect_keys(index.search(asked, total=1, score=-1), ["a"])
    _expect_keys(index.search(asked, total=9, score=0.5), ["a", "b"])
    _expect_keys(index.search(asked, total=0, score=-1), [])
    _expect_keys(index.search(asked, total=9, score=1.5), [])


def sync_says_what_is_missing(index: VectorIndex) -> None:
    """`sync` names what is not held, in order, and forgets what is gone or has changed."""
    expect(index.sync({"b": "1", "a": "1"}) == ["b", "a"], "an empty index held something")
    _fill(index, {"a": [[1, 0]], "b": [[1, 1]], "c": [[0, 1]]})
    texts = {"a": "text a", "b": "other", "d": "text d"}
    expect(index.sync(texts) == ["b", "d"], "`sync` named other items than b and d")
    _expect_keys(index.search(_vector(1, 0), total=9, score=-1), ["a"])
    index.put({"b": Entry("other", [_vector(2, 0)]), "d": Entry("text d", [])})
    expect(index.sync(texts) == [], "what was put is not held")


def putting_again_replaces(index: VectorIndex) -> None:
    """The vectors of an item that is put again are replaced, also by fewer or none."""
    _fill(index, {"a": [[1, 0], [0, 1]], "b": [[1, 1]]})
    _fill(index, {"a": [[1, 0]]})
    _expect_keys(index.search(_vector(0, 1), total=1, score=-1), ["b"])
    _fill(index, {"a": []})
    _expect_keys(index.search(_vector(1, 0), total=9, score=-1), ["b"])


def an_item_may_have_no_vectors(index: VectorIndex) -> None:
    """An item without vectors is held, and never found."""
    _expect_keys(index.search(_vector(1, 0), total=9, score=-1), [])
    _fill(index, {"a": []})
    expect(index.sync({"a": "text a"}) == [], "an item without vectors is not held")
    _expect_keys(index.search(_vector(1, 0), total=9, score=-1), [])


def a_vector_without_direction_is_like_nothing(index: VectorIndex) -> None:
    """A vector of zeros has the score 0 with everything, held or searched for."""
    _fill(index, {"a": [[0, 0]], "b": [[1, 0]]})
    found = {one.key: one.score for one in index.search(_vector(1, 0), total=9, score=-1)}
    expect(abs(found.get("a", 9.0)) < 1e-6, f"found {found}")
    found = {one.key: one.score for one in index.search(_vector(0, 0), total=9, score=-1)}
    expect(found.keys() == {"a", "b"} and not any(found.values()), f"found {found}")


def keys_are_any_text(index: VectorIndex) -> None:
    """Keys and texts may hold anything, such as quotes, `#` and other alphabets."""
    keys = ['"a#1"', '"a"', "-1", "1", '"世界"', "'; --", '"é"']
    _fill(index, {key: [[1.0, float(place)]] for place, key in enumerate(keys)})
    found = index.search(_vector(1, 0), total=9, score=-1)
    _expect_keys(found, keys)
    expect(index.sync({key: f"text {key}" for key in keys}) == [], "not all are held")


def another_length_is_refused(index: VectorIndex) -> None:
    """A vector of another length than those that are held is a `ValueError`."""
    _fill(index, {"a": [[1, 0]]})
    try:
        index.search(_vector(1, 0, 0), total=1, score=-1)
    except ValueError:
        return
    raise ConformanceError("a vector of three numbers was compared with one of two")


def all_of_many_items_are_found(index: VectorIndex) -> None:
    """The nearest is found among a thousand items, and a change among them is seen."""
    many = {f"item {n}": [[float(n % 37), float(n % 23), 1.0 + n / 1000]] for n in range(1000)}
    _fill(index, many)
    _fill(index, {"item 7": [[-5, -5, -5]]})
    _expect_keys(index.search(_vector(-1, -1, -1), total=1, score=0.9), ["item 7"])


_CASES: Mapping[str, Callable[[VectorIndex], None]] = {
    case.__name__: case
    for case in (
        the_nearest_come_first,
        the_best_vector_of_an_item_counts,
        total_and_score_bound_what_is_found,
        sync_says_what_is_missing,
        putting_again_replaces,
        an_item_may_have_no_vectors,
        a_vector_without_direction_is_like_nothing,
        keys_are_any_text,
        another_length_is_refused,
        all_of_many_items_are_found,
    )
}


def _fill(index: VectorIndex, items: Mapping[str, list[list[float]]]) -> None:
    entries = {
        key: Entry(f"text {key}", [_vector(*numbers) for numbers in vectors])
        for key, vectors in items.items()
    }
    index.put(entries)


def _vector(*numbers: float) -> "array[float]":
    return array("f", numbers)


def _expect_keys(found: list[Found], keys: list[str]) -> None:
    expect([one.key for one in found] == keys, f"found {found}, not {keys}")
