"""What a rule for secrets is, and what it finds."""

import re
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Rule", "Secret", "Span", "begins", "extended"]


class Span(NamedTuple):
    """A piece of a text, in characters."""

    start: int
    end: int
    """One past its last character."""


class Secret(NamedTuple):
    """A key, token or password in a text."""

    rule: str
    """Which kind of secret: the name of the rule that found it."""
    start: int
    end: int
    """One past the last character of the value; what stands around it is no part."""


class Rule(NamedTuple):
    """How one kind of secret is recognised.

    A rule is asked only where one of its anchors stands, and must look at no more of the text
    around it than a fixed length, or than what it then finds: so the work grows with the text.
    """

    name: str
    anchors: tuple[str, ...]
    """ASCII in lower case; one of them is in every secret of this kind, or shortly before it."""
    find: Callable[[str, int], Span | None]
    """Is given a text and where in it the anchor stands, and returns the secret's value."""
    follows: int = 0
    """At least so many characters, none of them a space, stand behind the anchor of a secret."""


_ESCAPE = re.compile(r"\\[nrtbf0]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}")


def begins(text: str, at: int) -> bool:
    r"""Return whether a token may begin there: nothing before it belongs to the same word.

    In JSON inside of JSON a new line is `\n`, whose letter is no part of the token behind it.
    """
    if at == 0:
        return True
    before = text[at - 1]
    if not (before.isascii() and (before.isalnum() or before == "_")):
        return True
    return any(
        _ESCAPE.fullmatch(text, at - size, at) is not None for size in (2, 3, 4, 6) if at >= size
    )


def extended(span: Span, text: str, rest: re.Pattern[str]) -> Span:
    """Return a span with what goes on behind it.

    A rule judges a piece of limited length, so that a text full of beginnings does not take
    longer than its length allows; the secret that it found is then taken whole.
    """
    match = rest.match(text, span.end)
    return span if match is None else Span(span.start, match.end())
