"""How good an answer looks, without asking a model: parts from 0 to 1, and their product."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from finetune.curate.refusals import refusal_share
from finetune.curate.turns import Turns, turns_of
from finetune.dataset.sample import Provenance, Sample
from finetune.dataset.tokens import estimate_text

__all__ = [
    "CONTROLS",
    "DIFFERENT",
    "LONGEST_WORD",
    "STOCK_WORDS",
    "UNPUNCTUATED",
    "Measures",
    "QualityScore",
    "measure",
    "score",
    "score_of",
]

STOCK_WORDS = 40
"""An answer of more words says something."""
DIFFERENT = 0.55
"""The share of different words above which hardly anything can be repeated."""
CONTROLS = bytes([*range(9), *range(14, 32), 127])
"""Characters that no text has."""
LONGEST_WORD = 20
"""Characters a word, on average; above them a text has no words, or one."""
UNPUNCTUATED = 0.4
"""The share of letters and digits from which a text is no mere punctuation."""

_UPPER = bytes(range(ord("A"), ord("Z") + 1))
_LETTERS = _UPPER + _UPPER.lower() + bytes(range(0x80, 0x100))
_SPACES = b" \t\r\n"
_TEXT = _LETTERS + b"0123456789" + _SPACES
_MISREAD = re.compile("\ufffd|[\u00c3\u00c2\u00e2][\u0080-\u00bf\u20ac\u2122\u0152\u0153]")
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_STOCK = re.compile(
    r"how (?:can|may) i (?:help|assist) you(?: today)?|(?:is there )?anything else (?:i can"
    r"|you)[^.!?\n]*"
    r"|(?:feel free|do not hesitate|don't hesitate) to [^.!?\n]*|let me know if [^.!?\n]*"
    r"|thank(?:s| you) for (?:your |contacting|reaching|the |asking|getting)[^.!?\n]*"
    r"|i(?:'m| am|'d be| would be)? happy to help[^.!?\n]*|have a (?:nice|great|good|lovely) \w+"
    r"|(?:great|good|excellent) question|(?:kind|best|warm) regards"
    r"|wie kann ich (?:ihnen |dir )?(?:heute )?(?:weiter)?helfen|vielen dank für [^.!?\n]*"
    r"|mit freundlichen grüßen|¿en qué puedo ayudarle?|comment puis-je vous aider"
)
_WORD = re.compile(r"[^\W_]+")
_USUAL_RATING = 0.7


class Measures(NamedTuple):
    """What can be counted in a row."""

    question_tokens: int
    """Estimated, of all user messages."""
    answer_tokens: int
    """Estimated, of all that is learnt, arguments of tool calls included."""
    refusal: float
    """How much of the answer declines, 0 to 1."""
    repetition: float
    """How many of the answer's runs of three words were there before, 0 to 1; 0 where over 55 %
    of its words are different ones."""
    capitals: float
    """How many of its letters are capitals, where it has at least 20."""
    broken: float
    """How much of it is no text: characters of a wrong encoding, control characters, or hardly
    any letters; 0 to 1."""
    is_stock: bool
    """Whether it says only what stands in every answer."""


class QualityScore(NamedTuple):
    """How good a row looks."""

    total: float
    """The product of the parts, 0 to 1."""
    rating: float
    """1 for corrected rows, a fifth for each star, 0.7 without a rating."""
    answered: float
    """0 for runs that failed, ran out of time or were cancelled."""
    helpful: float
    """What is no refusal and no stock phrase."""
    original: float
    """What is no repetition."""
    legible: float
    """What is neither broken nor all in capitals."""
    substantial: float
    """1 from 8 tokens of answer on."""


def measure(turns: Turns) -> Measures:
    """Count what `QualityConfig` judges by."""
    answer = turns.answer
    data = answer.encode("utf-8", "replace")
    words = answer.lower().split()
    return Measures(
        question_tokens=estimate_text(turns.question),
        answer_tokens=estimate_text(answer) + estimate_text(turns.calls),
        refusal=refusal_share(answer),
        repetition=_repetition(words, answer),
        capitals=_capitals(data),
        broken=_broken(answer, data),
        is_stock=0 < len(words) <= STOCK_WORDS and _is_stock(answer),
    )


def score(measures: Measures, origin: Provenance) -> QualityScore:
    """Return how good a row looks by what was counted and what people said."""
    rating = _USUAL_RATING if origin.rating is None else origin.rating / 5
    if origin.is_corrected:
        rating = 1.0
    failed = origin.status not in (None, "answered") and not origin.is_corrected
    parts = (
        rating,
        0.0 if failed else 1.0,
        0.0 if measures.is_stock else 1 - measures.refusal,
        1 - measures.repetition,
        (1 - measures.broken) * (0.5 if measures.capitals > 0.7 else 1.0),
        min(1.0, measures.answer_tokens / 8),
    )
    total = 1.0
    for part in parts:
        total *= part
    return QualityScore(round(total, 4), *parts)


def score_of(sample: Sample) -> QualityScore:
    """Return how good a sample looks."""
    return score(measure(turns_of(sample.row)), sample.provenance)


def _repetition(words: Sequence[str], text: str) -> float:
    if text and len(text) > LONGEST_WORD * (len(words) + 1):
        # A script without spaces, or one long word: characters take the place of words.
        words = text
    # Where most words are new, hardly any run can be an old one.
    if len(words) < 12 or len(set(words)) > DIFFERENT * len(words):
        return 0.0
    runs = list(zip(words, words[1:], words[2:], strict=False))
    return 1 - len(set(runs)) / len(runs)


def _capitals(data: bytes) -> float:
    letters = len(data) - len(data.translate(None, _LETTERS))
    if letters < 20:
        return 0.0
    return (len(data) - len(data.translate(None, _UPPER))) / letters


def _broken(text: str, data: bytes) -> float:
    if not text:
        return 0.0
    wrong = len(data) - len(data.translate(None, CONTROLS))
    if not text.isascii():
        wrong += len(_MISREAD.findall(text))
    # Few texts have one of these, and those that do mostly have many.
    broken = 10 * wrong / len(text)
    solid = len(data.translate(None, _SPACES))
    if solid >= 20 and len(data.translate(None, _TEXT)) > (1 - UNPUNCTUATED) * solid:
        # Mostly punctuation; code has more of it than prose, and has its own marks.
        prose = _CODE.sub("", text)
        broken += 1.0 if len(prose) > 0.5 * len(text) else 0.0
    return min(1.0, broken)


def _is_stock(answer: str) -> bool:
    text = answer.lower()
    left = _STOCK.sub("", text)
    return left != text and len(_WORD.findall(left)) < 4
