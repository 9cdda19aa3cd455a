"""What reaches a terminal."""

import pytest

from bindings.cli.output import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x1b]0;title\x07", "]0;title"),
        ("over\rwritten\b", "overwritten"),
        ("\x9b31m", "31m"),
        ("right\u202eleft", "rightleft"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("a\x85b\u2028c", "abc"),
    ],
)
def test_nothing_that_steers_a_terminal_is_printed(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines\tand a tab",
        "4,80\u00a0\u20ac",
        "1\u202f000",
        "\u65e5\u672c\u3000\u8a9e",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\U0001f469\u200d\U0001f4bb \u2764\ufe0f",
    ],
)
def test_texts_of_all_languages_stay_whole(text: str) -> None:
    assert plain(text) == text
