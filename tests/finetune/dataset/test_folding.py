"""Texts that differ in form only are the same, and texts that say something else are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.dataset.folding import MARKS, fold_text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What does it cost?", "what does  it COST"),
        ("It\u2019s here", "It's here"),
        ("\ufb01ne, really", "fine really"),
        ("**Take** `one`", "take one"),
        ("line\nbreak\ttab", "line break tab"),
        ("so\u00adft hy\u200bphen", "soft hyphen"),
        ("-5 degrees", "\u22125 degrees!"),
        ("\u2764\ufe0f", "\u2764"),
        ("Stra\u00dfe", "STRASSE"),
    ],
)
def test_form_does_not_count(one: str, other: str) -> None:
    assert fold_text(one) == fold_text(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 $", "5 \u20ac"),
        ("-5", "5"),
        ("1.5", "15"),
        ("5 %", "5"),
        ("C#", "C"),
        ("a < b", "a > b"),
        ("Great \U0001f44d", "Great \U0001f44e"),
        ("\u0915\u093f", "\u0915\u0940"),  # two syllables that differ in their vowel sign
        ("...", "?"),
    ],
)
def test_what_is_said_counts(one: str, other: str) -> None:
    assert fold_text(one) != fold_text(other)


@given(st.text())
def test_folding_twice_changes_nothing_and_leaves_no_wide_gap(text: str) -> None:
    folded = fold_text(text)
    assert "  " not in folded
    assert fold_text(f"{text} .") == fold_text(text) or not any(map(str.isalnum, text))
    assert {c for c in folded if c in MARKS} == {c for c in text if c in MARKS}
