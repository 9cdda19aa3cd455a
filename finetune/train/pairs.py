"""Rehearsal: preference rows for the answers that must stay as they are.

Preference training on a few rows moves every answer of a small model. Rows that prefer the right
answer to another fact's answer hold the others in place.
"""

import random
from collections import Counter
from collections.abc import Sequence

from finetune.train.rows import Message, PreferenceRow

__all__ = ["rehearsal_pairs"]


def rehearsal_pairs(
    chats: Sequence[Sequence[Message]],
    *,
    beside: Sequence[PreferenceRow],
    seed: int,
    per_answer: int = 2,
) -> list[PreferenceRow]:
    """Return a few preference rows per answer, each against a random other answer.

    Args:
        chats: Conversations that end with the right answer.
        beside: The rows that are trained for; conversations that share an answer with their
            non-preferred side are left out, because those answers are meant to change.
        seed: Same seed, same rows.
        per_answer: At most so many conversations of an answer; more would drown `beside`.
    """
    rng = random.Random(f"rehearsal:{seed}")
    changed = {pair.rejected for pair in beside}
    answers = sorted({chat[-1]["content"] for chat in chats})
    used: Counter[str] = Counter()
    pairs: list[PreferenceRow] = []
    for chat in rng.sample(list(chats), len(chats)):
        right = chat[-1]["content"]
        others = [answer for answer in answers if answer != right]
        if right not in changed and others and used[right] < per_answer:
            used[right] += 1
            pairs.append(PreferenceRow([dict(m) for m in chat[:-1]], right, rng.choice(others)))
    return pairs
