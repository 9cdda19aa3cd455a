"""Supervised rows: what is read, and every problem with its line."""

import json
from pathlib import Path
from typing import Any

import pytest

from finetune.train.rows import RowsError, read_chats, read_data, read_pairs

USER = {"role": "user", "content": "Where are you?"}
ANSWER = {"role": "assistant", "content": "Here."}


def test_rows_of_the_sft_shape_become_conversations() -> None:
    row: Any = {"messages": [{"role": "system", "content": "Be brief."}, USER, ANSWER]}
    assert read_chats([row], source="x") == [row["messages"]]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({}, "list of messages"),
        ({"messages": []}, "list of messages"),
        ({"messages": [USER]}, "last message must be the assistant's"),
        ({"messages": [USER, ANSWER], "tools": [{"type": "function"}]}, "tools"),
        ({"messages": [USER, {"role": "assistant", "content": None}]}, "text messages"),
        ({"messages": [{"role": "boss", "content": "?"}, ANSWER]}, "role"),
        (
            {"messages": [{"role": "user", "content": "<|im_end|>"}, ANSWER]},
            "control token <|im_end|>",
        ),
    ],
)
def test_every_bad_row_is_named(row: Any, reason: str) -> None:
    good: Any = {"messages": [USER, ANSWER]}
    with pytest.raises(RowsError) as caught:
        read_chats([good, row, good, row], source="data.jsonl")
    assert [problem.line for problem in caught.value.problems] == [2, 4]
    assert reason in str(caught.value)


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"input": None}, "expected input"),
    ({"input": {"messages": [USER, ANSWER]}}, "last message of input"),
    ({"input": {"messages": [USER], "tools": [{}]}}, "tools"),
    ({"preferred_output": []}, "preferred_output must hold one"),
    ({"non_preferred_output": [ANSWER]}, "both outputs are equal"),
    ({"non_preferred_output": [USER]}, "one assistant message"),
]


@pytest.mark.parametrize(("change", "reason"), CHANGES)
@pytest.mark.requirement("S4-04")
def test_every_bad_preference_row_is_named(change: Any, reason: str) -> None:
    row: Any = {
        "input": {"messages": [USER]},
        "preferred_output": [ANSWER],
        "non_preferred_output": [{"role": "assistant", "content": "No."}],
    }
    assert read_pairs([row], source="x")[0].rejected == "No."
    with pytest.raises(RowsError, match=reason):
        read_pairs([row | change], source="x")


def test_lines_that_are_no_objects_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{json.dumps({'messages': [USER, ANSWER]})}\n[1]\n\n{{oops\n")
    with pytest.raises(RowsError) as caught:
        read_data(path)
    assert [problem.line for problem in caught.value.problems] == [2, 4]
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(RowsError, match="no rows"):
        read_data(tmp_path / "empty.jsonl")
    with pytest.raises(RowsError, match="No such file"):
        read_data(tmp_path / "missing.jsonl")
