"""Preference rows: what is read, refused and repeated."""

from collections import Counter

from finetune.train.pairs import rehearsal_pairs
from finetune.train.rows import Message, PreferenceRow


def _chat(question: str, answer: str) -> list[Message]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


CHATS = [_chat(f"{letter}{number}?", letter) for letter in "abc" for number in range(5)]
CHANGED = PreferenceRow([{"role": "user", "content": "a0?"}], "d", "a")


def test_answers_that_change_are_not_rehearsed() -> None:
    pairs = rehearsal_pairs(CHATS, beside=[CHANGED], seed=1, per_answer=3)
    assert Counter(pair.chosen for pair in pairs) == {"b": 3, "c": 3}
    assert all(pair.chosen != pair.rejected for pair in pairs)
    assert all(pair.prompt[0]["content"].startswith(pair.chosen) for pair in pairs)


def test_the_same_seed_gives_the_same_rows() -> None:
    assert rehearsal_pairs(CHATS, beside=[], seed=1) == rehearsal_pairs(CHATS, beside=[], seed=1)
    assert rehearsal_pairs(CHATS, beside=[], seed=1) != rehearsal_pairs(CHATS, beside=[], seed=2)


def test_a_single_answer_has_nothing_to_be_preferred_to() -> None:
    assert rehearsal_pairs(CHATS[:3], beside=[], seed=1) == []
