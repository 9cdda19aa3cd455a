"""Rounds of the loop: a better version serves, a worse one does not, too little decides nothing."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from finetune.dataset.versions import open_version
from finetune.loop import STAGES, LiveChangedError, StageReport, due_wikis, run_loop
from finetune.loop.folder import RunFolder
from finetune.train.files import sha256_file
from swarm import (
    Catalog,
    Host,
    add_agent,
    add_completion,
    add_swarm,
    add_tool,
    session,
    use_catalog,
)
from swarm.store import Feedback, add_feedback, list_runs, open_database
from tests.finetune.loop.conftest import Shop
from tests.finetune.loop.shop import FACTS, begin_again, catalog_of, shop_wiki
from wiki import ModelRegistry, add_wiki, ask

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("S0-40", "S3-20")
async def test_the_first_round_makes_a_version_that_serves(first_round: Shop) -> None:
    result, home = first_round.first, first_round.home
    assert (result.outcome, result.version, result.before) == ("promoted", "pharma@1", None)
    assert [report.stage for report in result.stages] == [stage.name for stage in STAGES]
    assert "exact is better" in result.reasons[0]
    registry = ModelRegistry(home / "models")
    live = registry.get("pharma@live")
    registry.verify("pharma", live.version)
    # It was judged beside the base, which knew nothing.
    outputs: dict[str, Any] = {report.stage: report.outputs for report in result.stages}
    assert outputs["evaluate"]["live"] is None
    assert outputs["gate"]["metrics"]["exact"]["live"] == 0.0
    # From the version in service back to the rows that it was made of, all by hash.
    dataset = open_version(home / "datasets", str(outputs["freeze"]["dataset"]))
    assert live.manifest.dataset_sha256 == sha256_file(dataset.train)
    assert live.manifest.notes["round"] == result.name
    assert registry.history("pharma")[-1].by == f"loop pharma {result.name}"
    assert live.manifest.metrics["exact_test"] == outputs["gate"]["metrics"]["exact"]["candidate"]


@pytest.mark.requirement("S1-17")
async def test_a_round_is_named_by_its_time_and_leaves_a_manifest_for_each_stage(
    first_round: Shop,
) -> None:
    run = first_round.first.run_dir
    assert run.parent == first_round.home / "loops" / "pharma"
    assert run.name == first_round.first.name
    started = json.loads((run / "run.json").read_text())["started_at"]
    assert run.name == started[:19].replace("-", "").replace(":", "") + "Z"
    for stage in STAGES:
        manifest = json.loads((run / f"{stage.name}.json").read_text())
        assert manifest["stage"] == stage.name
        assert manifest["libraries"]["torch"] and manifest["code"]
        for name, digest in manifest["files"].items():
            assert sha256_file(run / name) == digest
    assert json.loads((run / "train.json").read_text())["outputs"]["seed"] == 7
    assert (run / "gate" / "report.html").is_file()


def expensive(message: str) -> str:
    """Answer as a fallback."""
    return f"I looked it up for you: {message}"


def counter() -> Catalog:
    """Return a shop whose wiki is the version in service; nothing in it is made up."""
    catalog = Catalog()
    with use_catalog(catalog):
        add_completion(completion_name="model", model="offline")
        add_wiki(
            wiki_name="pharma",
            model="registry/pharma@live",
            max_tokens=24,
            fallback="python:tests.finetune.loop.test_run:expensive",
            min_confidence=0.95,
        )
        add_tool(tool_name="ask", wiki="pharma", examples=[*LEARNT, "What does Velorin cost?"])
        add_agent(
            agent_name="seller", completion="model", prompt="You sell.", tools=["ask"],
            wiki_list=["pharma"],
        )  # fmt: skip
        add_swarm(swarm_name="desk", agent_list=["seller"], default_agent="seller")
    return catalog


async def talk_and_correct(
    home: Path, answers: Mapping[str, str], environment: Mapping[str, str] | None = None
) -> None:
    """Ask the wiki through an agent, each question as another client, and correct each answer."""
    async with Host(catalog=counter(), home=home, environment=environment or {}) as host:
        for number, question in enumerate(answers):
            async with session(f"client-{number}", "desk", host=host) as chat:
                await chat.complete(question)
    database = open_database(home)
    try:
        for run in await list_runs(database):
            said = Feedback(run_id=run.run_id, rating=1, correct=answers[run.question])
            await add_feedback(database, said)
    finally:
        database.close()


async def answered_itself(home: Path, questions: Sequence[str]) -> int:
    """Return how many questions the wiki answers without its fallback."""
    async with Host(catalog=counter(), home=home, environment={}) as host:
        answers = [await ask("pharma", question, host=host) for question in questions]
    return sum(not answer.is_fallback for answer in answers)


LEARNT = {
    "Where can I park?": "You park behind the house.",
    "Is there any parking?": "You park behind the house.",
    "Where may I park here?": "You park behind the house.",
    "Do you sell gift vouchers?": "We sell gift vouchers at the till.",
    "Where are the gift vouchers?": "We sell gift vouchers at the till.",
    "Can I buy a gift voucher?": "We sell gift vouchers at the till.",
}


@pytest.mark.requirement("S0-40", "S1-17")
async def test_a_second_round_learns_what_people_corrected(shop: Shop) -> None:
    alone = await answered_itself(shop.home, list(LEARNT))
    await talk_and_correct(shop.home, LEARNT)
    stages: list[StageReport] = []
    # On demand, although the quarter is not over.
    wiki = shop_wiki(held_out=0, every="90 days")
    assert not due_wikis(catalog_of(wiki), home=shop.home)[0].is_due
    result = await run_loop(wiki, home=shop.home, beside=shop.folder, on_stage=stages.append)
    assert (result.outcome, result.version, result.before) == ("promoted", "pharma@2", "pharma@1")
    outputs: dict[str, Any] = {report.stage: report.outputs for report in stages}
    assert outputs["collect"]["rows"]["corrections"] == len(LEARNT)
    # The customers' words for a question of the test are not trained on.
    assert outputs["freeze"]["removed"] == {"in_test": 1}
    assert outputs["freeze"]["new_rows"] == len(LEARNT) - 1
    exact = outputs["gate"]["metrics"]["exact"]
    assert exact["candidate"] > exact["live"] and exact["p_value"] <= 0.05
    registry = ModelRegistry(shop.home / "models")
    assert registry.get("pharma@previous").version == 1
    # A better wiki takes a larger share from its fallback, at the same threshold.
    assert await answered_itself(shop.home, list(LEARNT)) == len(LEARNT) > alone
    # And back, on command.
    registry.rollback("pharma")
    assert registry.get("pharma@live").version == 1
    again = await run_loop(wiki, home=shop.home, beside=shop.folder)
    assert again.outcome == "not_enough_data"
    assert again.reasons[0].startswith("0 new rows")
    assert registry.get("pharma@live").version == 1


@pytest.mark.requirement("S0-40")
async def test_a_worse_dataset_is_refused_and_nothing_is_registered(shop: Shop) -> None:
    corrupted = FACTS.replace("7.90", "4.80").replace("at nine", "at noon")
    (shop.folder / "facts.yaml").write_text(corrupted.replace("Lantern", "Cattle"), "utf-8")
    before = sha256_file(shop.home / "models" / "pharma" / "aliases.json")
    result = await run_loop(shop_wiki(), home=shop.home, beside=shop.folder)
    assert (result.outcome, result.version, result.before) == ("refused", None, "pharma@1")
    assert any("exact may be worse by more than 0.02" in reason for reason in result.reasons)
    assert len(ModelRegistry(shop.home / "models").list()) == 1
    assert sha256_file(shop.home / "models" / "pharma" / "aliases.json") == before
    # Kept, to be looked at: the model, and the page that shows the answers side by side.
    run = result.run_dir
    assert (run / "package" / "weights.gguf").is_file() and list(run.glob("train-*/model"))
    assert "noon" in (run / "gate" / "report.md").read_text("utf-8")
    # The gate is asked again with another wish; nothing before it is done again.
    for name in ("gate.json", "result.json"):
        (run / name).unlink()
    states: dict[str, str] = {}
    wiki = shop_wiki(keep_refused=False)
    refused = await run_loop(
        wiki, home=shop.home, beside=shop.folder,
        on_stage=lambda report: states.update({report.stage: report.state}),
    )  # fmt: skip
    assert refused.outcome == "refused" and refused.run_dir == run
    assert states == {
        "collect": "kept", "curate": "kept", "freeze": "kept", "train": "kept",
        "package": "kept", "evaluate": "kept", "gate": "done",
    }  # fmt: skip
    assert not list(run.glob("train-*")) and not (run / "package").exists()
    assert (run / "gate" / "report.html").is_file()


async def test_too_few_questions_of_the_test_decide_nothing(shop: Shop) -> None:
    begin_again(shop.home, "gate")
    gate = {"golden": "golden.yaml", "minimum_rows": 50}
    result = await run_loop(shop_wiki(gate=gate), home=shop.home, beside=shop.folder)
    assert result.outcome == "not_enough_data"
    assert result.reasons == ("19 questions are too few; the policy wants 50",)
    assert not (shop.home / "models").exists()


async def test_a_better_version_may_wait_for_somebody(shop: Shop) -> None:
    begin_again(shop.home, "promote")
    asked: list[str] = []

    def confirm(text: str) -> bool:
        asked.append(text)
        return False

    wiki = shop_wiki(promote="ask")
    result = await run_loop(wiki, home=shop.home, beside=shop.folder, confirm=confirm)
    (version,) = ModelRegistry(shop.home / "models").list("pharma")
    assert result.outcome == "waiting" and version.aliases == ()
    assert asked[0].startswith("pharma@1: exact is better")


async def test_settings_that_change_after_the_registration_make_another_version(
    shop: Shop,
) -> None:
    begin_again(shop.home, "promote")
    result = await run_loop(shop_wiki(quantization="f16"), home=shop.home, beside=shop.folder)
    assert (result.outcome, result.version) == ("promoted", "pharma@2")
    live = ModelRegistry(shop.home / "models").get("pharma@live")
    assert live.weights is not None
    # What serves is what was judged.
    assert sha256_file(live.weights) == sha256_file(result.run_dir / "package" / "weights.gguf")


async def test_a_version_that_somebody_else_promoted_meanwhile_is_not_replaced_blindly(
    shop: Shop,
) -> None:
    begin_again(shop.home, "promote")
    registry = ModelRegistry(shop.home / "models")
    first = registry.get("pharma@1")
    other = registry.register("pharma", weights=first.weights, notes={"by": "hand"})

    def meanwhile(report: StageReport) -> None:
        if report.stage == "register":
            registry.promote("pharma", other.version, by="hand")

    with pytest.raises(LiveChangedError, match="judged beside its base, and pharma@2 is in serv"):
        await run_loop(shop_wiki(), home=shop.home, beside=shop.folder, on_stage=meanwhile)
    assert registry.get("pharma@live").version == 2
    # The next call judges anew, beside what serves now: the same weights, which are not better.
    result = await run_loop(shop_wiki(), home=shop.home, beside=shop.folder)
    assert (result.outcome, result.before) == ("refused", "pharma@2")


async def test_a_version_that_cannot_be_asked_is_taken_back(shop: Shop) -> None:
    run = begin_again(shop.home, "promote")
    registry = ModelRegistry(shop.home / "models")
    weights = registry.get("pharma@1").weights
    assert weights is not None
    registry.promote("pharma", 1)
    broken = shop.folder / "broken.gguf"
    broken.write_bytes(weights.read_bytes()[:4096])
    # As if the version had been registered from a file that the engine cannot serve.
    judged = json.loads((run / "register.json").read_text())
    bad = registry.register("pharma", weights=broken)
    judged["outputs"] = {"version": bad.version, "sha256": bad.manifest.sha256}
    (run / "register.json").write_text(json.dumps(judged))
    evaluated = json.loads((run / "evaluate.json").read_text())
    evaluated["inputs"]["settings"]["live"] = [1, registry.get("pharma@1").manifest.sha256]
    evaluated["outputs"]["live"] = "pharma@1"
    (run / "evaluate.json").write_text(json.dumps(evaluated))
    for name in ("gate", "register"):
        manifest = json.loads((run / f"{name}.json").read_text())
        earlier = RunFolder(run).manifest("evaluate" if name == "gate" else "gate")
        assert earlier is not None
        manifest["inputs"]["before"] = earlier.digest
        (run / f"{name}.json").write_text(json.dumps(manifest))
    result = await run_loop(shop_wiki(), home=shop.home, beside=shop.folder)
    assert (result.outcome, result.version) == ("refused", str(bad))
    assert "does not answer where it serves" in result.reasons[0]
    assert result.reasons[1] == "pharma@1 is live again"
    assert registry.history("pharma")[-1].action == "rollback"
    assert registry.get("pharma@live").version == 1
