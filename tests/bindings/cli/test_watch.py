"""`watch` on the command line, over conversations and ratings made by other commands."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from finetune.watch import log_prediction
from swarm.locks import folder_lock
from swarm.store import open_database
from tests.bindings.cli.conftest import Wikiswarm
from tests.finetune.watch.journals import Turn, write_turns
from wiki import ModelRegistry

SHOP = """\
completions: {local: {model: offline}}
wikis:
  hours:
    model: registry/hours@live
    watch: {on_alarm: rollback, per_client: 100, signals: false, window: 50}
tools: {opening_hours: {wiki: hours, examples: ["When do you open?"]}}
agents: {seller: {completion: local, tools: [opening_hours], wiki_list: [hours]}}
swarms: {shop: {agent_list: [seller], default_agent: seller}}
"""


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> Path:
    registry = ModelRegistry(home / "models")
    for number in (1, 2):
        registry.register("hours", remote="offline" if number == 1 else "python:answer:answer")
        registry.promote("hours", number)
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")
    return tmp_path / "shop.yaml"


def _predictions(path: Path, ratings: list[int]) -> None:
    for rating in ratings:
        log_prediction("When do you open?", "At nine.", rating, path=path)


@pytest.mark.requirement("S3-19")
def test_ratings_that_other_commands_kept_are_counted(wikiswarm: Wikiswarm, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(
        SHOP.replace("registry/hours@live", "offline"), encoding="utf-8"
    )
    wikiswarm("chat", "shop.yaml", "--message", "When do you open?")
    (run,) = wikiswarm("runs", "list", "--json").json
    wikiswarm("feedback", run["run_id"], "--rating", 2)
    first = wikiswarm("watch", "shop.yaml", "hours", "--json").json
    assert first == [
        {
            "wiki_name": "hours",
            "new_ratings": 1,
            "new_answers": 1,
            "streams": [{"model": "offline", "answers": 1, "rated": 1, "mean": None}],
            "alarms": [],
            "problems": [],
        }
    ]
    again = wikiswarm("watch", "shop.yaml")
    assert again.err == "hours: 0 new ratings, 0 new answers\n"
    assert again.lines == ["hours\toffline\t1\t1\t-"]


@pytest.mark.requirement("S3-18", "S3-19")
def test_an_alarm_rolls_back_ends_with_1_and_is_over_then(
    wikiswarm: Wikiswarm, shop: Path, home: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    _predictions(log, [4, 5] * 100)
    assert wikiswarm("watch", shop, "--log", log).code == 0
    _predictions(log, [2] * 20)
    output = wikiswarm("watch", shop, "--log", log, "--report", code=1)
    assert output.lines[0].startswith("ALARM hours, log:log.jsonl: ratings fell from 4.50 (190 ")
    assert output.lines[1] == "  rollback: rolled back: hours@1 is live again"
    page = home / "watch" / "hours" / "report.html"
    assert f"report: {page}" in output.err
    assert page.read_text(encoding="utf-8").count("<svg") == 2
    assert "hours@1 is live again" in page.with_name("report.md").read_text(encoding="utf-8")
    assert ModelRegistry(home / "models").get("hours@live").version == 1
    assert wikiswarm("watch", shop, "--log", log).code == 0
    assert ModelRegistry(home / "models").get("hours@live").version == 1


def test_until_an_alarm_it_looks_again_and_again(shop: Path, home: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    _predictions(log, [4, 5] * 50)
    command = [
        *(sys.executable, "-m", "bindings.cli", "watch", "shop.yaml", "--log", str(log)),
        *("--every", "0.05s", "--until-alarm", "--json"),
    ]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, env=os.environ) as process:
        assert process.stdout is not None
        looks: list[Any] = [json.loads(process.stdout.readline()) for _ in range(2)]
        assert [one["new_ratings"] for (one,) in looks] == [100, 0]
        _predictions(log, [1] * 30)
        looks += [json.loads(line) for line in process.stdout]
    assert process.returncode == 1
    (alarm,) = looks[-1][0]["alarms"]
    assert alarm["signal"] == "ratings"


def test_an_alarm_runs_a_round_of_the_loop_once(
    wikiswarm: Wikiswarm, shop: Path, home: Path, tmp_path: Path
) -> None:
    text = SHOP.replace("on_alarm: rollback", "on_alarm: loop")
    shop.write_text(text.replace("    watch:", "    loop: {}\n    watch:"), encoding="utf-8")
    log = tmp_path / "log.jsonl"
    _predictions(log, [4, 5] * 50 + [1] * 30)
    output = wikiswarm("watch", shop, "--log", log, code=1)
    assert "loop: the loop was started" in output.lines[1]
    # Nobody corrected anything, so there is nothing to train on.
    assert "hours: the loop ended: not_enough_data" in output.err
    assert len(list((home / "loops" / "hours").glob("*/result.json"))) == 1


@pytest.mark.requirement("S3-19")
def test_a_loop_that_fails_keeps_the_alarm_and_the_other_wikis(
    wikiswarm: Wikiswarm, shop: Path, home: Path
) -> None:
    text = SHOP.replace("on_alarm: rollback", "on_alarm: loop")
    text = text.replace("    watch:", "    loop: {}\n    watch:")
    shop.write_text(
        text.replace("\ntools:", "\n  prices: {model: offline}\ntools:"), encoding="utf-8"
    )
    database = open_database(home)
    turns = [Turn("registry/hours@2", rating) for rating in [5] * 70 + [1] * 30]
    anyio.run(partial(write_turns, database, turns, wiki_name="hours"))
    database.close()
    rounds = home / "loops" / "hours"
    rounds.mkdir(parents=True)
    with folder_lock(rounds):
        output = wikiswarm("watch", shop, code=1)
    assert output.lines[0].startswith("ALARM hours, registry/hours@2: ratings fell")
    assert "warning: hours: the loop failed: another round of 'hours' is running" in output.err
    assert "prices: 0 new ratings" in output.err


@pytest.mark.requirement("S3-19")
def test_a_project_is_watched_and_trained_on_by_itself(
    wikiswarm: Wikiswarm, shop: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SHOP.replace("on_alarm: rollback", "on_alarm: loop")
    text = text.replace("registry/hours@live", "offline")
    shop.write_text(text.replace("    watch:", "    loop: {}\n    watch:"), encoding="utf-8")
    for project in ("north", "south"):
        with monkeypatch.context() as patch:
            patch.setenv("WIKISWARM_PROJECT", project)
            said = ("--client", project, "--message", "When do you open?")
            wikiswarm("chat", shop, *said)
            (run,) = wikiswarm("runs", "list", "--json").json
            wikiswarm("feedback", run["run_id"], "--rating", 1, "--correct", "At nine.")
    log = tmp_path / "log.jsonl"
    _predictions(log, [4, 5] * 50 + [1] * 30)
    command = ("watch", shop, "--log", log, "--report")
    output = wikiswarm(*command, "--project", "north", code=1)
    assert "hours: 131 new ratings" in output.err
    assert "hours: the loop ended: not_enough_data" in output.err
    assert (home / "watch" / "hours" / "project-north" / "report.html").is_file()
    with monkeypatch.context() as patch:
        patch.setenv("WIKISWARM_PROJECT", "south")
        assert "hours: the loop ended: not_enough_data" in wikiswarm(*command, code=1).err
    output = wikiswarm(*command, code=1)
    assert "hours: 132 new ratings" in output.err
    assert "the loop failed: the conversations belong to several projects" in output.err


def test_a_loop_that_is_not_declared_is_told(
    wikiswarm: Wikiswarm, shop: Path, tmp_path: Path
) -> None:
    shop.write_text(SHOP.replace("rollback", "loop"), encoding="utf-8")
    log = tmp_path / "log.jsonl"
    _predictions(log, [4, 5] * 50 + [1] * 30)
    output = wikiswarm("watch", shop, "--log", log, code=1)
    assert "loop: not started: no loop is declared" in output.lines[1]


def test_wrong_usage_is_told(wikiswarm: Wikiswarm, shop: Path, tmp_path: Path) -> None:
    assert "did you mean" in wikiswarm("watch", shop, "hour", code=1).err
    for every in ("0s", "-1s", "soon", "1d"):
        assert "60s, 5m or 1h" in wikiswarm("watch", shop, "--every", every, code=2).err
    assert "needs --every" in wikiswarm("watch", shop, "--until-alarm", code=2).err
    assert "cannot read" in wikiswarm("watch", shop, "--log", tmp_path / "no", code=1).err
    two = SHOP.replace("wikis:\n", "wikis:\n  other: {model: offline}\n")
    shop.write_text(two, encoding="utf-8")
    assert "name the wiki" in wikiswarm("watch", shop, "--log", shop, code=1).err
    shop.write_text("completions: {local: {model: offline}}", encoding="utf-8")
    assert "no wiki to watch" in wikiswarm("watch", shop, code=1).err
