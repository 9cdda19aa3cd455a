"""The step `unicode`: what it takes out, what it leaves, and what it remarks."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.curate.step import RowStep
from finetune.curate.unicode import UnicodeConfig, clean_text
from finetune.dataset import SftRow, parse_row
from finetune.dataset.sample import Sample


def row(text: str) -> SftRow:
    messages = [{"role": "user", "content": text}, {"role": "assistant", "content": "Fine."}]
    made = parse_row({"messages": messages})
    assert isinstance(made, SftRow)
    return made


def step() -> RowStep:
    return UnicodeConfig().build()


@pytest.mark.requirement("S2-05")
@pytest.mark.parametrize(
    ("text", "clean", "code"),
    [
        ("Zu\u0308rich", "Z\u00fcrich", "not_composed"),
        ("pass\u200bword", "password", "invisible_character"),
        ("soft\u00adhyphen", "softhyphen", "invisible_character"),
        ("\ufeffHello", "Hello", "invisible_character"),
        ("a\u200db", "ab", "invisible_character"),
        ("a\ufe0f", "a", "invisible_character"),
        ("hidden\U000e0041\U000e0042", "hidden", "invisible_character"),
        ("user\u202etxt.exe", "usertxt.exe", "direction_mark"),
        ("left\u200eright", "leftright", "direction_mark"),
        ("bell\x07", "bell", "control_character"),
        ("nul\x00\u00e9\x9b", "nul\u00e9", "control_character"),
        ("half \ud83d", "half ", "surrogate"),
        ("pair \ud83d\ude00", "pair \U0001f600", "surrogate"),
        ("none \ufdd0\uffff\U0001ffff", "none ", "noncharacter"),
    ],
)
def test_what_does_not_show_goes(text: str, clean: str, code: str) -> None:
    found = clean_text(text)
    assert found.text == clean
    assert found.changes == (code,)


@pytest.mark.requirement("S2-05")
@pytest.mark.parametrize(
    "text",
    [
        "tab\tnew\nline\r\n",
        "\U0001f469\u200d\U0001f4bb",  # woman technologist
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # a family
        "\U0001f3f3\ufe0f\u200d\U0001f308",  # rainbow flag
        "\U0001f9d1\U0001f3fd\u200d\u2764\ufe0f\u200d\U0001f9d1\U0001f3ff",
        "\u2764\ufe0f 1\ufe0f\u20e3 \u00a9\ufe0f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # England
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: I want
        "\u0915\u094d\u200d\u0937",  # Hindi with a joiner
        "\u0915\u094d\u200c\u0937",  # and without a ligature
        "\u05e9\u05dc\u05d5\u05dd (abc)\u200f!",  # Hebrew with a mark of direction
        "\u8fba\U000e0100",  # an ideograph's variant
        "Gr\u00fc\u00dfe, na\u00efve, \u00c5ngstr\u00f6m, \u4f60\u597d",
    ],
)
def test_what_belongs_stays(text: str) -> None:
    assert clean_text(text).text == text
    assert clean_text(text).changes == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Gr\u00c3\u00bc\u00c3\u0178e", "mojibake"),
        ("don\u00e2\u20ac\u2122t", "mojibake"),
        ("logo \ue000", "private_use"),
        ("lost \ufffd", "replacement_character"),
    ],
)
def test_what_may_be_wrong_is_remarked_and_stays(text: str, code: str) -> None:
    assert clean_text(text) == (text, (), (code,))
    verdict = step().judge(Sample(row(text)))
    assert verdict.sample is not None
    assert verdict.sample.row == row(text)
    assert [note.code for note in verdict.notes] == [code]


def test_the_step_says_what_it_changed() -> None:
    verdict = step().judge(Sample(row("pass\u200bword and Zu\u0308rich")))
    assert verdict.sample is not None
    assert verdict.sample.row == row("password and Z\u00fcrich")
    assert [(note.code, note.path) for note in verdict.notes] == [
        ("fixed_invisible_character", ("messages", 0, "content")),
        ("fixed_not_composed", ("messages", 0, "content")),
    ]


def test_a_row_in_order_stays_the_same_object() -> None:
    for text in ("Hello\n\tBob", "Gr\u00fc\u00dfe \U0001f469\u200d\U0001f4bb"):
        sample = Sample(row(text))
        assert step().judge(sample).sample is sample


@given(st.text(st.characters(codec=None)))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean_text(text)
    assert clean_text(once.text).changes == ()
    assert unicodedata.is_normalized("NFC", once.text)
    once.text.encode("utf-8")
