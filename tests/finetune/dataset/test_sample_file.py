"""Samples go to a file and come back, and lines that are none are named with their place."""

from pathlib import Path

import pytest

from finetune.dataset import AssistantMessage, DatasetError, Problem, SftRow, UserMessage
from finetune.dataset.sample import Provenance, Sample
from finetune.dataset.sample_file import read_samples, write_samples

ROW = SftRow(messages=(UserMessage(content="q\u2028é"), AssistantMessage(content="a")))
PLAIN = '{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}'


def test_round_trip(tmp_path: Path) -> None:
    origin = Provenance(source="journal", run_id="r1", rating=5, at=1.5, is_corrected=True)
    samples = [Sample(ROW, origin), Sample(ROW, Provenance(source="b.jsonl", line=7))]
    path = tmp_path / "deep" / "samples.jsonl"
    assert write_samples(path, samples) == 2
    assert list(read_samples(path)) == samples


def test_a_training_file_is_a_file_of_samples(tmp_path: Path) -> None:
    path = tmp_path / "sft.jsonl"
    path.write_text(f"{PLAIN}\n{PLAIN}\n")
    found = list(read_samples(path))
    assert [one.provenance for one in found] == [
        Provenance(source="sft.jsonl", line=1),
        Provenance(source="sft.jsonl", line=2),
    ]
    assert found[0].id == found[1].id != Sample(ROW).id


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        ('{"row":{"messages":[]}}', "missing_messages_list", 20),
        (f'{{"row":{PLAIN},"provenance":{{"rating":9}}}}', "wrong_value", 111),
        (f'{{"row":{PLAIN},"provenance":{{"colour":1}}}}', "wrong_value", 111),
        (f'{{"row":{PLAIN},"more":1}}', "unrecognized_key", 88),
        ('{"row":7}', "data_type", 8),
        ("{", "invalid_json", 2),
    ],
)
def test_bad_lines(tmp_path: Path, line: str, code: str, column: int) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text(f"{PLAIN}\n{line}\n{PLAIN}\n")
    problems: list[Problem] = []
    assert len(list(read_samples(path, on_problem=problems.append))) == 2
    assert [(p.line, p.column, p.code) for p in problems] == [(2, column, code)]
    with pytest.raises(DatasetError, match=code):
        list(read_samples(path))
