"""The shop in two languages answers from both, as its README says."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from declarative import check
from tests.bindings.typescript.package import PACKAGE, build, needs_node

EXAMPLE = Path(__file__).parents[2] / "examples" / "shop_ts"
COMMAND = Path(sys.executable).with_name("wikiswarm")


def test_the_document_is_right() -> None:
    assert check(EXAMPLE / "swarm.yaml", environment={}).problems == ()


@needs_node
@pytest.mark.xdist_group("npm")
@pytest.mark.requirement("wire:run:together")
def test_tools_of_both_languages_answer(tmp_path: Path, home: Path) -> None:
    build()
    # In a folder of its own, with what `npm install` would put there.
    folder = copytree(EXAMPLE, tmp_path / "shop", ignore=ignore_patterns("node_modules"))
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "wikiswarm").symlink_to(PACKAGE)
    (folder / "node_modules" / "tsx").symlink_to(PACKAGE / "node_modules" / "tsx")
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    asked = readme.partition("$ wikiswarm chat swarm.yaml ")[2].partition("\n")[0].split('"')[1::2]
    messages = [word for text in asked for word in ("--message", text)]
    ran = subprocess.run(
        [COMMAND, "chat", folder / "swarm.yaml", *messages],
        env={**os.environ, "WIKISWARM_HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        "There are 12 boxes in stock. Your tea shop",
        "A box of tea costs 4.5 euros. Your tea shop",
        "Orders before noon arrive the next day. It is free from 45 euros on. Your tea shop",
    ]
