"""docs/events.md is true: its program runs, and its table names every event."""

import os
import re
import subprocess
import sys
from pathlib import Path

from swarm.bus import EVENT_TYPES
from tests.swarm.bus.test_emission import ROWS

TEXT = (Path(__file__).parents[3] / "docs" / "events.md").read_text(encoding="utf-8")


def cells() -> list[list[str]]:
    """Return the rows of the table of buses."""
    lines = [line for line in TEXT.splitlines() if re.match(r"\| [a-z]+-bus \|", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_program_of_the_page_runs(tmp_path: Path) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
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
    assert sorted(done.stdout.splitlines()) == ["Thank you.", "ann paid 9.5"]


def test_the_table_has_every_type_of_every_bus() -> None:
    assert sorted((bus, kind) for bus, kind, *_ in cells()) == sorted(
        (bus, kind) for bus, kinds in EVENT_TYPES.items() for kind in kinds
    )


def test_the_table_names_what_the_tests_look_for() -> None:
    table = {(bus, kind): (said, gave) for bus, kind, _, said, gave in cells()}
    for row in ROWS:
        if row.bus != "history-bus":
            said, gave = table[row.bus, row.type]
            assert set(row.input) <= set(re.findall(r"\w+", said)), row
            assert set(row.output) <= set(re.findall(r"\w+", gave)), row
