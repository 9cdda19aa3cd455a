"""Augmentation: deterministic, and never without the telling word."""

import random

from finetune.train import augment_rows
from finetune.train.augment import vary

ROWS = [
    [
        {"role": "system", "content": "You are a pharmacy."},
        {"role": "user", "content": f"What is the price of Velorin{number} today?"},
        {"role": "assistant", "content": f"Velorin{number} costs {number} euros."},
    ]
    for number in range(10)
]


def test_the_same_seed_gives_the_same_rows() -> None:
    assert augment_rows(ROWS, passes=5, seed=3) == augment_rows(ROWS, passes=5, seed=3)
    assert augment_rows(ROWS, passes=5, seed=3) != augment_rows(ROWS, passes=5, seed=4)


def test_the_first_pass_is_as_written() -> None:
    first = augment_rows(ROWS, passes=3, seed=1)[: len(ROWS)]
    assert sorted(map(str, first)) == sorted(map(str, ROWS))


def test_only_questions_vary() -> None:
    varied = augment_rows(ROWS, passes=20, seed=1)
    assert len(varied) == 20 * len(ROWS)
    assert {row[0]["content"] for row in varied} == {"You are a pharmacy."}
    assert {row[2]["content"] for row in varied} == {row[2]["content"] for row in ROWS}
    assert len({row[1]["content"] for row in varied}) > 100


def test_a_word_that_few_answers_share_is_never_lost() -> None:
    lost = 0
    for row in augment_rows(ROWS, passes=200, seed=1):
        product = row[2]["content"].split()[0].lower()
        # A mistyped letter is the only way in which a product's name may change.
        lost += product not in row[1]["content"].lower()
    assert lost < 0.04 * 200 * len(ROWS)


def test_without_common_words_no_word_is_lost() -> None:
    words = ["where", "is", "the", "shop"]
    for seed in range(300):
        varied = vary("Where is the shop?", random.Random(seed)).lower()
        missing = [word for word in words if word not in varied]
        assert len(missing) <= 1, varied
