"""The program and the document on docs/registry.md run."""

import os
import re
import subprocess
import sys
from pathlib import Path

from declarative import check

PAGE = Path(__file__).parents[3] / "docs" / "registry.md"


def _block(language: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return block


def test_the_program_of_the_page_says_what_the_page_means(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(_block("python"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "WIKISWARM_HOME"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout.splitlines() == [
        "ann 1 4.80",
        "bob 2 A pack costs 4.80 euros.",
        "eve 1 4.80",
        "joe 2 A pack costs 4.80 euros.",
        "not enough data",
        "2",
        "1",
    ], done.stderr


def test_the_document_of_the_page_checks(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(_block("yaml"), encoding="utf-8")
    assert check(tmp_path / "shop.yaml", environment={}).problems == ()
