"""Augmentation: the same questions, asked a little differently in every pass.

A small model that sees each phrasing only as written learns the string and not the question. Each
pass after the first varies the user's words: letter case, punctuation, a greeting or a polite
frame, a lost common word, two swapped neighbours, a mistyped letter. A word that few answers share
(a product, a symptom) is never lost, or the question would have no answer. Answers never change.
The result depends only on the rows, the number of passes and the seed. Held-out phrasings are not
looked at: this module only ever gets training rows.
"""

import random
from collections import defaultdict
from collections.abc import Sequence, Set

__all__ = ["augment_rows", "vary"]

_GREETINGS = ("hello", "hi", "hey", "good morning", "good evening", "excuse me", "sorry", "well")
_OPENERS = (
    "please tell me",
    "can you tell me",
    "could you tell me",
    "do you know",
    "I would like to know",
    "I want to know",
    "tell me",
    "my question is",
    "a question",
)
_CLOSERS = ("please", "thanks", "thank you", "today", "exactly", "by the way", "then", "now")
_COMMON = 8
"""A word in the questions of this many answers says little about which answer is meant."""


def augment_rows(
    rows: Sequence[Sequence[dict[str, str]]], *, passes: int, seed: int
) -> list[list[dict[str, str]]]:
    """Return `passes` variations of the rows, pass after pass, each shuffled.

    Args:
        rows: Conversations as lists of messages with `role` and `content`.
        passes: How often each row appears; the first time as written.
        seed: Same seed, same result.
    """
    rng = random.Random(f"augment:{seed}")
    common = _common_words(rows)
    varied: list[list[dict[str, str]]] = []
    for number in range(passes):
        part = [_row(row, rng, common) if number else [dict(m) for m in row] for row in rows]
        rng.shuffle(part)
        varied.extend(part)
    return varied


def vary(text: str, rng: random.Random, common: Set[str] = frozenset()) -> str:
    """Return one random variation of a question; only `common` words may get lost."""
    words = text.split()
    losable = [at for at, word in enumerate(words) if _bare(word) in common]
    if len(words) > 3 and losable and rng.random() < 0.25:
        del words[rng.choice(losable)]
    if len(words) > 3 and rng.random() < 0.15:
        at = rng.randrange(len(words) - 1)
        words[at], words[at + 1] = words[at + 1], words[at]
    text = " ".join(words)
    if rng.random() < 0.05:
        text = _mistype(text, rng)
    if rng.random() < 0.25:
        text = text.rstrip("?.! ") + rng.choice(("", "", ".", "!", "??", " ?"))
    if rng.random() < 0.2:
        text = f"{rng.choice(_OPENERS)}{rng.choice((':', ',', ''))} {_lower_first(text)}"
    if rng.random() < 0.2:
        text = f"{rng.choice(_GREETINGS)}{rng.choice((',', '!', ''))} {text}"
    if rng.random() < 0.1:
        text = f"{text.rstrip('?.! ')}{rng.choice((', ', ' '))}{rng.choice(_CLOSERS)}{text[-1:]}"
    case = rng.random()
    if case < 0.2:
        return text.lower()
    if case < 0.25:
        return text.upper()
    return text[:1].upper() + text[1:] if case < 0.8 else text


def _common_words(rows: Sequence[Sequence[dict[str, str]]]) -> frozenset[str]:
    answers: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        for message in row:
            if message["role"] == "user":
                for word in message["content"].split():
                    answers[_bare(word)].add(row[-1]["content"])
    return frozenset(word for word, found in answers.items() if len(found) >= _COMMON)


def _bare(word: str) -> str:
    return word.strip(".,:;!?").lower()


def _row(
    row: Sequence[dict[str, str]], rng: random.Random, common: Set[str]
) -> list[dict[str, str]]:
    return [
        {**message, "content": vary(message["content"], rng, common)}
        if message["role"] == "user"
        else dict(message)
        for message in row
    ]


def _lower_first(text: str) -> str:
    # A product name keeps its capital: only common words open a question in lower case.
    return text if text[:2] in {"I ", "I'"} else text[:1].lower() + text[1:]


def _mistype(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text))
    return text[:at] + text[at + 1 :] if len(text) > 8 else text
