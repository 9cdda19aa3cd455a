"""`wikiswarm loop`: the plan, the schedule, what it asks and says, and its exit codes.

Whole rounds train at a provider beside the tests, which takes no time.
"""

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from finetune.loop.folder import one_round_at_a_time
from tests.bindings.cli.conftest import Wikiswarm
from tests.finetune.loop.hosting import KEY, KEY_NAME, hosted_loop, open_provider
from tests.finetune.loop.shop import FACTS, PARKING, loop_of, write_shop
from tests.finetune.train.hosted.openai_server import FakeOpenAI, Refuse
from wiki import ModelRegistry


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """A wiki that wants more rows than it has, so that its rounds end before the training."""
    return write(tmp_path, loop_of(minimum_new_rows=100, every="7 days"))


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Generator[FakeOpenAI]:
    """A provider in a thread of its own, and the key for it."""
    monkeypatch.setenv(KEY_NAME, KEY)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_provider()) as found,
    ):
        yield found


def write(folder: Path, loop: dict[str, Any], **others: dict[str, Any]) -> Path:
    write_shop(folder)
    path = folder / "shop.yaml"
    wikis = {
        name: {"model": f"registry/{name}@live", "loop": one}
        for name, one in {"pharma": loop, **others}.items()
    }
    path.write_text(json.dumps({"wikis": wikis}), encoding="utf-8")
    return path


def live(home: Path) -> str:
    return str(ModelRegistry(home / "models").get("pharma@live"))


def test_a_better_version_serves_and_the_way_back_is_said(
    wikiswarm: Wikiswarm, tmp_path: Path, home: Path, provider: FakeOpenAI
) -> None:
    document = write(tmp_path, hosted_loop(provider))
    found = wikiswarm("loop", document)
    stages = [line.split()[0] for line in found.lines[:10]]
    assert stages[0] == "collect" and stages[-1] == "watch"
    assert found.lines[10] == "pharma: pharma@1 is live"
    assert "exact is better" in found.lines[11]
    assert "licence: the terms of openai, which hosts it" in found.err
    (run,) = (home / "loops" / "pharma").glob("2*")
    assert f"report: {run}/gate/report.html" in found.err and live(home) == "pharma@1"
    # Nothing new is no failure to train: nothing is sent.
    assert "- 0 new rows and 0 that are gone" in wikiswarm("loop", document, code=1).out
    (tmp_path / "facts.yaml").write_text(FACTS + PARKING, encoding="utf-8")
    second = wikiswarm("loop", document)
    assert "pharma: pharma@2 is live" in second.lines
    assert "back to pharma@1: wikiswarm models rollback pharma" in second.err


def test_a_version_that_is_not_better_is_exit_code_1(
    wikiswarm: Wikiswarm, tmp_path: Path, home: Path, provider: FakeOpenAI
) -> None:
    document = write(tmp_path, hosted_loop(provider))
    wikiswarm("loop", document)
    refused = wikiswarm("loop", document, "--force", code=1)
    assert "pharma: refused" in refused.lines
    assert live(home) == "pharma@1" and len(provider.jobs) == 2
    forced = wikiswarm("loop", document, "--force", "--json", code=1).json
    assert (forced["outcome"], forced["before"], forced["version"]) == ("refused", "pharma@1", None)
    assert [stage["stage"] for stage in forced["stages"]][-1] == "gate"


def test_without_a_terminal_a_version_waits_unless_yes_is_given(
    wikiswarm: Wikiswarm, tmp_path: Path, home: Path, provider: FakeOpenAI
) -> None:
    document = write(tmp_path, hosted_loop(provider, promote="ask"))
    # Nobody is asked, so what waits on standard input is no answer.
    found = wikiswarm("loop", document, "--json", stdin="y\n")
    assert found.json["outcome"] == "waiting" and found.json["version"] == "pharma@1"
    assert found.json["duties"]["licence"] == "the terms of openai, which hosts it"
    assert ModelRegistry(home / "models").get("pharma@1").aliases == ()
    (tmp_path / "facts.yaml").write_text(FACTS + PARKING, encoding="utf-8")
    waiting = wikiswarm("loop", document)
    assert "pharma: pharma@2 is better and waits for its promotion" in waiting.lines
    assert "next: wikiswarm models promote pharma@2" in waiting.err
    agreed = wikiswarm("loop", document, "--yes", "--force")
    assert "pharma: pharma@3 is live" in agreed.lines and live(home) == "pharma@3"


def test_what_a_provider_refuses_is_exit_code_3_and_the_round_goes_on(
    wikiswarm: Wikiswarm, tmp_path: Path, home: Path, provider: FakeOpenAI
) -> None:
    document = write(tmp_path, hosted_loop(provider))
    provider.refusals = {"POST /v1/fine_tuning/jobs": [Refuse(403, "no more jobs")] * 2}
    failed = wikiswarm("loop", document, "--json", code=3)
    assert "no more jobs" in failed.err and KEY not in failed.err and failed.out == ""
    plan = wikiswarm("loop", document, "--dry-run").out
    assert "going on with 2" in plan and "finished: collect, curate, freeze" in plan
    # Of a schedule it is a failure as well, and due until it is mended.
    assert "pharma:\nerror: " in wikiswarm("loop", document, "--due", code=3).err
    assert "freeze        kept" in wikiswarm("loop", document).out
    assert len(list((home / "loops" / "pharma").glob("2*"))) == 1


def test_fresh_leaves_an_unfinished_round_behind(
    wikiswarm: Wikiswarm, tmp_path: Path, home: Path, provider: FakeOpenAI
) -> None:
    document = write(tmp_path, hosted_loop(provider))
    provider.refusals = {"POST /v1/fine_tuning/jobs": [Refuse(403, "no more jobs")]}
    wikiswarm("loop", document, code=3)
    fresh = wikiswarm("loop", document, "--fresh")
    assert "kept" not in fresh.out and live(home) == "pharma@1"
    assert len(list((home / "loops" / "pharma").glob("2*"))) == 2


def test_a_second_loop_at_once_is_told_who_runs(
    wikiswarm: Wikiswarm, document: Path, home: Path
) -> None:
    with one_round_at_a_time(home, "pharma"):
        said = wikiswarm("loop", document, code=3).err
        assert f"another round of 'pharma' is running (process {os.getpid()} on " in said
        # For a schedule that comes too often it is no failure.
        assert "another round of 'pharma' is running" in wikiswarm("loop", document, "--due").err
        # To look at it disturbs nobody.
        wikiswarm("loop", document, "--dry-run")
    wikiswarm("loop", document, code=1)


def test_a_key_that_is_not_set_is_named(
    wikiswarm: Wikiswarm, tmp_path: Path, provider: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_NAME)
    failed = wikiswarm("loop", write(tmp_path, hosted_loop(provider)), code=3)
    assert KEY_NAME in failed.err and provider.jobs == []


def test_the_wiki_is_named_where_several_have_a_loop(
    wikiswarm: Wikiswarm, tmp_path: Path, home: Path
) -> None:
    few = loop_of(minimum_new_rows=100)
    document = write(tmp_path, few, clinic=few)
    said = wikiswarm("loop", document, code=2).err
    assert said == f"error: {document}: name the WIKI, one of pharma, clinic\n"
    said = wikiswarm("loop", document, "farma", code=1).err
    assert "no wiki named 'farma'" in said and "did you mean 'pharma'?" in said
    assert not home.exists()
    assert wikiswarm("loop", document, "clinic", "--json", code=1).json["wiki"] == "clinic"


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
