"""A loop that trains at a provider: its schedule, its job, its model in the registry."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from finetune.loop import STAGES, LiveChangedError, StageReport, due_wikis, run_loop
from finetune.loop.folder import RunFolder, past_rounds
from swarm import Host
from swarm.errors import StoreError
from swarm.files import write_atomically
from tests.finetune.loop.hosting import KEY, KEY_NAME, hosted_loop, hosted_wiki, open_provider
from tests.finetune.loop.shop import FACTS, PARKING, catalog_of
from tests.finetune.loop.test_run import LEARNT, counter, talk_and_correct
from tests.finetune.train.hosted.openai_server import FakeOpenAI, Refuse
from wiki import ModelRegistry, ask

pytestmark = pytest.mark.anyio


def grow_old(run: Path, days: int) -> None:
    """Let a round have been begun so many days earlier; its folder keeps its name for itself."""
    known = RunFolder(run).read()
    assert known is not None
    began = known.started_at - timedelta(days=days)
    earlier = known.model_copy(update={"started_at": began})
    write_atomically(run / "run.json", earlier.model_dump_json())


@pytest.mark.requirement("S1-17")
async def test_each_week_new_rows_are_fetched_and_a_job_with_a_dated_name_is_run(
    folder: Path, provider: FakeOpenAI
) -> None:
    wiki, home = hosted_wiki(provider), folder / "home"
    catalog = catalog_of(wiki)
    (due,) = due_wikis(catalog, home=home)
    assert due.is_due and due.last is None
    first = await run_loop(wiki, home=home, beside=folder)
    assert (first.outcome, first.version) == ("promoted", "pharma@1")
    assert not due_wikis(catalog, home=home)[0].is_due

    await talk_and_correct(home, LEARNT, {KEY_NAME: KEY})
    grow_old(first.run_dir, days=6)
    assert not due_wikis(catalog, home=home)[0].is_due
    (run,) = first.run_dir.parent.glob("2*")
    grow_old(run, days=1)
    assert due_wikis(catalog, home=home)[0].is_due
    second = await run_loop(wiki, home=home, beside=folder)
    assert (second.outcome, second.version, second.before) == ("promoted", "pharma@2", "pharma@1")
    outputs: dict[str, Any] = {report.stage: report.outputs for report in second.stages}
    assert outputs["collect"]["rows"]["corrections"] == len(LEARNT)
    began = datetime.strptime(second.name.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert [body["suffix"][:7] for body in provider.bodies] == ["pharma-", "pharma-"]
    assert provider.bodies[1]["suffix"] == began.strftime("pharma-%Y%m%d-%H%M")
    # What was sent has the customers' questions, but for the one of the test.
    sent = provider.contents[provider.jobs[1]["training_file"]].decode()
    assert [question for question in LEARNT if question not in sent] == ["Where may I park here?"]


@pytest.mark.requirement("S1-17")
async def test_a_hosted_model_is_judged_registered_and_serves(
    folder: Path, provider: FakeOpenAI
) -> None:
    home = folder / "home"
    result = await run_loop(hosted_wiki(provider), home=home, beside=folder)
    outputs: dict[str, Any] = {report.stage: report.outputs for report in result.stages}
    assert outputs["package"]["weights"] is None
    exact = outputs["gate"]["metrics"]["exact"]
    assert (exact["live"], exact["candidate"]) == (0.0, pytest.approx(12 / 19, abs=1e-5))
    assert outputs["watch"]["same_answers"] == outputs["watch"]["looked_at"] == 8
    version = ModelRegistry(home / "models").get("pharma@live")
    job = provider.jobs[0]
    assert version.remote == f"openai/{job['fine_tuned_model']}"
    manifest = version.manifest
    assert manifest.base_model == "tiny-1" and manifest.weights is None
    assert manifest.dataset_sha256 == outputs["freeze"]["train_sha256"]
    assert manifest.notes["job"] == job["id"] == outputs["train"]["job"]
    assert (manifest.notes["loop"], manifest.notes["round"]) == ("pharma", result.name)
    assert manifest.metrics["exact_test"] == exact["candidate"]
    assert {file.name for file in manifest.files} == {"decision.json"}
    assert result.duties is not None and result.duties.licence is not None
    # Where it was trained it is asked, with the key that goes there; the key is nowhere else.
    async with Host(catalog=counter(), home=home, environment={KEY_NAME: KEY}) as host:
        answer = await ask("pharma", "What does Velorin cost?", host=host)
    assert answer.text == "Velorin costs 7.90 euros." and not answer.is_fallback
    assert not any(KEY in path.read_text("utf-8") for path in home.rglob("*.json"))
    assert provider.keys == {KEY}


async def test_a_worse_hosted_model_is_refused_and_no_second_job_is_made(
    folder: Path, provider: FakeOpenAI
) -> None:
    home = folder / "home"
    await run_loop(hosted_wiki(provider), home=home, beside=folder)
    facts = folder / "facts.yaml"
    facts.write_text(facts.read_text("utf-8").replace("7.90", "4.80"), encoding="utf-8")
    result = await run_loop(hosted_wiki(provider), home=home, beside=folder)
    assert (result.outcome, result.version, result.before) == ("refused", None, "pharma@1")
    assert len(ModelRegistry(home / "models").list()) == 1
    (result.run_dir / "result.json").unlink()
    (result.run_dir / "gate.json").unlink()
    again = await run_loop(hosted_wiki(provider), home=home, beside=folder)
    assert again.outcome == "refused" and len(provider.jobs) == 2


async def test_a_version_that_does_not_answer_is_taken_back_and_waits_for_somebody(
    folder: Path, provider: FakeOpenAI
) -> None:
    home = folder / "home"
    await run_loop(hosted_wiki(provider), home=home, beside=folder)
    (folder / "facts.yaml").write_text(FACTS + PARKING, encoding="utf-8")

    def fail(report: StageReport) -> None:
        if report.stage == "promote":
            provider.refusals = {"POST /v1/chat/completions": [Refuse(403)] * 8}

    registry = ModelRegistry(home / "models")
    result = await run_loop(hosted_wiki(provider), home=home, beside=folder, on_stage=fail)
    assert (result.outcome, result.version) == ("refused", "pharma@2")
    assert result.reasons[0].startswith("it does not answer where it serves: ")
    assert result.reasons[1:] == (
        "pharma@1 is live again", "when it answers: wikiswarm models promote pharma@2",
    )  # fmt: skip
    assert registry.get("pharma@live").version == 1
    # Killed after it was taken back, the next call says so, and does not try it on users again.
    for name in ("watch.json", "result.json"):
        (result.run_dir / name).unlink()
    provider.refusals = {}
    again = await run_loop(hosted_wiki(provider), home=home, beside=folder)
    assert again.outcome == "refused"
    assert registry.get("pharma@live").version == 1 and len(provider.jobs) == 2


async def test_a_full_disk_takes_no_version_back(folder: Path, provider: FakeOpenAI) -> None:
    home = folder / "home"
    await run_loop(hosted_wiki(provider), home=home, beside=folder)
    (folder / "facts.yaml").write_text(FACTS + PARKING, encoding="utf-8")

    def fail(report: StageReport) -> None:
        if report.stage == "promote":
            past_rounds(home, "pharma")[0].path.joinpath("watch").write_text("in the way")

    with pytest.raises(StoreError):
        await run_loop(hosted_wiki(provider), home=home, beside=folder, on_stage=fail)
    assert ModelRegistry(home / "models").get("pharma@live").version == 2


def test_a_disk_that_is_full_at_any_step_is_told_and_the_round_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_NAME, KEY)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_provider()) as provider,
    ):
        loop = json.dumps(hosted_loop(provider))
        done = subprocess.run(
            [sys.executable, "-m", "tests.finetune.loop.filling", folder, loop],
            cwd=Path(__file__).parents[3], capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        *failures, end = [json.loads(line) for line in done.stdout.splitlines()]
        assert end == {"outcome": "promoted", "versions": ["pharma@1"]}
        # One training was paid for, however often the round began again.
        assert len(provider.jobs) == 1
    assert {failure["stage"] for failure in failures} == {"", *(stage.name for stage in STAGES)}
    for failure in failures:
        assert failure["told"] and "No space left on device" in failure["error"], failure


async def test_what_somebody_else_promoted_is_neither_taken_back_nor_replaced(
    folder: Path, provider: FakeOpenAI
) -> None:
    home = folder / "home"
    await run_loop(hosted_wiki(provider), home=home, beside=folder)
    (folder / "facts.yaml").write_text(FACTS + PARKING, encoding="utf-8")
    registry = ModelRegistry(home / "models")

    def meddle(report: StageReport) -> None:
        if report.stage == "promote":
            by_hand = registry.register("pharma", remote="offline")
            registry.promote("pharma", by_hand.version, by="hand")

    result = await run_loop(hosted_wiki(provider), home=home, beside=folder, on_stage=meddle)
    assert (result.outcome, result.stages[-1].outputs) == ("waiting", {"looked_at": 0})
    assert result.reasons == ("it was live, until hand put another version there or took it away",)
    assert registry.get("pharma@live").version == 3
    run = past_rounds(home, "pharma")[0].path
    for name in ("promote.json", "watch.json", "result.json"):
        (run / name).unlink()
    result = await run_loop(hosted_wiki(provider), home=home, beside=folder)
    assert (result.outcome, result.version) == ("waiting", "pharma@2")
    assert registry.get("pharma@live").version == 3


@pytest.mark.parametrize("is_taken_away", [False, True])
async def test_a_candidate_is_looked_at_unless_its_alias_is_taken_away(
    folder: Path, provider: FakeOpenAI, is_taken_away: bool
) -> None:
    registry = ModelRegistry(folder / "home" / "models")
    wiki = hosted_wiki(provider, promote="candidate")
    # Where nothing is live there is nobody to share clients with.
    first = await run_loop(wiki, home=folder / "home", beside=folder)
    assert (first.outcome, first.version) == ("promoted", "pharma@1")
    (folder / "facts.yaml").write_text(FACTS + PARKING, encoding="utf-8")

    def meddle(report: StageReport) -> None:
        if report.stage == "promote" and is_taken_away:
            registry.unalias("pharma", "candidate", by="hand")

    result = await run_loop(wiki, home=folder / "home", beside=folder, on_stage=meddle)
    assert registry.get("pharma@live").version == 1
    if is_taken_away:
        assert (result.outcome, result.version) == ("waiting", "pharma@2")
        assert result.stages[-1].outputs == {"looked_at": 0}
    else:
        assert (result.outcome, result.version) == ("candidate", "pharma@2")
        assert registry.get("pharma@candidate").version == 2
        assert result.stages[-1].outputs["looked_at"]


async def test_while_somebody_is_asked_another_version_may_be_promoted(
    folder: Path, provider: FakeOpenAI
) -> None:
    home = folder / "home"
    registry = ModelRegistry(home / "models")

    def agree(text: str) -> bool:
        assert "licence: the terms of openai" in text
        by_hand = registry.register("pharma", remote="offline")
        registry.promote("pharma", by_hand.version, by="hand")
        return True

    wiki = hosted_wiki(provider, promote="ask")
    with pytest.raises(LiveChangedError, match="judged beside its base, and pharma@2 is in serv"):
        await run_loop(wiki, home=home, beside=folder, confirm=agree)
    assert registry.get("pharma@live").version == 2
