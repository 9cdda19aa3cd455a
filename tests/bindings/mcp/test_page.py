"""The programs of docs/mcp.md run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_docs import ROOT, blocks

PAGE = ROOT / "docs" / "mcp.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the page's programs, where `python` is this one."""
    server, program = blocks(PAGE, "python")
    (document,) = blocks(PAGE, "yaml")
    (tmp_path / "shelves.py").write_text(server, encoding="utf-8")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(document, encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    """Run Python in the folder and return what it prints."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path}
    environment.pop("WIKISWARM_HOME", None)
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_document_and_the_program_say_the_same(folder: Path) -> None:
    message = "How many boxes of 4713 are in stock?"
    chat = ["-m", "bindings.cli", "chat", "shop.yaml", "--message", message]
    assert run(folder, *chat) == "2\n"
    assert run(folder, "program.py") == "2\n"
    assert "boxes_in_stock" in run(
        folder, "-m", "bindings.cli", "mcp", "show", "shop.yaml", "shelves"
    )


def test_the_clients_settings_start_the_server(folder: Path) -> None:
    (settings,) = blocks(PAGE, "json")
    server = json.loads(settings)["mcpServers"]["shop"]
    assert server["command"] == "wikiswarm"
    # Without anything on standard input the server ends at once.
    assert run(folder, "-m", "bindings.cli", *server["args"]) == ""
