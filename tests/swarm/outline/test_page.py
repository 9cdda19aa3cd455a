"""docs/outlines.md is true: its program and its document run."""

import os
import re
import subprocess
import sys
from pathlib import Path

from declarative import load
from swarm import Catalog
from swarm.outline import OUTLINES

PAGE = Path(__file__).parents[3] / "docs" / "outlines.md"
TOOLS = """\
def prompt(outline_name): ...
def history(context): ...
def in_stock(data): ...
def shout(message): ...
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
    assert done.stdout.splitlines() == [
        "product='aspirin' boxes=3 in attempt 2",
        "This document is not valid: there are only 3 boxes",
        "DONE.",
    ]


def test_the_document_of_the_page_loads(tmp_path: Path) -> None:
    (tmp_path / "order_tools.py").write_text(TOOLS, encoding="utf-8")
    path = tmp_path / "order.yaml"
    path.write_text(_block("yaml"), encoding="utf-8")
    spec = load(path, catalog=Catalog(), environment={}).registry(OUTLINES).get("order")
    assert callable(spec.prompt) and len(spec.validations) == 1
