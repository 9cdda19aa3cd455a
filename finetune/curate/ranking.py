"""Which rows of a group stay when there are too many: the best rated, then the earliest."""

import hashlib
from typing import TYPE_CHECKING

from finetune.dataset.sample import Provenance

if TYPE_CHECKING:
    import numpy as np

__all__ = ["NAME_BYTES", "author_of", "beyond", "name_bytes", "name_text", "rank_of"]

NAME_BYTES = 40
"""How long a name in a summary is."""

_UNRATED = 3.0
_CORRECTED = 6.0


def author_of(origin: Provenance) -> str | None:
    """Return who is behind a sample, as far as it is known."""
    return origin.author or origin.client_id or origin.session_id


def rank_of(origin: Provenance) -> float:
    """Return how good people found a sample: corrected rows 6, rated ones 1 to 5, others 3."""
    if origin.is_corrected:
        return _CORRECTED
    return float(origin.rating) if origin.rating is not None else _UNRATED


def name_bytes(name: str | None) -> bytes:
    """Return a name in at most 40 bytes: itself, or its start and a hash; nothing for no name."""
    if not name:
        return b""
    # NumPy drops zeros at the end of bytes, which no name needs.
    data = name.encode("utf-8", "replace").replace(b"\0", b"?")
    if len(data) <= NAME_BYTES:
        return data
    return data[:24] + hashlib.blake2b(data, digest_size=8).hexdigest().encode()


def name_text(name: bytes) -> str:
    """Return a name for a person: one line, without what a terminal would obey."""
    text = name.decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def beyond(groups: "np.ndarray", ranks: "np.ndarray", limits: "np.ndarray") -> "np.ndarray":
    """Return the positions, in order, of rows that are too many in their group.

    Args:
        groups: The group of each row, counted from 0.
        ranks: How good each row is.
        limits: How many rows each group may have.
    """
    import numpy as np

    order = np.lexsort((np.arange(len(groups)), -ranks, groups))
    sorted_groups = groups[order]
    first = np.searchsorted(sorted_groups, sorted_groups, side="left")
    place = np.arange(len(groups)) - first
    return np.sort(order[place >= limits[sorted_groups]])
