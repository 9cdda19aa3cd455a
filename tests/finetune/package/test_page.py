"""The page about packaging is true: its program runs, and its commands do what it says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from finetune.train import TrainResult

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "packaging.md"


def _blocks(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.requirement("S0-32", "S3-16", "S0-33")
def test_the_program_writes_what_the_page_says(trained_run: TrainResult, tmp_path: Path) -> None:
    shutil.copytree(trained_run.run_dir, tmp_path / "runs" / "1")
    (program,) = _blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.stdout.splitlines() == [
        f"{Path('dist') / 'pharma.gguf'} True",
        "pharma-f16.gguf pharma-f16.Modelfile",
        "pharma-q8_0.gguf pharma-q8_0.Modelfile",
        "pharma-q4_k_m.gguf pharma-q4_k_m.Modelfile",
        "made from scratch",
    ], done.stderr
