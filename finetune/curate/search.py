r"""One quick look at a text, by google-re2 where it is installed and by `re` elsewhere.

Only for questions whose answer is the same with both: no `\w`, `\b` or `\d`, which mean more to
`re`.
"""

import importlib
import re
from collections.abc import Callable
from typing import Any

__all__ = ["quick_search"]


def quick_search(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether the pattern is somewhere in a text."""
    try:
        re2: Any = importlib.import_module("re2")
    except ImportError:
        found = re.compile(pattern).search
        return lambda text: found(text) is not None
    search: Callable[[bytes], object | None] = re2.compile(pattern).search
    # Half a surrogate pair, possible in rows made in Python, must not stop a look.
    return lambda text: search(text.encode("utf-8", "replace")) is not None
