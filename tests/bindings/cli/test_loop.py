"""`wikiswarm loop`: the plan, the schedule, and exit codes; whole rounds are in the demo."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bindings.cli.conftest import Wikiswarm
from tests.finetune.loop.shop import loop_of, write_shop


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """A wiki that wants more rows than it has, so that its rounds end before the training."""
    return write(tmp_path, loop_of(minimum_new_rows=100, every="7 days"))


def write(folder: Path, loop: dict[str, Any]) -> Path:
    write_shop(folder)
    path = folder / "shop.yaml"
    wiki = {"model": "registry/pharma@live", "loop": loop}
    path.write_text(json.dumps({"wikis": {"pharma": wiki}}), encoding="utf-8")
    return path


def test_the_plan_says_rows_memory_time_and_disk(wikiswarm: Wikiswarm, document: Path) -> None:
    text = wikiswarm("loop", document, "--dry-run").out
    assert "pharma: pharma, live nothing yet" in text
    assert "rows: 12 questions; 0 left out by the curation; 12 to train, 0 held out" in text
    assert "test: 19 questions of at least 10" in text
    assert "120 steps, about 1." in text and "GB of memory" in text
    assert "disk: about 0." in text
    plan = wikiswarm("loop", document, "pharma", "--dry-run", "--json").json
    assert plan["stages"][:4] == ["collect", "curate", "freeze", "train"]
    assert plan["config"]["epochs"] == 120 and plan["training"]["fits"] is True
    # Nothing was begun.
    assert not (document.parent / ".wikiswarm" / "loops").exists()


def test_a_hosted_training_is_planned_with_its_cost(wikiswarm: Wikiswarm, tmp_path: Path) -> None:
    hosted = loop_of(
        backend="openai", base="tiny", train={"base_url": "http://127.0.0.1:9/v1", "epochs": 2}
    )
    plan = wikiswarm("loop", write(tmp_path, hosted), "--dry-run", "--json").json
    assert plan["config"] is None and plan["cost"]["epochs"] == 2 and plan["cost"]["tokens"] > 12


@pytest.mark.requirement("S1-17")
def test_a_schedule_runs_once_in_its_time(wikiswarm: Wikiswarm, document: Path) -> None:
    (plan,) = wikiswarm("loop", document, "--due", "--dry-run", "--json").json
    assert plan["wiki"] == "pharma"
    # Too little to train on is no failure of a schedule.
    (result,) = wikiswarm("loop", document, "--due", "--json").json
    assert result["outcome"] == "not_enough_data"
    assert Path(result["run_dir"]).name == result["name"]
    assert wikiswarm("loop", document, "--due", "--json").json == []
    later = wikiswarm("loop", document, "--due")
    assert "nothing is due; pharma at " in later.err and later.out == ""


def test_asked_for_by_name_too_little_is_exit_code_1(wikiswarm: Wikiswarm, document: Path) -> None:
    found = wikiswarm("loop", document, code=1)
    assert "pharma: not enough data" in found.lines
    assert "- 12 new rows" in found.lines[-1]


def test_one_wiki_that_fails_keeps_no_other_from_its_round(
    wikiswarm: Wikiswarm, tmp_path: Path
) -> None:
    write_shop(tmp_path)
    loops = {
        "broken": loop_of(every="1 day", questions="missing.yaml"),
        "pharma": loop_of(every="1 day", minimum_new_rows=100),
    }
    wikis = {name: {"model": f"registry/{name}@live", "loop": loop} for name, loop in loops.items()}
    path = tmp_path / "shop.yaml"
    path.write_text(json.dumps({"wikis": wikis}), encoding="utf-8")
    found = wikiswarm("loop", path, "--due", code=1)
    assert "missing.yaml" in found.err
    assert "pharma: not enough data" in found.lines


def test_wrong_use_is_exit_code_2(wikiswarm: Wikiswarm, document: Path, tmp_path: Path) -> None:
    assert "leave out WIKI" in wikiswarm("loop", document, "pharma", "--due", code=2).err
    path = tmp_path / "plain.yaml"
    path.write_text("wikis: {pharma: {model: registry/pharma@live}}", encoding="utf-8")
    assert "no wiki has a `loop`" in wikiswarm("loop", path, code=2).err
    assert (
        "has no `loop`; say there what it learns" in wikiswarm("loop", path, "pharma", code=1).err
    )


def test_a_wrong_loop_is_named_with_its_line(wikiswarm: Wikiswarm, tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(
        "wikis:\n  pharma:\n    model: registry/pharma@live\n    loop:\n      questions: q.yaml\n"
        "      every: seven days\n",
        encoding="utf-8",
    )
    found = wikiswarm("check", path, code=1)
    assert "shop.yaml:6:14: wikis.pharma.loop.every:" in found.err
    assert "neither like `7 days` nor five fields" in found.err
