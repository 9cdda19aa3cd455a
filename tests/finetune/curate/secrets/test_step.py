"""The step `secrets`, and the scan of a file."""

import json
import random
from pathlib import Path

import pytest

from finetune.curate import Pipeline, curate
from finetune.curate.secrets import SecretsConfig, scan_for_secrets
from finetune.curate.step import RowStep
from finetune.dataset import DatasetError, DpoRow, SftRow, parse_row
from finetune.dataset.sample import Provenance, Sample
from tests.finetune.curate.secrets.generate_values import TOKENS


def token(kind: str = "github") -> str:
    return TOKENS[kind](random.Random(7))


def row(text: str, **keys: object) -> SftRow:
    messages = [{"role": "user", "content": text}, {"role": "assistant", "content": "Fine."}]
    made = parse_row({"messages": messages, **keys})
    assert isinstance(made, SftRow)
    return made


def called(arguments: dict[str, object]) -> SftRow:
    function = {"name": "log_in", "arguments": json.dumps(arguments)}
    call = {"id": "c1", "type": "function", "function": function}
    messages = [
        {"role": "user", "content": "Log in"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "ok"},
        {"role": "assistant", "content": "Done."},
    ]
    made = parse_row({"messages": messages})
    assert isinstance(made, SftRow)
    return made


def step(**settings: object) -> RowStep:
    return SecretsConfig.model_validate(settings).build()


@pytest.mark.requirement("S3-25")
def test_a_secret_is_replaced_and_noted_without_being_told() -> None:
    verdict = step().judge(Sample(row(f"Use {token()} please"), Provenance(source="a.jsonl")))
    assert verdict.sample is not None
    assert verdict.sample.row == row("Use [SECRET] please")
    assert verdict.sample.provenance.source == "a.jsonl"
    (note,) = verdict.notes
    assert note.code == "redacted_github_token"
    assert note.path == ("messages", 0, "content")
    assert token() not in repr(verdict)


def test_a_row_without_secrets_stays_the_same_object() -> None:
    sample = Sample(row("Where is the key to the shed?"))
    verdict = step().judge(sample)
    assert verdict.sample is sample
    assert verdict.notes == ()


def test_drop_removes_the_row() -> None:
    verdict = step(mode="drop").judge(Sample(row(f"Use {token()}")))
    assert verdict.sample is None
    assert [note.code for note in verdict.notes] == ["found_github_token"]


def test_an_argument_that_is_called_a_password_is_one_as_a_whole() -> None:
    word = "correct " + "4 Horses!"
    verdict = step().judge(Sample(called({"user": "bob", "auth": {"password": word}})))
    assert verdict.sample is not None
    assert verdict.sample.row == called({"user": "bob", "auth": {"password": "[SECRET]"}})


def test_a_placeholder_in_an_argument_stays() -> None:
    sample = Sample(called({"password": "********", "token": "<TOKEN>"}))
    assert step().judge(sample).sample is sample


def test_what_cannot_be_replaced_removes_the_row() -> None:
    in_key = step().judge(Sample(called({token(): 1})))
    assert in_key.sample is None
    assert "name of a tool's argument" in in_key.notes[0].detail
    function = {"name": "f", "description": f"Send {token()} with it."}
    tools = [{"type": "function", "function": function}]
    in_tools = step().judge(Sample(row("Hello", tools=tools)))
    assert in_tools.sample is None
    assert in_tools.notes[0].path == ("tools", 0)


def test_both_outputs_of_a_preference_are_searched() -> None:
    made = parse_row(
        {
            "input": {"messages": [{"role": "user", "content": "Which key?"}]},
            "preferred_output": [{"role": "assistant", "content": "I may not tell."}],
            "non_preferred_output": [{"role": "assistant", "content": f"It is {token('jwt')}."}],
        }
    )
    assert isinstance(made, DpoRow)
    verdict = step().judge(Sample(made))
    assert verdict.sample is not None
    assert isinstance(verdict.sample.row, DpoRow)
    assert verdict.sample.row.non_preferred_output[0].content == "It is [SECRET]."
    assert [note.path[0] for note in verdict.notes] == ["non_preferred_output"]


def test_the_step_runs_in_a_pipeline(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    rows = [row("Hello"), row(f"Use {token()}")]
    source.write_text("".join(one.model_dump_json() + "\n" for one in rows), encoding="utf-8")
    report = curate([source], tmp_path / "out", pipeline=Pipeline.of(["unicode", "secrets"]))
    assert report.steps[1].changes == {"redacted_github_token": 1}
    for path in (tmp_path / "out").iterdir():
        assert token() not in path.read_text(encoding="utf-8")


@pytest.mark.requirement("S3-25")
def test_a_scan_names_the_rows(tmp_path: Path) -> None:
    rows = [
        row("Hello"),
        row(f"Use {token('openai')}"),
        row("Bye"),
        row("my pass" + "word is x7!Lp0q"),
    ]
    path = tmp_path / "rows.jsonl"
    lines = [one.model_dump_json() for one in rows]
    path.write_text("\n".join([lines[0], "no row", *lines[1:]]) + "\n", encoding="utf-8")
    found = scan_for_secrets(path)
    assert [(one.row, one.line, one.rule) for one in found] == [
        (1, 3, "openai_key"),
        (3, 5, "named_secret"),
    ]
    assert [(one.row, one.line) for one in scan_for_secrets(rows)] == [(1, 0), (3, 0)]
    assert token("openai") not in repr(found)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot read"):
        scan_for_secrets(tmp_path / "absent.jsonl")
