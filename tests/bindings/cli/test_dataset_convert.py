"""`dataset convert` and `dataset detect`."""

import json
from pathlib import Path

import pytest

from tests.bindings.cli.conftest import Wikiswarm


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table with a column that no format has."""
    path = tmp_path / "faq.csv"
    path.write_text("Question;Answer;Nr\nHow much?;Five.;1\nWhen?;Today.;2\n", encoding="utf-8")
    return path


@pytest.mark.requirement("S2-04")
def test_detect(wikiswarm: Wikiswarm, table: Path) -> None:
    assert wikiswarm("dataset", "detect", table).lines == [
        f"{table}: csv, utf-8, alpaca sft",
        "fields: Question, Answer, Nr",
        "column: Question = instruction",
        "column: Answer = output",
    ]
    found = wikiswarm("dataset", "detect", table, "--json").json
    assert (found["delimiter"], found["rows"]) == (";", 2)
    assert wikiswarm("dataset", "detect", table.parent, code=1).err.startswith("error: ")


@pytest.mark.requirement("S2-06", "S0-19")
def test_convert(wikiswarm: Wikiswarm, table: Path) -> None:
    target = table.parent / "faq.json"
    output = wikiswarm("dataset", "convert", table, target, "--to", "sharegpt")
    assert output.lines == [
        f"{target}: sharegpt sft, 2 rows from alpaca",
        "lost or changed: 2 field_dropped",
    ]
    assert f"row by row: {target}.losses.jsonl" in output.err
    rows = json.loads(target.read_text(encoding="utf-8"))
    assert rows[0]["conversations"][1] == {"from": "gpt", "value": "Five."}
    report = wikiswarm("dataset", "convert", target, "b.jsonl", "--to", "openai", "--json").json
    assert (report["from_format"], report["written"], report["losses"]) == ("sharegpt", 2, {})
    template = r"Q: {question}\nA: {answer}"
    wikiswarm("dataset", "convert", target, "c.jsonl", "--to", "completion", "--template", template)
    first = json.loads(Path("c.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first == {"prompt": "Q: How much?\nA: ", "completion": "Five."}


def test_columns_are_named_on_the_command_line(wikiswarm: Wikiswarm, tmp_path: Path) -> None:
    path = tmp_path / "faq.csv"
    path.write_text("Frage,Antwort\na,b\nc,d\n", encoding="utf-8")
    failed = wikiswarm("dataset", "convert", path, "out.jsonl", "--to", "openai", code=1)
    assert "Frage, Antwort" in failed.err
    named = ("--column", "Frage=question", "--column", "Antwort=answer")
    done = wikiswarm("dataset", "convert", path, "out.jsonl", "--to", "openai", *named)
    assert done.lines == ["out.jsonl: openai sft, 2 rows from alpaca"]
    wikiswarm("dataset", "convert", path, "out.jsonl", "--to", "trl", "--column", "x", code=2)


@pytest.mark.requirement("S1-04")
def test_bad_rows_end_with_their_lines_and_the_code_of_a_problem(
    wikiswarm: Wikiswarm, tmp_path: Path
) -> None:
    path = tmp_path / "rows.jsonl"
    good = '{"instruction": "q", "output": "a"}'
    path.write_text(f"{good}\n{good[:-1]}\n", encoding="utf-8")
    output = wikiswarm("dataset", "convert", path, "out.jsonl", "--to", "openai", code=1)
    assert f"{path}:2:" in output.err
    assert output.lines == ["out.jsonl: openai sft, 1 row from alpaca, 1 left out"]
    stop = ("--on-bad", "stop")
    stopped = wikiswarm("dataset", "convert", path, "other.jsonl", "--to", "trl", *stop, code=1)
    assert f"{path}:2:" in stopped.err
    assert not Path("other.jsonl").exists()
    wikiswarm("dataset", "convert", path, "o.jsonl", "--to", "trl", "--on-bad", "cry", code=2)
    wrong = wikiswarm("dataset", "convert", path, "o.jsonl", "--to", "shargpt", code=1)
    assert "did you mean 'sharegpt'" in wrong.err
