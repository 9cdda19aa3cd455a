"""That the benchmark of sessions reports what it says; neither memory nor timing is checked."""

from pathlib import Path

import orjson
import pytest

from benchmarks.sessions import main

_SMALL = ["--sessions", "3", "--messages", "4", "--turns", "12", "--conversations", "2"]


def test_reports_idle_and_long_sessions_beside_dictionaries(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    assert main([*_SMALL, "--folder", str(tmp_path), "--json", str(file)]) == 0
    figures = orjson.loads(file.read_bytes())
    for rows in figures.values():
        assert [row["contender"] for row in rows] == ["wikiswarm", "dictionaries"]
    for row in figures["idle"]:
        assert (row["sessions"], row["messages"]) == (3, 4)
        assert row["megabytes"] == pytest.approx(3 * row["bytes_per_session"] / 1e6, abs=0.01)
    for row in figures["long"]:
        assert row["turn"] == 12
        assert row["early_ms"] > 0
        assert row["ratio"] == pytest.approx(row["late_ms"] / row["early_ms"], rel=0.05)
    assert list(tmp_path.iterdir()) == [file]


def test_fails_above_the_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    limits = ["--limit-mb", "-1000", "--limit-ratio", "0.001"]
    assert main([*_SMALL, "--folder", str(tmp_path), *limits]) == 1
    idle, long = capsys.readouterr().err.splitlines()
    assert idle.endswith("MB, over -1000")
    assert long.endswith("times, over 0.001")
