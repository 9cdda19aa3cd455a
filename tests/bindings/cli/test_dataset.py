"""`dataset collect` and `dataset check`."""

import json
from pathlib import Path

import pytest

from tests.bindings.cli.conftest import Wikiswarm


@pytest.mark.requirement("S4-02", "S4-03", "S4-04")
def test_conversations_become_files_that_pass_the_check(
    wikiswarm: Wikiswarm, shop: Path, home: Path
) -> None:
    wikiswarm("chat", shop, "-m", "How much is it?", "-m", "How many in stock?", "-m", "Sing!")
    run = wikiswarm("runs", "list", "--json").json[1]["run_id"]
    wikiswarm("feedback", run, "--correct", "Three boxes.")
    output = wikiswarm("dataset", "collect")
    sft, dpo = home / "dataset" / "sft.jsonl", home / "dataset" / "dpo.jsonl"
    assert output.lines[0].startswith(f"{sft}: 2 rows, sha256 ")
    assert output.lines[1].startswith(f"{dpo}: 1 row, sha256 ")
    assert output.err.splitlines()[0] == "dropped: 1 offline"
    rows = [json.loads(line) for line in sft.read_text(encoding="utf-8").splitlines()]
    assert rows[1]["messages"][-1]["content"] == "Three boxes."
    checked = wikiswarm("dataset", "check", "--minimum", "1", sft, dpo)
    assert checked.lines == [
        f"{sft}: sft, 2 rows, no problems, 1 warning",
        f"{dpo}: dpo, 1 row, no problems, 1 warning",
    ]
    before = sft.read_bytes()
    report = wikiswarm("dataset", "collect", "--json").json
    assert sft.read_bytes() == before
    assert report["dropped"] == {"offline": 1}
    assert [file["rows"] for file in report["files"]] == [2, 1]


def test_what_is_collected_can_be_chosen(wikiswarm: Wikiswarm, shop: Path) -> None:
    wikiswarm("chat", shop, "-m", "How much is it?", "-m", "How many in stock?")
    wiki = wikiswarm("dataset", "collect", "--wiki", "pharma", "--output", "w", "--json").json
    assert (wiki["files"][0]["rows"], wiki["dropped"]) == (1, {"no_wiki": 1})
    [row] = Path("w/sft.jsonl").read_text(encoding="utf-8").splitlines()
    assert [message["role"] for message in json.loads(row)["messages"]] == ["user", "assistant"]
    none = wikiswarm("dataset", "collect", "--agent", "doctor", "--output", "d", "--json").json
    assert none["files"][0]["rows"] == 0
    run = wikiswarm("runs", "list", "--json").json[0]["run_id"]
    wikiswarm("feedback", run, "--rating", "3")
    strict = wikiswarm("dataset", "collect", "--min-rating", "4", "--json").json
    assert strict["dropped"] == {"low_rating": 1}


@pytest.mark.requirement("S1-04", "S0-24")
def test_bad_rows_are_told_with_line_and_reason(wikiswarm: Wikiswarm, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"messages": []}\n{"messages": [}\n', encoding="utf-8")
    output = wikiswarm("dataset", "check", "--minimum", "0", path, code=1)
    assert f"{path}:1:" in output.err
    assert f"{path}:2:" in output.err
    [report] = wikiswarm("dataset", "check", path, "--json", code=1).json
    assert {problem["line"] for problem in report["problems"]} >= {1, 2}
