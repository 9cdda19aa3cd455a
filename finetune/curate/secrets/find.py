"""All rules over one text."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from finetune.curate.screen import PlainRows
from finetune.curate.search import quick_find
from finetune.curate.secrets.anchors import Scan, plain_scan, scan_with_re2
from finetune.curate.secrets.assigned import ASSIGNED, FOREIGN_RULE
from finetune.curate.secrets.nearby import NEARBY
from finetune.curate.secrets.rule import Rule, Secret
from finetune.curate.secrets.shapes import SHAPES
from finetune.curate.secrets.structures import STRUCTURES

__all__ = ["RULES", "Engine", "Finder", "find_secrets", "redact_secrets", "replaced"]

RULES: tuple[Rule, ...] = (*SHAPES, *STRUCTURES, *NEARBY, *ASSIGNED)
"""All rules whose anchors are ASCII, the most exact first."""

Engine = Literal["re2", "plain"]


class Finder:
    """Finds secrets in texts."""

    def __init__(self, rules: Sequence[Rule] = RULES, engine: Engine | None = None) -> None:
        """Make a finder.

        Args:
            rules: What to look for; names in other letters than ASCII come with all rules.
            engine: How anchors are found; the fastest that is installed when absent. All find
                the same.
        """
        self._foreign = len(rules) == len(RULES)
        literals = _roots({anchor for rule in rules for anchor in rule.anchors})
        self._rules = {literal.encode(): _rules_at(literal, rules) for literal in literals}
        encoded = [literal.encode() for literal in literals]
        scan = None if engine == "plain" else scan_with_re2(encoded)
        self._scan: Scan = scan or plain_scan(encoded)
        signs = [re.escape(one) + _behind(self._rules[one.encode()]) for one in literals]
        self._find = quick_find("|".join(signs)) if scan else None

    def may_hold_secrets(self, text: str) -> bool:
        """Return False where no rule can find anything; much faster than `find`."""
        if self._scan(text.encode("ascii", "replace").lower()):
            return True
        return self._foreign and not text.isascii() and _has_foreign(text)

    def suspects(self, rows: PlainRows) -> frozenset[int]:
        """Return the rows in which some rule may find something."""
        return rows.having(self._find)

    def find(self, text: str) -> list[Secret]:
        """Return the secrets of a text, in order and without overlaps."""
        found: list[Secret] = []
        inside = range(0)
        # One byte for each character, so places are those of the text.
        for place, literal in self._scan(text.encode("ascii", "replace").lower()):
            for offset, rule in self._rules[literal]:
                at = place + offset
                if at in inside:
                    continue
                span = rule.find(text, at)
                if span is None:
                    continue
                found.append(Secret(rule.name, *span))
                if span.end > inside.stop:
                    inside = range(*span)
        if self._foreign and not text.isascii():
            found += _foreign_secrets(text)
        return _merged(found) if found else found


@lru_cache(maxsize=1)
def _default() -> Finder:
    return Finder()


def find_secrets(text: str) -> list[Secret]:
    """Return the keys, tokens and passwords of a text, in order and without overlaps."""
    return _default().find(text)


def redact_secrets(text: str) -> str:
    """Return a text with `[SECRET]` in place of each key, token and password."""
    return replaced(text, find_secrets(text))


def replaced(text: str, secrets: Sequence[Secret]) -> str:
    """Return a text with `[SECRET]` in place of what was found in it."""
    pieces: list[str] = []
    done = 0
    for secret in secrets:
        pieces += (text[done : secret.start], "[SECRET]")
        done = secret.end
    return "".join((*pieces, text[done:]))


def _roots(anchors: set[str]) -> list[str]:
    """Return the anchors that do not begin with another one, which stands for both."""
    return sorted(
        anchor
        for anchor in anchors
        if not any(anchor != other and anchor.startswith(other) for other in anchors)
    )


def _rules_at(literal: str, rules: Sequence[Rule]) -> list[tuple[int, Rule]]:
    """Return the rules to ask where a literal stands, and how far from its beginning.

    A literal hides those within it, as each place is found once.
    """
    found: list[tuple[int, Rule]] = []
    for rule in rules:
        offsets = {
            offset
            for anchor in rule.anchors
            if anchor in literal or anchor.startswith(literal)
            for offset in range(len(literal))
            if literal.startswith(anchor, offset) or (offset == 0 and anchor.startswith(literal))
        }
        found += [(offset, rule) for offset in sorted(offsets)]
    return sorted(found, key=lambda pair: pair[0])


def _behind(rules: Sequence[tuple[int, Rule]]) -> str:
    """Return a pattern of what stands behind a literal in ASCII where one of its rules finds."""
    # What is within the literal may have its body there, too.
    fewest = min(0 if offset else rule.follows for offset, rule in rules)
    return f"[!-~]{{{fewest}}}" if fewest else ""


def _has_foreign(text: str) -> bool:
    low = text.lower()
    return any(anchor in low for anchor in FOREIGN_RULE.anchors)


def _foreign_secrets(text: str) -> list[Secret]:
    # Not every letter has one in lower case, so that places might differ.
    low = text.lower() if len(text.lower()) == len(text) else text
    found: list[Secret] = []
    for anchor in FOREIGN_RULE.anchors:
        at = low.find(anchor)
        while at >= 0:
            span = FOREIGN_RULE.find(text, at)
            if span is not None:
                found.append(Secret(FOREIGN_RULE.name, *span))
            at = low.find(anchor, at + 1 if span is None else max(at + 1, span.end))
    return found


def _merged(found: list[Secret]) -> list[Secret]:
    """Return secrets in order; those that overlap become one that covers them all."""
    result: list[Secret] = []
    for secret in sorted(found, key=lambda one: (one.start, -one.end)):
        if not result or secret.start >= result[-1].end:
            result.append(secret)
        elif secret.end > result[-1].end:
            result[-1] = result[-1]._replace(end=secret.end)
    return result
