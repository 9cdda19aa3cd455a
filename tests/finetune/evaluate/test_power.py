"""How many questions a difference needs; test_paired.py proves that they suffice."""

import re
from pathlib import Path

import pytest

from finetune.evaluate import rows_for_accuracies
from finetune.evaluate.power import rows_wanted

DOCS = Path(__file__).parents[3] / "docs" / "evaluation.md"


@pytest.mark.requirement("S1-31")
def test_the_table_of_the_documentation_is_what_the_function_gives() -> None:
    page = DOCS.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d\d) % \|(.*)\|$", page, flags=re.MULTILINE)
    assert [live for live, _ in rows] == ["60", "70", "80", "90"]
    for live, line in rows:
        for correlation, told in zip((0.4, 0.5, 0.6, 0.7), line.split("|"), strict=True):
            if told.strip():
                found = rows_for_accuracies(int(live) / 100, int(live) / 100 + 0.05, correlation)
                assert found == int(told)


def test_half_the_difference_needs_about_four_times_as_many_questions() -> None:
    assert rows_wanted(0.025, 0.4) / rows_wanted(0.05, 0.4) == pytest.approx(4, rel=0.02)
    assert rows_wanted(0.05, 0.4, power=0.9) > rows_wanted(0.05, 0.4)
    assert rows_wanted(0.05, 0.4, confidence=0.99) > rows_wanted(0.05, 0.4)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="no two models"):
        rows_for_accuracies(0.9, 0.95, 0.7)
    with pytest.raises(ValueError, match="above zero"):
        rows_for_accuracies(0.9, 0.9, 0.5)
