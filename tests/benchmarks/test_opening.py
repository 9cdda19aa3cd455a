"""That the benchmark of opening a swarm reports what it says; no timing is checked."""

from pathlib import Path

import orjson
import pytest

from benchmarks.opening import main

_SMALL = ["--tools", "6", "--agents", "2"]


def test_reports_both_kinds_of_tools_beside_bare_models(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    assert main([*_SMALL, "--json", str(file)]) == 0
    rows = orjson.loads(file.read_bytes())
    assert [row["contender"] for row in rows] == [
        "texts and numbers",
        "lists and choices",
        "pydantic models",
    ]
    for row in rows:
        assert (row["tools"], row["agents"]) == (6, 2)
        assert row["open_s"] > 0


def test_fails_above_the_limit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*_SMALL, "--limit", "0.000001"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["texts and numbers", "lists and choices"]
