r"""Quick looks at texts, by google-re2 where it is installed.

Only for questions whose answer is the same with both: no `\w`, `\b` or `\d`, which mean more to
`re`.
"""

import importlib
import re
from collections.abc import Callable
from typing import Any

__all__ = ["Find", "quick_find", "quick_search"]

Find = Callable[[bytes, int], tuple[int, int] | None]
"""Returns the first place in a text, from a position on, where something is."""


_MEMORY = 64 * 1024 * 1024
"""Bytes for the states of one search; where they do not suffice, it starts anew."""


def quick_search(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether the pattern is somewhere in a text.

    Without google-re2 `re` looks, and takes longer.
    """
    try:
        re2: Any = importlib.import_module("re2")
    except ImportError:
        found = re.compile(pattern).search
        return lambda text: found(text) is not None
    search: Callable[[bytes], object | None] = re2.compile(pattern).search
    # Half a surrogate pair, possible in rows made in Python, must not stop a look.
    return lambda text: search(text.encode("utf-8", "replace")) is not None


def quick_find(pattern: str) -> Find | None:
    """Return what finds a pattern in ASCII text; None without google-re2, as `re` is too slow."""
    try:
        re2: Any = importlib.import_module("re2")
    except ImportError:
        return None
    options = re2.Options()
    options.never_capture = True
    options.max_mem = _MEMORY
    search: Callable[[bytes, int], Any] = re2.compile(pattern, options).search

    def find(text: bytes, start: int) -> tuple[int, int] | None:
        match = search(text, start)
        return None if match is None else match.span()

    return find
