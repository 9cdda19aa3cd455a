"""A job is followed to its end: progress, log, reasons, cancelling, and a provider that lies."""

from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from finetune.train.hosted import (
    HostAddress,
    HostedJob,
    JobFailedError,
    follow,
    open_host,
    read_events,
    read_record,
    register_hosted,
)
from finetune.train.hosted.openai_wire import read_event, read_job
from swarm.errors import DataError, ProviderDownError, ProviderOutputError
from tests.finetune.train.hosted.conftest import FAST, Jobs
from tests.finetune.train.hosted.openai_server import FakeOpenAI, Refuse
from wiki import ModelRegistry

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("S2-26", "S1-10", "S1-11", "S1-12", "S1-13", "S1-14")
async def test_a_job_is_followed_to_its_model(fake: FakeOpenAI, jobs: Jobs) -> None:
    soon = int(datetime.now(UTC).timestamp()) + 600
    fake.states = [
        {"status": "queued"},
        {"status": "running", "estimated_finish": soon},
        {"status": "succeeded", "estimated_finish": None},
    ]
    fake.event("Created fine-tuning job")

    def happens(look: int) -> None:
        if look == 2:
            fake.event("Step 10/40: training loss=0.51", data={"step": 10, "train_loss": 0.51})
        if look == 3:
            numbers = {"step": 40, "total_steps": 40, "train_loss": 0.02}
            fake.event("Step 40/40: training loss=0.02", data=numbers)

    fake.on_look = happens
    seen: list[HostedJob] = []
    run = jobs.run
    result = await jobs.train(on_progress=seen.append)
    told = [(job.status, job.progress) for job in seen]
    assert told == [("queued", 0.0), ("running", 25.0), ("completed", 100.0)]
    assert seen[1].estimated_finish == datetime.fromtimestamp(soon, UTC)
    assert result.model == "openai/ft:gpt-4.1-mini:org:shop:abc"
    assert result.job.trained_tokens == 4200
    first, *_, last = read_events(run)
    assert first.message == "Created fine-tuning job"
    assert last.metrics == {"train_loss": 0.02}
    assert (run / "manifest.json").is_file()
    # It is done, so that nothing is sent again.
    count = len(fake.requests)
    await jobs.train()
    assert not any(request.startswith("POST") for request in fake.requests[count:])


async def test_the_end_is_worked_out_where_the_provider_says_none() -> None:
    from finetune.train.hosted.job import measured

    now = int(datetime.now(UTC).timestamp())
    job = read_job({"id": "j", "status": "running", "model": "m"}, "openai")
    events = [
        read_event({"id": str(n), "created_at": now - 60 + n, "message": f"Step {n}/100"}, "openai")
        for n in (10, 20)
    ]
    known = measured(job, events)
    assert known.progress == 20.0
    assert known.estimated_finish == datetime.fromtimestamp(now - 40 + 80, UTC)


@pytest.mark.requirement("S1-22")
async def test_a_failed_job_tells_the_reasons_of_its_log(
    fake: FakeOpenAI, jobs: Jobs, tmp_path: Path
) -> None:
    error = {"code": "exceeded_quota", "message": "The job failed.", "param": None}
    fake.states = [{"status": "running"}, {"status": "failed", "error": error}]
    fake.event("Validating training file")
    fake.event("Example 7 is too long for the model", level="error")
    with pytest.raises(JobFailedError, match="Example 7 is too long") as caught:
        await jobs.train()
    assert caught.value.reasons == ("Example 7 is too long for the model", "The job failed.")
    assert read_record(jobs.run).has_ended
    with pytest.raises(DataError, match="its job is failed"):
        register_hosted(jobs.run, "shop", ModelRegistry(tmp_path / "models"))


