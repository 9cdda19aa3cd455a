"""Which answer to a question a round learns, and when rows are worth a training."""

from pathlib import Path

import pytest

from finetune.loop import StageReport, plan_loop, run_loop
from swarm.errors import SwarmError
from tests.finetune.loop.hosting import KEY, KEY_NAME, hosted_wiki, training_rows
from tests.finetune.loop.shop import FACTS
from tests.finetune.loop.test_run import talk_and_correct
from tests.finetune.train.hosted.openai_server import FakeOpenAI, Refuse

pytestmark = pytest.mark.anyio

QUESTION = "How much is Velorin?"


def learnt(provider: FakeOpenAI) -> list[str]:
    """Return the answers to the question in the newest training file."""
    rows = training_rows(provider, provider.jobs[-1])
    return [answer for *_, asked, answer in rows if asked == QUESTION]


@pytest.mark.requirement("S1-17")
async def test_the_owner_and_the_staff_have_the_last_word_in_turn(
    folder: Path, provider: FakeOpenAI
) -> None:
    wiki, home, facts = hosted_wiki(provider), folder / "home", folder / "facts.yaml"
    await run_loop(wiki, home=home, beside=folder)
    assert learnt(provider) == ["Velorin costs 7.90 euros."]
    await talk_and_correct(home, {QUESTION: "Velorin costs 8.00 euros."}, {KEY_NAME: KEY})
    await run_loop(wiki, home=home, beside=folder)
    assert learnt(provider) == ["Velorin costs 8.00 euros."]
    facts.write_text(FACTS.replace("Velorin costs 7.90", "Velorin costs 8.50"), encoding="utf-8")
    await run_loop(wiki, home=home, beside=folder)
    assert learnt(provider) == ["Velorin costs 8.50 euros."]
    # It stays so in the rounds after that, and the same file written once more is not newer.
    facts.write_text(facts.read_text("utf-8"), encoding="utf-8")
    await run_loop(wiki, home=home, beside=folder, force=True)
    assert learnt(provider) == ["Velorin costs 8.50 euros."]
    await talk_and_correct(home, {QUESTION: "Velorin costs 9.00 euros."}, {KEY_NAME: KEY})
    await run_loop(wiki, home=home, beside=folder)
    assert learnt(provider) == ["Velorin costs 9.00 euros."]
    assert len(provider.jobs) == 5


async def test_more_questions_for_the_test_are_worth_another_round(
    folder: Path, provider: FakeOpenAI
) -> None:
    home = folder / "home"
    gate = {"golden": "golden.yaml", "minimum_rows": 50}
    strict = hosted_wiki(provider, gate=gate)
    assert (await run_loop(strict, home=home, beside=folder)).outcome == "not_enough_data"
    loose = hosted_wiki(provider)
    plan = await plan_loop(loose, home=home, beside=folder)
    assert (plan.new_rows, plan.is_enough) == (12, True)
    assert (await run_loop(loose, home=home, beside=folder)).outcome == "promoted"
    plan = await plan_loop(loose, home=home, beside=folder)
    assert (plan.new_rows, plan.is_enough) == (0, False)
    assert (await run_loop(loose, home=home, beside=folder)).reasons == (
        "0 new rows and 0 that are gone since the round before; minimum_new_rows is 1",
    )


async def test_a_round_that_was_forced_stays_forced_when_it_is_called_again(
    folder: Path, provider: FakeOpenAI
) -> None:
    wiki, home = hosted_wiki(provider), folder / "home"
    await run_loop(wiki, home=home, beside=folder)

    def fail(report: StageReport) -> None:
        if report.stage == "freeze":
            provider.refusals = {"POST /v1/fine_tuning/jobs": [Refuse(403)] * 8}

    with pytest.raises(SwarmError):
        await run_loop(wiki, home=home, beside=folder, force=True, on_stage=fail)
    provider.refusals = {}
    assert (await plan_loop(wiki, home=home, beside=folder)).is_enough
    result = await run_loop(wiki, home=home, beside=folder)
    assert [report.state for report in result.stages][:3] == ["kept", "kept", "kept"]
    assert result.outcome == "refused" and len(provider.jobs) == 2


async def test_a_wiki_that_asks_something_else_is_told(folder: Path, provider: FakeOpenAI) -> None:
    wiki = hosted_wiki(provider).model_copy(update={"model": "registry/pharma@1"})
    result = await run_loop(wiki, home=folder / "home", beside=folder)
    assert result.outcome == "promoted"
    assert result.hint == (
        "pharma asks registry/pharma@1; to be answered by what the loop promotes:"
        " model: registry/pharma@live"
    )
    assert (
        await plan_loop(hosted_wiki(provider), home=folder / "home", beside=folder)
    ).hint is None
