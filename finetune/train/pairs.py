"""Rehearsal: preference rows for the answers that must stay as they are.

Preference training on a few rows moves every answer of a small model. Rows that prefer the right
answer to another fact's answer hold the others in place.
"""

import random
from collections.abc import Sequence

from finetune.train.rows import Message, PreferenceRow

__all__ = ["rehearsal_pairs"]


def rehearsal_pairs(
    chats: Sequence[Sequence[Message]], *, beside: Sequence[PreferenceRow], seed: int
) -> list[PreferenceRow]:
    """Return one preference row per conversation, against a random other answer.

    Args:
        chats: Conversations that end with the right answer.
        beside: The rows that are trained for; conversations that share an answer with their
            non-preferred side are left out, because those answers are meant to change.
        seed: Same seed, same rows.
    """
    rng = random.Random(f"rehearsal:{seed}")
    changed = {pair.rejected for pair in beside}
    answers = sorted({chat[-1]["content"] for chat in chats})
    pairs: list[PreferenceRow] = []
    for chat in chats:
        right = chat[-1]["content"]
        others = [answer for answer in answers if answer != right]
        if right not in changed and others:
            pairs.append(PreferenceRow([dict(m) for m in chat[:-1]], right, rng.choice(others)))
    return pairs
