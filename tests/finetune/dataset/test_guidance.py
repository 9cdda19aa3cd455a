"""Figures about a whole file: what is measured, and when it is told."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from finetune.dataset import DatasetReport, Guidance, check_file, parse_row, write_rows

WORDS = (
    *("price", "order", "pharmacy", "tablet", "patient", "morning", "evening", "delivery"),
    *("address", "invoice", "refund", "customer", "headache", "water", "dose", "allergy"),
)


def check(path: Path, pairs: Sequence[tuple[str, str]]) -> DatasetReport:
    rows = [
        parse_row(
            {
                "messages": [
                    {"role": "user", "content": question},
                    {"role": "assistant", "content": answer},
                ]
            }
        )
        for question, answer in pairs
    ]
    return check_file(write_rows(path / "rows.jsonl", rows).path, minimum=1)


def figure(report: DatasetReport, aspect: str, at: int = 0) -> Guidance:
    return [item for item in report.guidance if item.aspect == aspect][at]


def sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words))


@pytest.fixture
def rng() -> random.Random:
    return random.Random(7)


@pytest.mark.requirement("S1-05")
def test_varied_rows_need_nothing(tmp_path: Path, rng: random.Random) -> None:
    pairs = [(sentence(rng, 8), sentence(rng, 30)) for _ in range(60)]
    report = check(tmp_path, pairs)
    assert {item.aspect for item in report.guidance} == {
        "size",
        "variety",
        "consistency",
        "relevance",
    }
    assert all(item.is_good and not item.hint for item in report.guidance)
    assert report.codes == {}


@pytest.mark.requirement("S1-05")
def test_few_rows_are_told(tmp_path: Path) -> None:
    report = check(tmp_path, [("When?", "Now.")])
    [size] = report.guidance  # shares of one row would say nothing
    assert (size.value, size.is_good) == (1, False)
    assert "50" in size.hint


@pytest.mark.requirement("S1-05")
def test_questions_that_all_begin_alike_lack_variety(tmp_path: Path, rng: random.Random) -> None:
    pairs = [(f"What is the {sentence(rng, 5)}", sentence(rng, 30)) for _ in range(40)]
    variety = figure(check(tmp_path, pairs), "variety")
    assert variety.value == 1 / 40
    assert "'what is the'" in variety.text
    assert not variety.is_good


@pytest.mark.requirement("S1-05")
def test_other_answers_to_the_same_question_are_inconsistent(
    tmp_path: Path, rng: random.Random
) -> None:
    pairs = [(sentence(rng, 8), sentence(rng, 30)) for _ in range(40)]
    pairs += [(f"{question.upper()}?", sentence(rng, 30)) for question, _ in pairs[:10]]
    consistency = figure(check(tmp_path, pairs), "consistency")
    assert consistency.value == 10 / 50
    assert not consistency.is_good


def test_questions_that_differ_in_a_number_are_not_the_same(tmp_path: Path) -> None:
    pairs = [(f"What is {n} + {n}?", f"{2 * n}") for n in range(40)]
    assert figure(check(tmp_path, pairs), "consistency").value == 0


@pytest.mark.requirement("S1-05")
def test_one_answer_to_everything_is_not_relevant(tmp_path: Path, rng: random.Random) -> None:
    said = sentence(rng, 30)
    pairs = [(sentence(rng, 8), sentence(rng, 30)) for _ in range(30)]
    pairs += [(sentence(rng, 8), f"{said}{end}") for end in "!?.," for _ in range(5)]
    relevance = figure(check(tmp_path, pairs), "relevance")
    assert relevance.value == 19 / 50
    assert not relevance.is_good


@pytest.mark.requirement("S1-05")
def test_answers_of_very_different_length_are_told(tmp_path: Path, rng: random.Random) -> None:
    pairs = [(sentence(rng, 8), sentence(rng, 2 if n % 2 else 300)) for n in range(40)]
    spread = figure(check(tmp_path, pairs), "consistency", 1)
    assert spread.value > 20
    assert not spread.is_good


@pytest.mark.requirement("S2-07")
@pytest.mark.parametrize(("rare", "is_told"), [(2, True), (30, False)])
def test_labels_are_counted_and_their_imbalance_told(
    tmp_path: Path, rng: random.Random, rare: int, is_told: bool
) -> None:
    pairs = [(sentence(rng, 8), "complaint" if n < rare else "praise") for n in range(60)]
    report = check(tmp_path, pairs)
    assert report.labels == {"praise": 60 - rare, "complaint": rare}
    assert ("label_imbalance" in report.codes) == is_told
    # The same answer to many questions is what labels are.
    assert figure(report, "relevance").is_good
    if is_told:
        [warning] = report.warnings
        assert warning.message == "'praise' is the answer of 58 rows, 'complaint' of 2"


def test_answers_that_are_sentences_are_no_labels(tmp_path: Path, rng: random.Random) -> None:
    pairs = [(sentence(rng, 8), f"{sentence(rng, 4)}.") for _ in range(60)]
    assert check(tmp_path, pairs).labels == {}


@pytest.mark.requirement("S2-07")
def test_lengths_that_stand_out_are_told_with_their_line(
    tmp_path: Path, rng: random.Random
) -> None:
    pairs = [(sentence(rng, 8), sentence(rng, 30)) for _ in range(40)]
    pairs[11] = (sentence(rng, 8), sentence(rng, 2000))
    pairs[17] = (sentence(rng, 8), "Ok.")
    report = check(tmp_path, pairs)
    assert [(w.code, w.line) for w in report.warnings] == [
        ("few_examples", 0),
        ("short_answers", 18),
        ("length_outlier", 12),
    ]


def test_lengths_by_field_and_by_bin(tmp_path: Path) -> None:
    report = check(tmp_path, [("x" * 40, "y" * 400), ("x" * 80, "y" * 4000)])
    fields = {field.field: field for field in report.fields}
    assert list(fields) == ["user", "assistant", "row"]
    user = fields["user"]
    assert (user.count, user.minimum, user.maximum) == (2, 14, 24)
    assert (user.mean, user.median) == (19, 19)
    assert [(b.low, b.high, b.rows) for b in report.lengths if b.rows] == [
        (64, 127, 1),
        (1024, 2047, 1),
    ]
    assert sum(b.rows for b in report.lengths) == report.rows
