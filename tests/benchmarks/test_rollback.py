"""That the benchmark of rollbacks measures real answers; no timing is checked."""

from pathlib import Path

import orjson
import pytest

from benchmarks.rollback import main

pytestmark = pytest.mark.xdist_group("engine_process")


@pytest.mark.requirement("S3-20")
def test_both_versions_answer_after_each_rollback(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    arguments = ["--switches", "3", "--questions", "1", "--json", str(file)]
    assert main([*arguments, "--limit-ms", "1e9"]) == 0
    figures = orjson.loads(file.read_bytes())
    assert list(figures) == ["first", "median", "worst", "answer"]
    assert figures["answer"] > 0
    # A limit below anything that can be measured is passed.
    assert main(["--switches", "1", "--questions", "1", "--limit-ms=-1e9"]) == 1
