"""The programs and the document on docs/documents.md run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from declarative import check

PAGE = Path(__file__).parents[3] / "docs" / "documents.md"


def _blocks(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (
            0,
            r"\[1\] handbook/returns\.md, \"Returns > How long\", line 5\n"
            r"Unused articles come back within 30 days\.\n"
            r"handbook/returns\.md Returns > How long 5 5 1\.0\nwordllama, chroma\n",
        ),
        (1, r"1 1 wordllama chroma\n\(Skipped\(path='notes/torn\.pdf', reason=.*\),\)\n"),
    ],
)
def test_the_programs_of_the_page_run(number: int, expected: str, tmp_path: Path) -> None:
    programs = _blocks("python")
    assert len(programs) == 2
    (tmp_path / "program.py").write_text(programs[number], encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if k != "WIKISWARM_HOME"}
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(expected, done.stdout), done.stdout


def test_the_document_of_the_page_checks(tmp_path: Path) -> None:
    (document,) = _blocks("yaml")
    (tmp_path / "shop.yaml").write_text(document, encoding="utf-8")
    assert check(tmp_path / "shop.yaml", environment={}).problems == ()
