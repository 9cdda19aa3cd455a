"""docs/outlines.md is true: its program and its document run."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "outlines.md"
TOOLS = """\
def prompt(outline_name): return f"Fill in {outline_name}."
def history(context): return list(context.params)
def in_stock(data): return None
def shout(message): return message.upper()
"""


def _block(language: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return block


def _run(*command: str, folder: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "WIKISWARM_HOME"}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_program_of_the_page_runs(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(_block("python"), encoding="utf-8")
    assert _run("program.py", folder=tmp_path).splitlines() == [
        "product='aspirin' boxes=3 in attempt 2",
        "This document is not valid: there are only 3 boxes",
        "DONE.",
    ]


def test_the_document_of_the_page_is_filled_in_by_its_command(tmp_path: Path) -> None:
    (tmp_path / "order_tools.py").write_text(TOOLS, encoding="utf-8")
    (tmp_path / "order.yaml").write_text(_block("yaml"), encoding="utf-8")
    _, *words = shlex.split(_block("console").removeprefix("$ "))
    output = _run("-m", "bindings.cli", *words, folder=tmp_path)
    assert json.loads(output) == {"product": "aspirin", "boxes": 0}
    (page,) = (tmp_path / "pages").iterdir()
    assert "As much aspirin as you have!" in page.read_text(encoding="utf-8")