async def test_a_job_can_be_cancelled_while_it_is_followed(
    fake: FakeOpenAI, jobs: Jobs, environment: dict[str, str]
) -> None:
    fake.states = [{"status": "running"}]
    address = HostAddress("openai", fake.base_url, "SHOP_KEY")

    async def stop() -> None:
        async with open_host(address, environment) as host:
            assert (await host.cancel("ftjob-0")).status == "cancelled"

    started = anyio.Event()

    async def watch() -> None:
        await started.wait()
        await stop()

    failed: list[str] = []
    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        with pytest.raises(JobFailedError, match="was cancelled") as caught:
            await jobs.train(on_progress=lambda job: started.set())
        failed.append(caught.value.job.status)
    assert failed == ["cancelled"]


async def test_the_log_is_read_over_its_pages_and_circles_end(
    fake: FakeOpenAI, environment: dict[str, str]
) -> None:
    for number in range(25):
        fake.event(f"line {number}")
    fake.page_size = 10
    address = HostAddress("openai", fake.base_url, "SHOP_KEY")
    with anyio.fail_after(30):
        async with open_host(address, environment) as host:
            events = await host.events("ftjob-0", frozenset())
            assert [event.message for event in events] == [f"line {n}" for n in range(25)]
            count = len(fake.requests)
            known = frozenset(event.id for event in events[:-3])
            assert [e.message for e in await host.events("ftjob-0", known)] == [
                "line 22",
                "line 23",
                "line 24",
            ]
            assert len(fake.requests) == count + 2, "pages of known lines are not read"
            fake.has_circles = True
            assert len(await host.events("ftjob-0", frozenset())) == 10
            points = await host.checkpoints("ftjob-0")
            assert [(p.step, p.model) for p in points] == [(10, "ft:a:org::abc:ckpt-step-10")]


async def test_a_host_that_lists_the_oldest_first_hides_no_last_words(
    fake: FakeOpenAI, jobs: Jobs
) -> None:
    fake.is_oldest_first, fake.page_size = True, 10
    fake.states = [{"status": "running"}, {"status": "running"}, {"status": "failed"}]
    for number in range(10):
        fake.event(f"line {number}")

    def happens(look: int) -> None:
        if look == 3:
            fake.event("the last words", level="error")

    fake.on_look = happens
    run = jobs.run
    with pytest.raises(JobFailedError, match="the last words"):
        await jobs.train()
    messages = [event.message for event in read_events(run)]
    assert messages == [*(f"line {n}" for n in range(10)), "the last words"]


async def test_a_provider_that_is_down_is_waited_for_and_then_given_up(
    fake: FakeOpenAI, jobs: Jobs, environment: dict[str, str]
) -> None:
    look = "GET /v1/fine_tuning/jobs/ftjob-0"
    fake.refusals = {look: [Refuse(502)] * 3, f"{look}/events": [Refuse(500)]}
    run = jobs.run
    await jobs.train()
    fake.refusals = {look: [Refuse(502)] * 10**5}
    with anyio.fail_after(30), pytest.raises(ProviderDownError, match="HTTP 502"):
        await follow(run, pace=FAST, environment=environment)


@pytest.mark.requirement("S1-16")
async def test_the_model_is_registered_once_and_named_by_its_alias(
    fake: FakeOpenAI, jobs: Jobs, tmp_path: Path
) -> None:
    run, registry = jobs.run, ModelRegistry(tmp_path / "models")
    fake.event("Step 4/4", data={"step": 4, "total_steps": 4, "train_loss": 0.1})
    await jobs.train()
    version = register_hosted(run, "shop", registry)
    assert register_hosted(run, "shop", registry).version == version.version == 1
    assert version.remote == "openai/ft:gpt-4.1-mini:org:shop:abc"
    assert version.manifest.metrics == {"train_loss": 0.1}
    assert version.manifest.dataset_sha256 == read_record(run).data_sha256
    registry.verify("shop", 1)
    registry.promote("shop", 1)
    assert registry.get("shop@live").remote == version.remote


def test_answers_that_are_none() -> None:
    assert read_job({"id": "j", "status": "cooking", "error": {}}, "x").status == "running"
    with pytest.raises(ProviderOutputError, match="no job"):
        read_job({"object": "list"}, "x")
    event = read_event({"id": "e", "created_at": 1e30, "data": "?", "level": None}, "x")
    assert (event.level, event.step, event.at.year) == ("info", None, 1970)
