"""How hard questions look by rules."""

import pytest

from wiki.complexity import complexity_of


@pytest.mark.requirement("S0-39")
@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("What does Velorin cost?", ()),
        ("Which product(s) do you have against headaches?", ()),
        ("Do you open at 8:30 on 24-12?", ()),
        ("word " * 80, ("length",)),
        ("What is it? What does it cost? Is it safe? Where is it?", ("questions",)),
        ("Why does this fail: `def f(x): return x`\n```\nx\n```", ("code",)),
        ("What is 17 * 23?", ("maths",)),
        ("Solve for the dose.", ("maths",)),
        ("What does https://example.com say?", ("tools",)),
        ("Compare both step by step.", ("reasoning",)),
    ],
)
def test_what_makes_a_question_hard_is_named(text: str, reasons: tuple[str, ...]) -> None:
    found = complexity_of(text)
    assert found.reasons == reasons
    assert (found.score > 0.5) == bool(reasons)


def test_words_of_ones_own_make_a_question_hard() -> None:
    assert complexity_of("May I take it when pregnant?", ["pregnant"]).reasons == ("words",)
    assert complexity_of("No matter.", ["mat", "pregnant"]).score == 0
    assert complexity_of("Is C++ hard?", ["c++"]).score == 1


def test_a_huge_question_is_read_only_in_part() -> None:
    assert complexity_of("x" * 10_000_000) == (1.0, ("length",))
