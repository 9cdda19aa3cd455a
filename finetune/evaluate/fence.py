"""Texts that a judge reads, put so that they cannot give it orders.

Three things together: what a person would not see is taken out, sentences that speak to a judge
are taken out, and what is left stands as JSON between two lines that no text can contain. A judge
may still be moved by a text that only argues well; how often it agrees with people is measured.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["CleanText", "fence", "take_out_orders", "visible_text"]

_LONGEST = 20_000
_CONTROL_TOKENS = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|</?s>|\[/?INST\]|<</?SYS>>|</?(?:start|end)_of_turn>", re.IGNORECASE
)
"""Marks that chat templates put between messages; tokenizers of some servers obey them."""
_ORDERS = (
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,60}"
    r"\b(?:instructions?|prompts?|rubrics?|rules?|criteria|guidelines?|above|previous|prior)\b",
    r"\b(?:give|assign|award|rate|score|grade|mark|return|output|respond|choose|pick|prefer)\b"
    r".{0,60}\b(?:scores?|marks?|points?|ratings?|grades?|stars?|out of (?:5|five|10|ten)|5/5)\b",
    r"\b(?:dear|attention|note to|message to|you are|to) (?:the |a |an |now )?"
    r"(?:judge|grader|evaluator|rater|assessor)\b",
    r"[\"']?(?:score|winner|rating|verdict)[\"']\s*:",
    r"\b(?:system|assistant|developer) ?(?:message|prompt|note|:)",
    r"\b(?:score|rating|grade) (?:of|is|=) ?(?:5|five|10|ten|the highest|the maximum)\b",
)
_SPEAKS_TO_JUDGE = re.compile("|".join(_ORDERS), re.IGNORECASE | re.DOTALL)
_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?!\s|$)[^.!?\n]*)*[.!?\n]*\s*")


class CleanText(NamedTuple):
    """A text without what speaks to a judge."""

    text: str
    has_orders: bool
    """Whether something was taken out."""


def visible_text(text: str) -> str:
    """Return a text without hidden characters and control tokens, cut at 20,000 characters."""
    kept = "".join(
        character
        for character in unicodedata.normalize("NFKC", text[:_LONGEST])
        if character in "\n\t" or not _is_hidden(character)
    )
    # Taking one mark out may leave another one behind: <|im_<|im_end|>end|>.
    while (without := _CONTROL_TOKENS.sub(" ", kept)) != kept:
        kept = without
    return kept


def take_out_orders(text: str, *, expected: str = "") -> CleanText:
    """Return a text without the sentences that speak to a judge.

    Args:
        text: What `visible_text` returned.
        expected: The right answer. Where it has such sentences too, they are what is asked for.
    """
    if _SPEAKS_TO_JUDGE.search(visible_text(expected)) or not _SPEAKS_TO_JUDGE.search(text):
        return CleanText(text, has_orders=False)
    sentences = [found for found in _SENTENCE.findall(text) if found]
    kept = [one for one in sentences if not _SPEAKS_TO_JUDGE.search(one)]
    without = "".join(kept)
    if _SPEAKS_TO_JUDGE.search(without) or len(kept) == len(sentences):
        without = ""  # the order runs over several sentences
    return CleanText(f"{without.rstrip()} [removed]".strip(), has_orders=True)


def fence(texts: Mapping[str, str]) -> str:
    """Return texts as JSON between two lines, which are made from the texts themselves."""
    body = json.dumps(dict(texts), ensure_ascii=False, indent=1)
    mark = hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return f"DATA {mark}\n{body}\nEND {mark}"


def _is_hidden(character: str) -> bool:
    code = ord(character)
    return (
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"}
        or 0xFE00 <= code <= 0xFE0F
        or 0xE0000 <= code <= 0xE0FFF
        # Letters that show nothing: fillers of Hangul, and the Braille blank.
        or code in {0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800, 0x034F}
    )
