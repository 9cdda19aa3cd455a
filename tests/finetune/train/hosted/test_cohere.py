"""Cohere's API: its rows, its statuses, its silence, and that its own service is gone."""

import json
from collections.abc import AsyncGenerator
from datetime import date
from pathlib import Path

import anyio
import pytest

from finetune.train.hosted import (
    FileRefusedError,
    HostAddress,
    HostedConfig,
    JobFailedError,
    KeyRefusedError,
    OutOfCreditError,
    RetiredError,
    open_host,
    read_events,
    submit,
    train_hosted,
)
from swarm.errors import DataError, ProviderRefusedError
from tests.finetune.train.hosted.cohere_server import FakeCohere, open_cohere_server
from tests.finetune.train.hosted.conftest import FAST
from tests.finetune.train.hosted.openai_server import KEY

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cohere() -> AsyncGenerator[FakeCohere]:
    async with open_cohere_server() as server:
        yield server


@pytest.fixture
def job(cohere: FakeCohere) -> HostedConfig:
    return HostedConfig(
        backend="cohere",
        model="command-r-08-2024",
        epochs=2,
        learning_rate=0.01,
        suffix="shop",
        base_url=cohere.base_url,
        api_key_env="SHOP_KEY",
    )


@pytest.mark.requirement("S4-09")
async def test_a_model_is_trained(
    cohere: FakeCohere,
    job: HostedConfig,
    data: Path,
    tmp_path: Path,
    environment: dict[str, str],
) -> None:
    cohere.states = ["STATUS_QUEUED", "STATUS_FINETUNING", "STATUS_DEPLOYING_API", "STATUS_READY"]
    cohere.events = [{"status": "STATUS_FINETUNING", "created_at": "2026-11-25T02:01:00Z"}]
    run, seen = tmp_path / "run", list[str]()
    result = await train_hosted(
        job,
        data=data,
        output_dir=run,
        pace=FAST,
        environment=environment,
        on_progress=lambda seen_job: seen.append(seen_job.status),
    )
    assert seen == ["queued", "running", "running", "completed"]
    assert result.model == "cohere/model-0-ft"
    first = json.loads(cohere.datasets["dataset-0"].splitlines()[1])
    assert first == {
        "messages": [
            {"role": "User", "content": "How much is box 1?"},
            {"role": "Chatbot", "content": "Box 1 costs 1 euros."},
        ]
    }
    settings = cohere.models[0]["settings"]
    assert settings["dataset_id"] == "dataset-0"
    assert settings["base_model"]["base_type"] == "BASE_TYPE_CHAT"
    assert settings["hyperparameters"] == {"train_epochs": 2, "learning_rate": 0.01}
    assert cohere.models[0]["name"].startswith("shop-")
    assert [event.message for event in read_events(run)] == ["step 4", "STATUS_FINETUNING"]
    assert cohere.keys == {KEY}


async def test_a_line_cut_after_the_job_was_made_makes_no_second_one(
    cohere: FakeCohere,
    job: HostedConfig,
    data: Path,
    tmp_path: Path,
    environment: dict[str, str],
) -> None:
    cohere.loses_created, cohere.has_circles = 1, True
    with anyio.fail_after(30):
        record = await submit(
            job, data=data, output_dir=tmp_path / "run", pace=FAST, environment=environment
        )
    assert record.job is not None
    assert (record.job.id, len(cohere.models)) == ("model-0", 1)


async def test_failures_are_told(
    cohere: FakeCohere,
    job: HostedConfig,
    data: Path,
    tmp_path: Path,
    environment: dict[str, str],
) -> None:
    async def send(run: str) -> None:
        await train_hosted(
            job, data=data, output_dir=tmp_path / run, pace=FAST, environment=environment
        )

    cohere.refuses = (401, f"invalid api token {KEY}")
    with pytest.raises(KeyRefusedError, match="SHOP_KEY") as caught:
        await send("a")
    assert KEY not in str(caught.value)
    cohere.refuses = (402, "no credit")
    with pytest.raises(OutOfCreditError):
        await send("a")
    cohere.refuses = (400, "no such base model")
    with pytest.raises(ProviderRefusedError, match="no such base model"):
        await send("a")
    cohere.states = ["STATUS_FAILED"]
    cohere.events = [{"status": "STATUS_FAILED", "created_at": "2026-11-25T02:01:00Z"}]
    with pytest.raises(JobFailedError, match="STATUS_FAILED"):
        await send("a")
    cohere.validation_error = "line 3: too short"
    with pytest.raises(FileRefusedError, match="line 3: too short"):
        await send("b")


async def test_a_job_is_stopped_by_deleting_its_model(
    cohere: FakeCohere,
    job: HostedConfig,
    data: Path,
    tmp_path: Path,
    environment: dict[str, str],
) -> None:
    cohere.states = ["STATUS_FINETUNING"]
    await submit(job, data=data, output_dir=tmp_path / "run", pace=FAST, environment=environment)
    address = HostAddress("cohere", cohere.base_url, "SHOP_KEY")
    async with open_host(address, environment) as host:
        assert (await host.cancel("model-0")).status == "cancelled"
        assert (await host.get("model-0")).status == "cancelled"
        assert await host.checkpoints("model-0") == ()


async def test_rows_with_tools_have_no_place(
    cohere: FakeCohere, job: HostedConfig, tmp_path: Path, environment: dict[str, str]
) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "price", "arguments": "{}"}}
    tool = {"type": "function", "function": {"name": "price", "parameters": {"type": "object"}}}
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"Price {number}?"},
                {"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "c", "content": "5"},
                {"role": "assistant", "content": "Five."},
            ],
            "tools": [tool],
        }
        for number in range(3)
    ]
    path = tmp_path / "tools.jsonl"
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    await anyio.Path(path).write_text(text, encoding="utf-8")
    with pytest.raises(
        DataError,
        match=r":1: cohere would not be told .*tool_call_lost, tool_result_lost, tools_lost",
    ):
        await submit(
            job, data=path, output_dir=tmp_path / "run", pace=FAST, environment=environment
        )
    assert cohere.datasets == {}


@pytest.mark.parametrize("base_url", [None, "https://api.cohere.com/v1"])
async def test_coheres_own_service_is_gone(
    data: Path, tmp_path: Path, base_url: str | None
) -> None:
    config = HostedConfig(backend="cohere", model="command-r", base_url=base_url)
    with pytest.raises(RetiredError, match="2025-09-15") as caught:
        await submit(config, data=data, output_dir=tmp_path / "run", force=True, environment={})
    assert caught.value.ends == date(2025, 9, 15)
