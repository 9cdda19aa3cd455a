"""docs/people.md is true: its program runs, its document loads."""

import os
import re
import subprocess
import sys
from pathlib import Path

from declarative import load
from swarm import Catalog

PAGE = Path(__file__).parents[3] / "docs" / "people.md"
TOOLS = """\
def refund(): ...
def is_much(arguments, context): ...
"""


def _block(language: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return block


def test_the_program_of_the_page_runs(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(_block("python"), encoding="utf-8")
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
    assert done.stdout == "One a day, after a meal.\n"


def test_the_document_of_the_page_loads(tmp_path: Path) -> None:
    (tmp_path / "counter_tools.py").write_text(TOOLS, encoding="utf-8")
    path = tmp_path / "shop.yaml"
    path.write_text(_block("yaml"), encoding="utf-8")
    catalog = load(path, catalog=Catalog(), environment={})
    tool = catalog.tools.get("refund")
    assert getattr(tool.needs_approval, "__name__", "") == "is_much"
    assert tool.approval_wait == 30
