"""Accuracy and F1 of labels; the numbers are scikit-learn's for the labels that are expected."""

import pytest

from finetune.evaluate.labels import find_labels, score_labels


@pytest.mark.requirement("S2-21")
def test_labels_are_scored_one_by_one_and_together() -> None:
    scores = score_labels(["a", "b", "c", "a", "b", "a"], ["A.", "b", "b", "a", "x", "c"])
    assert scores.accuracy == pytest.approx(0.5)
    assert [one.f1 for one in scores.labels] == pytest.approx([0.8, 0.5, 0.0])
    assert scores.macro_f1 == pytest.approx(1.3 / 3)
    # Five answers are labels, six rows want one, three are right.
    assert scores.micro_f1 == pytest.approx(6 / 11)
    first = scores.labels[0]
    assert (first.label, first.rows, first.precision) == ("a", 3, 1.0)
    assert first.recall == pytest.approx(2 / 3)


def test_nothing_and_uneven_lists_are_refused() -> None:
    with pytest.raises(ValueError, match="0 expected"):
        score_labels([], [])
    with pytest.raises(ValueError, match="2 expected labels and 1"):
        score_labels(["a", "b"], ["a"])


@pytest.mark.parametrize(
    ("expected", "are_labels"),
    [
        (["yes", "no", "Yes.", "no"], True),
        (["yes", "yes"], False),
        (["yes", "no", "maybe", "no", "yes"], False),
        (["We open at nine today."] * 2 + ["We close at seven today."] * 2, False),
    ],
)
def test_labels_are_few_short_and_used_again(expected: list[str], are_labels: bool) -> None:
    assert find_labels(expected) is are_labels
