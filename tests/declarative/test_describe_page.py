"""docs/describe.md: its document is described as it says, and its program runs."""

import shlex
import sys
from pathlib import Path

from declarative import dump_docs, dump_swarm, load
from swarm import Catalog
from tests.test_docs import ROOT, blocks, run

PAGE = ROOT / "docs" / "describe.md"


def test_the_graph_of_the_page_is_that_of_its_document(tmp_path: Path) -> None:
    (document,), (graph,) = blocks(PAGE, "yaml"), blocks(PAGE, "mermaid")
    (tmp_path / "shop.yaml").write_text(document, encoding="utf-8")
    catalog = load(tmp_path / "shop.yaml", catalog=Catalog(), environment={})
    assert dump_swarm("shop", catalog=catalog) == graph
    page = dump_docs(tmp_path / "documentation", catalog=catalog)[0]
    assert f"```mermaid\n{graph}```" in page.read_text(encoding="utf-8")


def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    (document,), (console,) = blocks(PAGE, "yaml"), blocks(PAGE, "console")
    (tmp_path / "shop.yaml").write_text(document, encoding="utf-8")
    outputs: list[str] = []
    for line in console.splitlines():
        _, *words = shlex.split(line.removeprefix("$ "))
        done = run(sys.executable, "-m", "bindings.cli", *words, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    assert outputs[0].startswith("# Swarm `shop`\n")
    assert outputs[1].startswith("flowchart LR\n")
    assert outputs[2] == "documentation/index.md: 5 pages\n"


def test_the_program_of_the_page_runs(tmp_path: Path) -> None:
    (program,) = blocks(PAGE, "python")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = run(sys.executable, "program.py", folder=tmp_path)
    assert done.stdout.splitlines() == [
        "# Swarm `counter`",
        "documentation/swarms/counter.md",
        "documentation/agents/clerk.md",
        "documentation/index.md",
        '    agent1{{"clerk<br/>a person"}}     agent1{{"clerk<br/>a person"}}',
    ], done.stderr
