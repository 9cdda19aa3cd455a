"""The sections of docs/curation.md about poisoning and quality are true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from finetune.curate import Pipeline

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "curation.md"


def _blocks(title: str, language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    section = text.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)


def _output(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.requirement("S3-22", "S3-23")
def test_the_program_about_poisoning_prints_what_the_page_says() -> None:
    (program,), (printed,) = _blocks("Poisoning", "python"), _blocks("Poisoning", "text")
    assert _output(program) == printed


def test_the_program_about_quality_runs() -> None:
    (program,) = _blocks("Quality", "python")
    assert _output(program).startswith("QualityScore(total=0.8, rating=0.8,")


def test_the_pipeline_of_the_page_is_one(tmp_path: Path) -> None:
    (document,) = _blocks("Poisoning", "yaml")
    (tmp_path / "steps.yaml").write_text(document, encoding="utf-8")
    names = [config.step_name for config in Pipeline.read(tmp_path / "steps.yaml").steps]
    assert names == [next(iter(step)) for step in yaml.safe_load(document)["steps"]]
