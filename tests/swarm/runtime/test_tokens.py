"""Estimates of tokens."""

from dataclasses import replace

import pytest

from swarm import Message, ToolCall
from swarm.runtime import estimate_tokens
from swarm.runtime.tokens import estimate_message


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("abcd", 1),
        ("abcde", 2),
        ("x" * 4000, 1000),
        ("ж" * 800, 500),
        ("药" * 100, 100),
        ("😀" * 8, 11),
        ("a" * 8 + "药" * 8, 10),
        ("\udcff", 1),
    ],
)
def test_a_text_takes_about_so_many_tokens(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


def test_a_message_counts_its_calls() -> None:
    said = Message(role="assistant", content="x" * 40)
    assert estimate_message(said) == 14
    call = ToolCall(id="1", name="stock", arguments='{"sku": "A1"}')
    assert estimate_message(replace(said, tool_calls=(call,))) == 14 + 4 + 2 + 4
