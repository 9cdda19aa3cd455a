"""The suite is whole: each behaviour has a test, each export of the kit a row on its page."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts import kit_table, requirements
from tests.test_docs import blocks

ROOT = Path(__file__).resolve().parents[3]

NOT_YET: set[str] = set()
"""Rows without a test; each is a promise that is not kept."""


def rows() -> list[requirements.Requirement]:
    """Return the behaviours."""
    (kit,) = [source for source in requirements.load_sources() if source.source == "kit"]
    return list(kit.requirements)


def test_each_behaviour_has_a_test() -> None:
    carried = {mark.id for mark in requirements.find_marks([ROOT / "tests"])}
    assert {row.id for row in rows()} - carried == NOT_YET


def test_the_list_has_all_exports_of_the_kit() -> None:
    *newest, wikis = kit_table.load_sections()
    names = [name for section in newest for name in section.exports]
    assert len(names) == len(set(names)) == 172
    assert not set(wikis.exports) & set(names)


def test_each_name_can_be_imported_and_says_what_it_does() -> None:
    assert list(kit_table.problems()) == []


def test_the_page_is_in_step() -> None:
    text = kit_table.PAGE.read_text(encoding="utf-8")
    assert kit_table.rendered(text) == text, "run: python -m scripts.kit_table"


def test_a_page_that_is_out_of_step_is_written_anew() -> None:
    text = kit_table.PAGE.read_text(encoding="utf-8")
    assert kit_table.rendered(text.replace("`addAgent`", "`addAgents`")) == text


@pytest.mark.requirement("kit:talk:complete", "kit:schema:tool-return")
def test_the_program_of_the_page_runs(tmp_path: Path) -> None:
    (program,) = blocks(kit_table.PAGE, "python")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "There are 3."), done.stderr
