"""What two files share is found whatever the spelling, and different rows are not."""

from pathlib import Path

import pytest

from finetune.dataset import (
    AssistantMessage,
    DatasetError,
    DpoInput,
    DpoRow,
    SftRow,
    UserMessage,
    check_overlap,
    write_rows,
)


def row(question: str, answer: str) -> SftRow:
    return SftRow(messages=(UserMessage(content=question), AssistantMessage(content=answer)))


TRAIN = [row("What does Velorin cost?", "Five euros."), row("1 + 1?", "2"), row("Open?", "Yes.")]


@pytest.mark.parametrize(
    ("held_out", "codes"),
    [
        (row("What does Velorin cost?", "Five euros."), ["overlap_row"]),
        (row("what does  velorin cost", "FIVE euros"), ["overlap_row"]),
        (row("Open?", "No."), ["overlap_prompt"]),
        (row("How much is Velorin?", "Five euros."), []),
        (row("1 + 2?", "2"), []),
    ],
)
def test_one_row(held_out: SftRow, codes: list[str], tmp_path: Path) -> None:
    write_rows(tmp_path / "train.jsonl", TRAIN)
    write_rows(tmp_path / "held.jsonl", [row("Else?", "x"), held_out])
    report = check_overlap(tmp_path / "train.jsonl", tmp_path / "held.jsonl")
    assert [p.code for p in report.problems] == codes
    assert all(p.line == 2 for p in report.problems)
    assert (report.train_rows, report.held_out_rows) == (3, 2)
    assert report.is_ok == ("overlap_row" not in codes)


def test_a_preference_prompt_is_compared_with_supervised_ones(tmp_path: Path) -> None:
    pair = DpoRow(
        input=DpoInput(messages=(UserMessage(content="Open?"),)),
        preferred_output=(AssistantMessage(content="Yes."),),
        non_preferred_output=(AssistantMessage(content="No."),),
    )
    write_rows(tmp_path / "train.jsonl", TRAIN)
    write_rows(tmp_path / "held.jsonl", [pair])
    report = check_overlap(tmp_path / "train.jsonl", tmp_path / "held.jsonl")
    assert (report.same_rows, report.same_prompts) == (0, 1)


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    write_rows(tmp_path / "train.jsonl", TRAIN)
    (tmp_path / "held.jsonl").write_text("nonsense\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"held\.jsonl:1:1"):
        check_overlap(tmp_path / "train.jsonl", tmp_path / "held.jsonl")
