"""The benchmark of the protocol runs, and its limits count."""

import json
from pathlib import Path

import pytest

from benchmarks.rpc import main


def test_a_hop_and_a_turn_are_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    figures = tmp_path / "figures.json"
    few = ["--echoes", "20", "--turns", "3", "--json", str(figures)]
    assert main([*few, "--limit-hop-ms", "0.000001"]) == 1
    rows = json.loads(figures.read_text(encoding="utf-8"))
    assert [row["name"] for row in rows] == ["hop", "turn, in Python", "turn, by callbacks"]
    assert all(0 < row["median_ms"] <= row["p99_ms"] for row in rows)
    assert "costs" in capsys.readouterr().out
