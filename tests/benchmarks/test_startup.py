"""That the benchmark of starting reports what was loaded; no timing is checked."""

import subprocess
from pathlib import Path

import orjson
import pytest

from benchmarks.startup import main, measure_start


def test_import_swarm_loads_nothing_heavy(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    assert main(["--runs", "1", "--json", str(file)]) == 0
    rows = orjson.loads(file.read_bytes())
    assert [row["program"] for row in rows][:2] == ["nothing", "import swarm"]
    for row in rows:
        assert row["heavy"] == []
        assert 0 < row["wall_min"] <= row["wall_median"]
        assert 0 < row["cpu_min"] <= row["cpu_median"]


def test_names_what_is_heavy() -> None:
    assert measure_start("p", ["-c", "import sqlalchemy.exc"], runs=1).heavy == ["sqlalchemy"]


def test_a_program_that_fails_gives_no_figure() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        measure_start("p", ["-c", "raise SystemExit(3)"], runs=1)
