"""ROUGE-L gives the figures of the reference implementation; the numbers were taken from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.evaluate.rouge import rouge_l, rouge_tokens
from finetune.evaluate.stem import stem

STEMS = {
    "caresses": "caress",
    "ponies": "poni",
    "ties": "tie",
    "agreed": "agre",
    "feed": "feed",
    "plastered": "plaster",
    "hopping": "hop",
    "falling": "fall",
    "sized": "size",
    "enjoy": "enjoy",
    "spy": "spi",
    "rationally": "ration",
    "hopefully": "hope",
    "geology": "geolog",
    "apologies": "apolog",
    "triplicate": "triplic",
    "goodness": "good",
    "revival": "reviv",
    "adoption": "adopt",
    "controlling": "control",
    "rate": "rate",
    "ceasing": "ceas",
    "dies": "die",
    "dying": "die",
    "happily": "happili",
    "vietnamization": "vietnam",
    "skies": "sky",
    "by": "by",
}


@pytest.mark.requirement("S3-08")
@pytest.mark.parametrize(("word", "expected"), STEMS.items())
def test_words_have_the_stems_of_the_reference(word: str, expected: str) -> None:
    assert stem(word) == expected


@given(st.text(alphabet="abcdeiylsztmng0", max_size=12))
def test_any_word_has_a_stem_that_is_no_longer(word: str) -> None:
    # One letter may be put back: hoping becomes hope.
    assert len(stem(word)) <= max(len(word), 1)


@pytest.mark.requirement("S2-21", "S3-08")
@pytest.mark.parametrize(
    ("expected", "answer", "precision", "recall", "f_measure"),
    [
        ("We open at nine.", "We open at nine.", 1.0, 1.0, 1.0),
        ("Velorin costs 7.90 euros.", "The cost of Velorin is 7.90 euros", 0.5, 0.8, 8 / 13),
        ("The police killed the gunman", "The gunman police killed", 0.75, 0.6, 2 / 3),
        (
            "Relational databases are generally organised",
            "relate database generalization organisation",
            1.0,
            0.8,
            8 / 9,
        ),
        ("Öffnungszeiten: neun Uhr", "neun uhr", 1.0, 2 / 3, 0.8),
        ("He was dying in the skies", "she died under the sky", 0.6, 0.5, 6 / 11),
        ("testing one two three", "two three one tests", 0.5, 0.5, 0.5),
        ("", "", 0.0, 0.0, 0.0),
        ("...", "We open at nine.", 0.0, 0.0, 0.0),
    ],
)
def test_figures_are_those_of_the_reference(
    expected: str, answer: str, precision: float, recall: float, f_measure: float
) -> None:
    assert rouge_l(expected, answer) == pytest.approx((precision, recall, f_measure), abs=1e-9)


def test_short_words_keep_their_ending() -> None:
    assert rouge_tokens("He's dying: 3 boxes") == ["he", "s", "die", "3", "box"]
