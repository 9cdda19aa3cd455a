"""That the benchmark of training measures its contenders; no figure is checked."""

import json
import subprocess
import sys
from pathlib import Path

from finetune.train import TrainResult

ROOT = Path(__file__).resolve().parents[2]


def test_both_contenders_are_measured(trained_run: TrainResult, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    done = subprocess.run(
        [
            sys.executable, ROOT / "benchmarks" / "train.py", "--base", trained_run.model_dir,
            "--steps", "5", "--rounds", "1", "--json", file,
        ],
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert list(figures) == ["plain", "local"]
    for found in figures.values():
        assert found["tokens_per_second"] > 0 and found["memory_mb"] > 50
    assert done.stdout.count("tokens/s") == 2
