"""What a model thinks aloud is split off, however its text was cut."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from swarm.completions.thinking import ThinkingFilter


def _split(pieces: list[str]) -> tuple[str, str]:
    thinking = ThinkingFilter()
    visible = "".join([thinking.feed(piece) for piece in pieces]) + thinking.finish()
    return visible, thinking.reasoning


@pytest.mark.parametrize(
    ("text", "visible", "reasoning"),
    [
        ("<think>why</think>because", "because", "why"),
        ("<think>\nwhy\n</think>\n\nbecause\n", "because\n", "why"),
        ("\n <think></think>because", "because", ""),
        ("<think>cut off", "", "cut off"),
        ("<think>why</think>\n\n", "", "why"),
        ("because", "because", ""),
        ("  because", "  because", ""),
        ("<thin", "<thin", ""),
        ("<b>bold</b>", "<b>bold</b>", ""),
        ("a <think>tag</think> inside", "a <think>tag</think> inside", ""),
        ("<think>a</think>b</think>c", "b</think>c", "a"),
        ("", "", ""),
    ],
)
def test_the_thought_and_the_answer_part(text: str, visible: str, reasoning: str) -> None:
    assert _split([text]) == (visible, reasoning)


_TEXTS = st.lists(
    st.sampled_from(["<think>", "</think>", "<", "think>", "</", "why", "\n", " ", "because"]),
    max_size=10,
).map("".join)


@given(_TEXTS, st.lists(st.integers(0, 60), max_size=8))
@example("<think>why</think>\n\nbecause", [18, 19])
def test_the_cuts_change_nothing(text: str, places: list[int]) -> None:
    cuts = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    pieces = [text[start:stop] for start, stop in pairwise(cuts)]
    assert _split(pieces) == _split([text])
    assert _split(list(text)) == _split([text])
