"""What may be shown to a model as an example: short, without private things, and without orders.

What is shown is believed, so a text that speaks to the model in place of answering is refused.
"""

import re
import unicodedata
from collections.abc import Callable

__all__ = ["acceptable", "clean"]

_LONGEST_QUESTION, _LONGEST_ANSWER = 1000, 4000
_MARKUP = re.compile(
    r"<\|[^|>\n]{1,40}\|>|<\uff5c[^>\n]{1,40}>|\[/?INST\]|<</?SYS>>|</?s>"
    r"|<(?:start|end)_of_turn>|</?(?:system|assistant|user|tool_call|think)>",
    re.IGNORECASE,
)
_ROLE = re.compile(r"^\s*(?:#+\s*)?(?:system|developer|assistant|user|human)\s*:", re.I | re.M)
_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override)\s+(?:(?:all|any|the|your|these|of)\s+){0,3}"
    r"(?:previous|prior|earlier|above|preceding)\b"
    r"|\b(?:system prompt|you are now|from now on,? you|new instructions?)\b",
    re.IGNORECASE,
)


def acceptable(question: str, answer: str) -> bool:
    """Whether a question and its answer may be an example."""
    if not question.strip() or not answer.strip():
        return False
    if len(question) > _LONGEST_QUESTION or len(answer) > _LONGEST_ANSWER:
        return False
    return not any(
        mark.search(unicodedata.normalize("NFKC", text))
        for text in (question, answer)
        for mark in (_MARKUP, _ROLE, _ORDER)
    )


def clean(text: str, redact: Callable[[str], str]) -> str:
    """Return a text without private things and without characters that nobody sees."""
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf"))
    return redact(kept).strip()
