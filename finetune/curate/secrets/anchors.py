"""Where in a text a rule may find something: one scan for all literals that secrets begin with.

With google-re2 the scan is one automaton; without it, one search for each literal. Both find the
same places, the leftmost of those that overlap.
"""

import importlib
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

__all__ = ["Scan", "plain_scan", "scan_with_re2"]

Scan = Callable[[bytes], list[tuple[int, bytes]]]
"""Returns the literals in a text, which is ASCII in lower case, and where they begin."""


@lru_cache(maxsize=1)
def _re2() -> Any:
    try:
        return importlib.import_module("re2")
    except ImportError:
        return None


def scan_with_re2(literals: Sequence[bytes]) -> Scan | None:
    """Return the scan with google-re2, or None where that is not installed."""
    re2 = _re2()
    if re2 is None:
        return None
    pattern = re2.compile(b"|".join(map(re2.escape, literals)))
    finditer = pattern.finditer

    def scan(data: bytes) -> list[tuple[int, bytes]]:
        return [(match.start(), match.group()) for match in finditer(data)]

    return scan


def plain_scan(literals: Sequence[bytes]) -> Scan:
    """Return the scan that needs no package.

    The literals are grouped by a character that few texts have, so that most are not looked for.
    """
    groups: dict[bytes, list[bytes]] = {}
    for literal in literals:
        rare = next((mark for mark in (b"_", b"/", b"=", b":", b"-", b".") if mark in literal), b"")
        groups.setdefault(rare, []).append(literal)

    def scan(data: bytes) -> list[tuple[int, bytes]]:
        found = [
            (at, literal)
            for mark, group in groups.items()
            if mark in data
            for literal in group
            if literal in data
            for at in _places(data, literal)
        ]
        return _leftmost(found) if found else found

    return scan


def _places(data: bytes, literal: bytes) -> Iterable[int]:
    at = data.find(literal)
    while at >= 0:
        yield at
        at = data.find(literal, at + 1)


def _leftmost(found: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    kept: list[tuple[int, bytes]] = []
    end = 0
    for at, literal in sorted(found):
        if at >= end:
            kept.append((at, literal))
            end = at + len(literal)
    return kept
