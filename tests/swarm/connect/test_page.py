"""docs/conversations.md is true: its program and its document run."""

import os
import re
import subprocess
import sys
from pathlib import Path

from declarative import load
from swarm import Catalog
from swarm.connect import PIPELINES

PAGE = Path(__file__).parents[3] / "docs" / "conversations.md"
ORDERS = """\
def restock(client_id, agent_name, payload): ...
def report(client_id, pipeline_name, agent_name, payload, error): ...
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
        "Hello!",
        "seller: We have aspirin.",
        "seller: Your parcel is there.",
        "clerk orders aspirin",
        "Until 19:00.",
        "From 8:30.",
        "Three boxes.",
    ]


def test_the_document_of_the_page_loads(tmp_path: Path) -> None:
    (tmp_path / "orders.py").write_text(ORDERS, encoding="utf-8")
    path = tmp_path / "shop.yaml"
    path.write_text(_block("yaml"), encoding="utf-8")
    catalog = load(path, catalog=Catalog(), environment={})
    assert catalog.registry(PIPELINES).names == ["restock"]
