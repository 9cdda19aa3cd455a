r"""Words and regular expressions that a policy refuses.

They are searched by the regular expressions that pydantic brings (those of Rust), in time linear
in the text: no expression, however unlucky, can stop the event loop. The price is that they have
no look-around and no back-references.
"""

import functools
import re
import unicodedata
from collections.abc import Sequence

from pydantic_core import SchemaError, SchemaValidator, core_schema

__all__ = ["Denied", "check_denied"]

_SIGNS = re.compile(r"[\\^$*+?|()\[\]{}]")
"""Whoever writes one of these in a word most likely means a regular expression."""

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
"""Thai, Lao, Burmese, Khmer, Chinese and Japanese have no spaces around their words."""

_MOST_MARKS = 30
"""Accents on one letter that count; no language has more."""


class Denied:
    """The entries of one `deny` list."""

    def __init__(self, entries: Sequence[str]) -> None:
        self._patterns = [_compile(entry) for entry in entries]

    def finds(self, text: str) -> bool:
        """Whether a text holds any of them."""
        if not text.isascii():
            # The search takes no halves of surrogate pairs, and would find nothing.
            text = text.encode(errors="replace").decode()
        plain = _plain(text)
        texts = (text,) if plain == text else (text, plain)
        return any(pattern.isinstance_python(each) for pattern in self._patterns for each in texts)


def check_denied(entry: str) -> str:
    """Return an entry of `deny` if it can be searched for.

    Raises:
        ValueError: It cannot; says why and what to write instead.
    """
    pattern = _compile(entry)
    if pattern.isinstance_python("") and pattern.isinstance_python("\u2713"):
        raise ValueError(f"{entry!r} is found in every text, so every text would be refused")
    return entry


@functools.lru_cache(maxsize=1024)
def _compile(entry: str) -> SchemaValidator:
    is_expression = len(entry) > 2 and entry.startswith("/") and entry.endswith("/")
    pattern = entry[1:-1] if is_expression else _word(entry)
    try:
        return SchemaValidator(
            core_schema.str_schema(pattern=f"(?i){pattern}", regex_engine="rust-regex")
        )
    except SchemaError as wrong:
        reason = str(wrong).strip().splitlines()[-1]
        reason = reason.strip().removeprefix("error: ").removeprefix("SchemaError: ")
        raise ValueError(f"{entry!r} is no regular expression that works here: {reason}") from None


def _word(entry: str) -> str:
    words = _plain(entry).split()
    if not words:
        raise ValueError("an empty word would be found in every text")
    if _SIGNS.search(entry):
        raise ValueError(
            f"{entry!r} reads like a regular expression; write one between slashes, as in"
            r" '/pass(word|port)/', with a backslash before signs that mean themselves: '/C\+\+/'"
        )
    first, last = words[0][0], words[-1][-1]
    before = "" if _UNSPACED.match(first) else r"(?:^|\W)"
    after = "" if _UNSPACED.match(last) else r"(?:\W|$)"
    return before + r"\s+".join(re.escape(word) for word in words) + after


def _plain(text: str) -> str:
    """Return a text without what only looks different: full-width letters, invisible signs."""
    if text.isascii():
        return text
    shown, marks = list[str](), 0
    for sign in text:
        marks = marks + 1 if unicodedata.combining(sign) else 0
        # Sorting the marks on one letter takes time quadratic in their number.
        if marks <= _MOST_MARKS and unicodedata.category(sign) != "Cf":
            shown.append(sign)
    return unicodedata.normalize("NFKC", "".join(shown))
