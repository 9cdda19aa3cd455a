"""How hard a question looks, by rules that need no model: length, parts, code, maths, tools.

It decides before anything is asked, so it costs nothing; what a model makes of the question shows
only in its confidence.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Complexity", "complexity_of"]

_EASY_WORDS, _HARD_WORDS = 25, 125
_PART = 0.25
_CODE = re.compile(
    r"```|^\s*(?:def|class|import|from|function|const|SELECT|public) \w|[;{}]\s*$|\w\(\)"
    r"|=>|!=|=="
    r"|\b(?:traceback|stack trace|regex|regular expression|compile error|source code)\b",
    re.IGNORECASE | re.MULTILINE,
)
_MATHS = re.compile(
    r"\d\s*[*/^+=<>\u00d7\u00f7\u2264\u2265]\s*\d|\d\s+-\s+\d|\d ?% of\b"
    r"|[\u2211\u222b\u221a\u03c0]"
    r"|\b(?:calculate|compute|solve|derive|prove|integral|equation|probability)\b"
    r"|\b(?:average|sum) of\b",
    re.IGNORECASE,
)
_TOOLS = re.compile(
    r"https?://|\b(?:search the web|look (?:it|this|that) up|latest news|right now|real[- ]time"
    r"|attached|in the file|book (?:me|a)\b|send (?:an?|the) (?:mail|e-?mail|message))",
    re.IGNORECASE,
)
_REASONING = re.compile(
    r"\b(?:compare|contrast|trade-?offs?|pros and cons|step by step|analy[sz]e|evaluate"
    r"|summari[sz]e|explain why|what if|design|plan for|strategy|difference between|advantages)\b",
    re.IGNORECASE,
)
_MARKS = (("code", _CODE, 0.6), ("maths", _MATHS, 0.6), ("tools", _TOOLS, 0.6))
# Beyond this much nobody needs to read on to know that it is hard.
_READ = 20_000


class Complexity(NamedTuple):
    """How hard a question looks."""

    score: float
    """From 0, a short plain question, to 1."""
    reasons: tuple[str, ...]
    """What makes it hard: `length`, `questions`, `code`, `maths`, `tools`, `reasoning`, `words`."""


def complexity_of(text: str, hard_words: Sequence[str] = ()) -> Complexity:
    """Return how hard a question looks.

    Args:
        text: The question.
        hard_words: Words or phrases that make any question a hard one.
    """
    is_long = len(text) > _READ
    text = text[:_READ]
    parts: dict[str, float] = {}
    words = len(text.split())
    if words > _EASY_WORDS:
        parts["length"] = min(1.0, (words - _EASY_WORDS) / (_HARD_WORDS - _EASY_WORDS))
    questions = len(re.findall(r"\?+", text))
    if questions > 1:
        parts["questions"] = _PART * (questions - 1)
    parts |= {name: weight for name, mark, weight in _MARKS if mark.search(text)}
    asked = len({match.casefold() for match in _REASONING.findall(text)})
    if asked:
        parts["reasoning"] = 0.35 * asked
    if any(_has(text, word) for word in hard_words):
        parts["words"] = 1.0
    if is_long:
        parts["length"] = 1.0
    return Complexity(min(1.0, sum(parts.values())), tuple(parts))


def _has(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None
