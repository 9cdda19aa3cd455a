"""A job is created once, with what was asked for, or refused with a reason that helps."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from dirty_equals import IsStr
from pydantic import ValidationError

from finetune.dataset import DatasetError
from finetune.train.hosted import (
    CostLimitError,
    FileRefusedError,
    HostAddress,
    HostedConfig,
    KeyRefusedError,
    OutOfCreditError,
    RetiredError,
    RunRecord,
    dated_suffix,
    estimate_cost,
    open_host,
    read_record,
    submit,
    versioned_suffix,
)
from finetune.train.hosted.openai import OpenAIHost
from swarm.errors import (
    DataError,
    DeclarationError,
    MissingKeyError,
    ProviderBusyError,
    ProviderDownError,
    ProviderRefusedError,
    ProviderTimeoutError,
)
from tests.finetune.train.hosted.conftest import FAST, Jobs, write_rows
from tests.finetune.train.hosted.openai_server import KEY, FakeOpenAI, Refuse

pytestmark = pytest.mark.anyio

CREATE = "POST /v1/fine_tuning/jobs"


@pytest.mark.requirement("S2-26", "S1-07", "S1-08", "S1-09")
async def test_a_job_is_created_with_what_was_asked_for(
    fake: FakeOpenAI, jobs: Jobs, config: HostedConfig, data: Path, tmp_path: Path
) -> None:
    fake.processing = 2
    asked = config.model_copy(
        update={
            "epochs": 3,
            "batch_size": 4,
            "learning_rate_multiplier": 0.5,
            "seed": 7,
            "metadata": {"version": "1.2", "description": "prices"},
            "integrations": ({"type": "wandb", "wandb": {"project": "shop"}},),
        }
    )
    validation = write_rows(tmp_path / "other.jsonl", 2)
    record = await jobs.submit(asked, validation=validation)
    assert fake.bodies == [
        {
            "model": "gpt-4.1-mini",
            "training_file": "file-0",
            "validation_file": "file-1",
            "suffix": "shop-v1-2",
            "seed": 7,
            "metadata": {"version": "1.2", "description": "prices", "wikiswarm_run": record.tag},
            "integrations": [{"type": "wandb", "wandb": {"project": "shop"}}],
            "method": {
                "type": "supervised",
                "supervised": {
                    "hyperparameters": {
                        "n_epochs": 3,
                        "batch_size": 4,
                        "learning_rate_multiplier": 0.5,
                    }
                },
            },
        }
    ]
    assert fake.contents["file-0"] == await anyio.Path(data).read_bytes()
    assert record.job is not None
    assert (record.job.id, record.job.status) == ("ftjob-0", "queued")
    assert fake.keys == {KEY}
    kept = b"".join(p.read_bytes() for p in (tmp_path / "run").iterdir() if p.is_file())
    assert KEY.encode() not in kept


@pytest.mark.requirement("S1-08")
async def test_the_old_form_and_preference_training(
    fake: FakeOpenAI, jobs: Jobs, config: HostedConfig, tmp_path: Path
) -> None:
    old = config.model_copy(update={"request_shape": "hyperparameters", "epochs": 2})
    await jobs.submit(old, run=tmp_path / "old")
    assert fake.bodies[0]["hyperparameters"] == {"n_epochs": 2}
    assert "method" not in fake.bodies[0]

    pair = {
        "input": {"messages": [{"role": "user", "content": "Hello"}]},
        "preferred_output": [{"role": "assistant", "content": "Good morning."}],
        "non_preferred_output": [{"role": "assistant", "content": "What?"}],
    }
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(f"{json.dumps(pair)}\n", encoding="utf-8")
    dpo = config.model_copy(update={"method": "dpo", "beta": 0.2})
    await jobs.submit(dpo, data=pairs, run=tmp_path / "dpo")
    assert fake.bodies[1]["method"] == {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}}


async def test_a_large_file_goes_up_in_parts(
    fake: FakeOpenAI, data: Path, environment: dict[str, str]
) -> None:
    address = HostAddress("openai", fake.base_url, "SHOP_KEY")
    host = OpenAIHost(address, KEY, plain_upload=100)
    try:
        file_id, _ = await host.upload(data, None)
    finally:
        await host.aclose()
    content = await anyio.Path(data).read_bytes()
    assert fake.files[file_id]["bytes"] == len(content) == sum(fake.parts)
    assert fake.contents["upload_1"] == content


async def test_a_run_folder_has_one_job(
    fake: FakeOpenAI, jobs: Jobs, config: HostedConfig, tmp_path: Path
) -> None:
    records: list[RunRecord] = []

    async def once() -> None:
        records.append(await jobs.submit())

    async with anyio.create_task_group() as group:
        group.start_soon(once)
        group.start_soon(once)
    await once()
    assert len(fake.jobs) == 1
    assert {record.job.id for record in records if record.job} == {"ftjob-0"}
    with pytest.raises(DataError, match="holds another run"):
        await jobs.submit(config.model_copy(update={"seed": 1}))
    with pytest.raises(DataError, match="not empty"):
        await jobs.submit(run=tmp_path)


async def test_a_line_cut_after_the_job_was_made_makes_no_second_one(
    fake: FakeOpenAI, jobs: Jobs
) -> None:
    fake.loses_created = 1
    record = await jobs.submit()
    assert len(fake.jobs) == 1
    assert record.job is not None
    assert record.job.id == "ftjob-0"


async def test_an_answer_that_is_no_job_makes_no_second_one(fake: FakeOpenAI, jobs: Jobs) -> None:
    fake.garbles_created = True
    record = await jobs.submit()
    assert record.job is not None
    assert (record.job.id, len(fake.jobs)) == ("ftjob-0", 1)


async def test_a_line_cut_before_the_job_was_made_is_told_and_tried_again_on_demand(
    fake: FakeOpenAI, jobs: Jobs
) -> None:
    fake.loses_unmade = 1
    with pytest.raises(ProviderDownError, match="no job was found") as caught:
        await jobs.submit()
    assert KEY not in str(caught.value)
    assert read_record(jobs.run).was_asked_for
    await jobs.submit()
    assert len(fake.jobs) == 1
    assert len(fake.files) == 1, "the file is not sent again"


async def test_a_run_killed_between_the_call_and_its_record_finds_its_job(
    fake: FakeOpenAI, jobs: Jobs
) -> None:
    from finetune.train.hosted.record import write_record

    run = jobs.run
    record = await jobs.submit()
    # What stands on the disk when the process dies before the answer is written.
    write_record(run, record.model_copy(update={"job": None}))
    for number in range(150):  # others' jobs, so that ours is on the second page
        fake.jobs.append(
            {**fake.jobs[0], "id": f"o-{number}", "training_file": "x", "metadata": {}}
        )
    again = await jobs.submit()
    assert again.job is not None
    assert again.job.id == "ftjob-0"
    assert fake.requests.count(CREATE) == 1


@pytest.mark.requirement("S1-20")
async def test_a_refused_key_is_named_with_its_permission(fake: FakeOpenAI, jobs: Jobs) -> None:
    said = f"Incorrect API key provided: {KEY}. You have insufficient permissions."
    fake.refusals = {
        "POST /v1/files": [Refuse(401, said, "invalid_api_key")],
        CREATE: [Refuse(403, "Forbidden. Missing scopes: api.fine_tuning.jobs.write.")],
    }
    with pytest.raises(KeyRefusedError) as caught:
        await jobs.submit()
    assert (caught.value.variable, caught.value.permission) == ("SHOP_KEY", "Files: write")
    assert "SHOP_KEY" in str(caught.value)
    assert KEY not in str(caught.value)
    with pytest.raises(KeyRefusedError, match=r"'api\.fine_tuning\.jobs\.write'"):
        await jobs.submit()


@pytest.mark.requirement("S1-01")
async def test_keys_come_from_the_environment_or_its_file(
    fake: FakeOpenAI,
    config: HostedConfig,
    data: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(MissingKeyError, match="SHOP_KEY"):
        await submit(config, data=data, output_dir=home / "run", pace=FAST)
    await anyio.Path(".env").write_text(f"SHOP_KEY={KEY}\n", encoding="utf-8")
    await submit(config, data=data, output_dir=home / "run", pace=FAST)
    assert fake.keys == {KEY}
    # A host that no key was meant for gets none, also where OpenAI's own is set.
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai-0987654321")
    bare = config.model_copy(update={"api_key_env": None})
    await submit(bare, data=data, output_dir=home / "other", pace=FAST)
    assert fake.keys == {KEY, "none"}


@pytest.mark.requirement("S1-21")
@pytest.mark.parametrize(
    "refusal",
    [
        Refuse(429, "You exceeded your current quota.", "insufficient_quota"),
        Refuse(400, "Billing hard limit has been reached.", "billing_hard_limit_reached"),
        Refuse(402, "Payment required."),
    ],
    ids=["quota", "limit", "payment"],
)
async def test_an_account_without_credit_is_told_at_once(
    fake: FakeOpenAI, jobs: Jobs, refusal: Refuse
) -> None:
    fake.refusals = {CREATE: [refusal]}
    with pytest.raises(OutOfCreditError, match="add credit"):
        await jobs.submit()
    assert fake.jobs == []
    assert not read_record(jobs.run).was_asked_for
    await jobs.submit()
    assert len(fake.jobs) == 1


async def test_a_busy_provider_is_asked_again(fake: FakeOpenAI, jobs: Jobs, tmp_path: Path) -> None:
    busy = Refuse(429, "slow down", "rate_limit_exceeded", headers={"Retry-After": "0"})
    fake.refusals = {"POST /v1/files": [busy, Refuse(503)], CREATE: [busy, busy]}
    record = await jobs.submit()
    assert record.job is not None
    assert len(fake.jobs) == 1
    # A pause that is longer than the patience is not waited for.
    fake.refusals = {CREATE: [Refuse(429, "slow down", headers={"Retry-After": "600"})]}
    with pytest.raises(ProviderBusyError) as caught:
        await jobs.submit(run=tmp_path / "other")
    assert caught.value.retry_after == 600


async def test_a_refused_file_is_named_with_the_providers_line(
    fake: FakeOpenAI, jobs: Jobs, tmp_path: Path
) -> None:
    line = "Invalid file format. Example 3 has no assistant message."
    fake.file_error = line
    with pytest.raises(FileRefusedError, match="Example 3 has no assistant message"):
        await jobs.submit()
    fake.file_error = None
    await jobs.submit()
    assert len(fake.files) == 2, "a file that is of no use is sent again"
    fake.refusals = {CREATE: [Refuse(400, line, "invalid_training_file", "training_file")]}
    with pytest.raises(FileRefusedError, match=r"training_file: .*Example 3"):
        await jobs.submit(run=tmp_path / "other")
    fake.refusals = {CREATE: [Refuse(400, "no such model", "model_not_found", "model")]}
    with pytest.raises(ProviderRefusedError, match="no such model"):
        await jobs.submit(run=tmp_path / "third")


async def test_a_file_that_is_never_read_ends_the_wait(fake: FakeOpenAI, jobs: Jobs) -> None:
    fake.processing = 10**6
    with anyio.fail_after(30), pytest.raises(ProviderTimeoutError, match="is not read after"):
        await jobs.submit()


async def test_what_is_refused_stays_as_it_is(
    jobs: Jobs, config: HostedConfig, data: Path, tmp_path: Path
) -> None:
    # The rows lie where the run would keep them.
    folder = tmp_path / "mine"
    rows = anyio.Path(folder / "data.jsonl")
    await rows.parent.mkdir()
    await rows.write_text("no row\n", encoding="utf-8")
    with pytest.raises(DatasetError):
        await jobs.submit(data=Path(rows), run=folder)
    assert await rows.read_text(encoding="utf-8") == "no row\n"
    # Another run's folder outlives a command that may not have it.
    await jobs.submit()
    with pytest.raises(DataError, match="holds another run"):
        await jobs.submit(config.model_copy(update={"seed": 2}))
    assert read_record(jobs.run).job is not None


@pytest.mark.requirement("S1-04")
async def test_bad_rows_cost_no_request(fake: FakeOpenAI, jobs: Jobs, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"messages": [}\n', encoding="utf-8")
    with pytest.raises(DatasetError, match=r"bad\.jsonl:1:"):
        await jobs.submit(data=bad)
    with pytest.raises(DataError, match="no such file"):
        await jobs.submit(data=tmp_path / "none.jsonl")
    assert fake.requests == []
    assert not await anyio.Path(jobs.run).exists()
    await jobs.submit(data=write_rows(bad))
    assert len(fake.jobs) == 1


async def test_a_model_that_ends_soon_is_refused_with_the_date_unless_forced(
    fake: FakeOpenAI, jobs: Jobs, config: HostedConfig, tmp_path: Path
) -> None:
    today = datetime.now(UTC).date()
    soon, late = today + timedelta(days=30), today + timedelta(days=400)
    fake.shutdown = {"gpt-4.1-mini": soon.isoformat(), "gpt-9": late.isoformat()}
    with pytest.raises(RetiredError, match=soon.isoformat()) as caught:
        await jobs.submit()
    assert caught.value.ends == soon
    assert fake.files == {}
    lasting = config.model_copy(update={"model": "gpt-9"})
    await jobs.submit(lasting, run=tmp_path / "lasting")
    await jobs.submit(force=True)
    assert len(fake.jobs) == 2


async def test_a_host_without_a_list_of_models_is_no_obstacle(fake: FakeOpenAI, jobs: Jobs) -> None:
    fake.refusals = {"GET /v1/models": [Refuse(404)]}
    await jobs.submit()
    assert len(fake.jobs) == 1


async def test_known_retirements_of_the_provider_itself_need_no_request(jobs: Jobs) -> None:
    config = HostedConfig(model="gpt-4")
    with pytest.raises(RetiredError) as caught:
        await jobs.submit(config, environment={"OPENAI_API_KEY": KEY})
    assert caught.value.ends in (date(2026, 10, 23), date(2027, 1, 6))


@pytest.mark.parametrize("url", ["http://api.openai.com/v1", "https://a:b@host.example/v1", "x"])
async def test_a_key_goes_to_no_address_that_would_give_it_away(url: str) -> None:
    with pytest.raises(DeclarationError):
        async with open_host(HostAddress("openai", url), {"OPENAI_API_KEY": KEY}):
            pass


@pytest.mark.requirement("S1-21", "S1-24", "S2-27")
async def test_the_cost_is_estimated_and_held_to_its_limit(
    fake: FakeOpenAI, jobs: Jobs, data: Path, tmp_path: Path
) -> None:
    from finetune.dataset import check_file

    report = check_file(data)
    assert report.tokens is not None
    own = HostedConfig(model="gpt-4.1-mini-2025-04-14", epochs=4)
    estimate = estimate_cost(own, report)
    assert estimate.tokens == report.tokens.total
    assert estimate.dollars == pytest.approx(report.tokens.total * 4 * 5.0 / 1e6, abs=1e-4)
    assert str(estimate) == IsStr(regex=r".* x 4 epochs = \$0\.0\d at \$5 per million .*")
    tuned = own.model_copy(update={"model": "ft:gpt-4.1-mini-2025-04-14:org::x"})
    assert estimate_cost(tuned, report).price == 5.0
    with pytest.raises(CostLimitError, match=r"0\.00 are allowed"):
        await jobs.submit(
            own, run=tmp_path / "own", environment={"OPENAI_API_KEY": KEY}, max_cost=0.0
        )
    # What another host takes is not known, and unknown is not free.
    with pytest.raises(CostLimitError, match="price is not known"):
        await jobs.submit(max_cost=100.0)
    assert fake.requests == []


@pytest.mark.requirement("S1-09", "S1-17")
def test_names_of_models() -> None:
    at = datetime(2026, 11, 25, 2, 15, tzinfo=UTC)
    assert dated_suffix("Shop: prices", at) == "shop-prices-20261125-0215"
    assert versioned_suffix("shop", "v1.2") == "shop-v1-2"
    assert len(dated_suffix("x" * 200, at)) == 64
    assert dated_suffix("!", at) == "20261125-0215"


@pytest.mark.parametrize(
    "fields",
    [
        {"suffix": "x" * 65},
        {"metadata": {f"k{n}": "v" for n in range(16)}},
        {"metadata": {"k": "v" * 513}},
        {"backend": "cohere", "method": "dpo"},
        {"backend": "cohere", "seed": 1},
        {"learning_rate": 0.1},
        {"beta": 0.1},
        {"method": "dpo", "request_shape": "hyperparameters"},
        {"api_key": "sk"},
        {"base_url": "https://me:secret@host.example/v1"},
        {"base_url": "https://host.example/v1?key=secret"},
        {"base_url": "host.example"},
    ],
)
def test_what_no_provider_takes_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HostedConfig.model_validate({"model": "m", **fields})
