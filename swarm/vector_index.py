"""What searches the items of a storage by their vectors: the protocol, and what goes in and out.

The implementations stand in `swarm.memory`; `swarm.testing.conformance` checks one of your own.
"""

from array import array
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

__all__ = ["Entry", "Found", "VectorIndex"]


class Found(NamedTuple):
    """An item that a search found."""

    key: str
    score: float
    """Of the best of its vectors."""


class Entry(NamedTuple):
    """An item as an index takes it."""

    text: str
    """The item itself, to tell later whether it has changed."""
    vectors: "Sequence[array[float]]"
    """None, one, or several; of several the best one counts."""


class VectorIndex(Protocol):
    """Finds items by their vectors; called by one caller at a time.

    An index follows a storage: `sync` says what it lacks, `put` brings that.
    """

    @property
    def is_blocking(self) -> bool:
        """Whether calls may take long, so that they belong in a worker thread."""
        ...

    def sync(self, items: Mapping[str, str]) -> list[str]:
        """Forget what is gone or has changed.

        Args:
            items: The texts of all items that there are, by key.

        Returns:
            The keys of those that are not held, in the order of the items.
        """
        ...

    def put(self, entries: Mapping[str, Entry]) -> None:
        """Keep the vectors of items, in place of those that they had.

        Raises:
            ValueError: The vectors differ in length from those that are held; an index may tell
                this in `search` instead.
        """
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
