"""docs/conversations.md is true: its program and its document run."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from declarative import load
from swarm import Catalog
from swarm.connect import PIPELINES

PAGE = Path(__file__).parents[3] / "docs" / "conversations.md"
ORDERS = """\
def restock(client_id, agent_name, payload): ...
def report(client_id, pipeline_name, agent_name, payload, error): ...
"""


def _blocks(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def _said(program: str, folder: Path) -> Sequence[str]:
    (folder / "program.py").write_text(program, encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if k != "WIKISWARM_HOME"}
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_programs_of_the_page_run(tmp_path: Path) -> None:
    whole, one = _blocks("python")
    assert _said(whole, tmp_path) == [
        "Hello!",
        "seller: We have aspirin.",
        "seller: Your parcel is there.",
        "clerk orders aspirin",
        "Until 19:00.",
        "From 8:30.",
        "Three boxes.",
    ]
    assert _said(one, tmp_path) == ["On Monday from nine to six."]


def test_the_document_of_the_page_loads(tmp_path: Path) -> None:
    (tmp_path / "orders.py").write_text(ORDERS, encoding="utf-8")
    path = tmp_path / "shop.yaml"
    path.write_text(_blocks("yaml")[0], encoding="utf-8")
    catalog = load(path, catalog=Catalog(), environment={})
    assert catalog.registry(PIPELINES).names == ["restock"]
