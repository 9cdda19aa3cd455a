"""The figures over all rows."""

import math
from pathlib import Path

import pytest

from finetune.evaluate.match import exact_match, normalise_answer, normalised_match, token_f1
from finetune.evaluate.metrics import measure, perplexity_verdict, row_scores
from finetune.evaluate.ngrams import ngram_scores
from finetune.evaluate.row import RowResult, read_results, write_results
from swarm.errors import DataError

EXPECTED = ["We open at nine.", "Velorin costs 7.90 euros."]
ANSWERS = ["We open at nine.", "Velorin is 7.90 euros per box"]


def rows(*losses: tuple[float, int]) -> list[RowResult]:
    """Return two rows with these losses."""
    given = losses or ((None, None), (None, None))
    return [
        RowResult(
            row=at + 1,
            question=f"Question {at}?",
            expected=EXPECTED[at],
            answer=ANSWERS[at],
            exact=exact_match(EXPECTED[at], ANSWERS[at]),
            loss=given[at][0],
            tokens=given[at][1],
        )
        for at in range(2)
    ]


@pytest.mark.requirement("S3-11")
@pytest.mark.parametrize(
    ("expected", "answer", "same"),
    [
        ("We open at nine.", "we open at NINE", True),
        ("The price is 7.90 euros.", "Price is 7.90 euros", True),
        ("It costs 7.90", "It costs 790", False),
        ("1,200 boxes", "1,200 boxes!", True),
        ("opening-hours", "opening hours", True),
        ("5 %", "5 €", False),
        ("Bananas", "Banana", False),
        ("A", "the", False),
    ],
)
def test_a_normalised_answer_forgives_case_punctuation_and_articles(
    expected: str, answer: str, same: bool
) -> None:
    assert normalised_match(expected, answer) is same


def test_normalising_twice_changes_nothing() -> None:
    text = "The  Velorin-box: 7.90 € (a bargain), 50% off!"
    assert normalise_answer(normalise_answer(text)) == normalise_answer(text)


@pytest.mark.parametrize(
    ("expected", "answer", "score"),
    [
        ("We open at nine.", "At nine we open", 1.0),
        ("Velorin costs 7.90 euros.", "Velorin is 7.90 euros per box", 0.6),
        ("yes", "no", 0.0),
        ("", "", 1.0),
        ("yes", "", 0.0),
        ("no no yes", "no yes yes", 2 / 3),
    ],
)
def test_token_f1_counts_words_that_both_have(expected: str, answer: str, score: float) -> None:
    assert token_f1(expected, answer) == pytest.approx(score)


@pytest.mark.requirement("S2-21", "S3-09")
def test_bleu_and_chrf_are_those_of_sacrebleu() -> None:
    scores = ngram_scores(EXPECTED, ANSWERS)
    assert scores.bleu == pytest.approx(51.301138192432674, abs=1e-9)
    assert scores.chrf == pytest.approx(73.503822634771, abs=1e-9)


@pytest.mark.requirement("S2-20", "S3-10")
def test_perplexity_weighs_every_token_alike() -> None:
    # A short row of loss 3 a token and a long one of loss 1 a token: (6 + 8) / 10, not (3 + 1) / 2.
    found = measure(rows((6.0, 2), (8.0, 8)))
    assert found.loss == pytest.approx(1.4)
    assert found.perplexity == pytest.approx(math.exp(1.4))
    assert found.perplexity_verdict == "good"
    assert (perplexity_verdict(19.99), perplexity_verdict(20.0)) == ("good", "high")


def test_without_losses_there_is_no_perplexity() -> None:
    found = measure(rows())
    assert (found.loss, found.perplexity, found.perplexity_verdict) == (None, None, None)
    assert (found.rows, found.exact, found.normalised) == (2, 0.5, 0.5)
    assert found.token_f1 == pytest.approx(0.8)
    assert row_scores(rows(), "log_likelihood") is None
    assert row_scores(rows((6.0, 2), (8.0, 8)), "log_likelihood") == [-3.0, -1.0]
    assert measure([]).exact == 0.0


def test_results_come_back_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "out" / "results.jsonl"
    write_results(path, rows((6.0, 2), (8.0, 8)))
    assert read_results(path) == rows((6.0, 2), (8.0, 8))
    path.write_text(path.read_text(encoding="utf-8") + '{"row": 3}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"results.jsonl:3: question: Field required"):
        read_results(path)
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match="no predictions"):
        read_results(path)
