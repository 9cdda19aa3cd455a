"""From a job at a provider to its end: what it does, what it says, and the model that it leaves.

Nothing here costs anything at the provider; a killed command is simply started again.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import anyio
from anyio import to_thread
from pydantic import BaseModel, ConfigDict

from finetune.train.files import sha256_file
from finetune.train.hosted.config import HostedConfig
from finetune.train.hosted.errors import JobFailedError
from finetune.train.hosted.host import FineTuningHost, open_host
from finetune.train.hosted.job import HostedEvent, HostedJob, measured
from finetune.train.hosted.patience import Pace, again
from finetune.train.hosted.prices import training_price
from finetune.train.hosted.record import (
    RunRecord,
    read_events,
    read_record,
    write_events,
    write_record,
)
from finetune.train.hosted.submit import submit
from finetune.train.manifest import Manifest, manifest_text
from swarm.errors import DataError, ProviderError
from swarm.files import write_atomically

__all__ = ["HostedResult", "follow", "look", "train_hosted"]

_LAST_WORDS = 5


class HostedResult(BaseModel):
    """A finished run."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    run_dir: Path
    """The run folder; see `finetune.train.hosted.record`."""
    job: HostedJob
    model: str
    """The model reference to ask, such as `openai/ft:...`."""
    manifest_sha256: str
    dollars: float | None
    """What was billed, by the table of prices; None where tokens or price are unknown."""


async def train_hosted(
    config: HostedConfig,
    *,
    data: Path,
    output_dir: Path,
    validation: Path | None = None,
    max_cost: float | None = None,
    force: bool = False,
    pace: Pace | None = None,
    on_progress: Callable[[HostedJob], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> HostedResult:
    """Train a model at a provider and return its reference; see `submit` and `follow`."""
    await submit(
        config,
        data=data,
        output_dir=output_dir,
        validation=validation,
        max_cost=max_cost,
        force=force,
        pace=pace,
        environment=environment,
    )
    return await follow(output_dir, pace=pace, on_progress=on_progress, environment=environment)


async def follow(
    run_dir: Path,
    *,
    pace: Pace | None = None,
    on_progress: Callable[[HostedJob], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> HostedResult:
    """Wait for the job of a run folder and return its model.

    Cancelling the call leaves the job alone; it runs on at the provider.

    Args:
        run_dir: A folder that `submit` made.
        pace: How often to look, and for how long the provider may be silent.
        on_progress: Called with the job after each look.
        environment: Where the key is looked up.

    Raises:
        JobFailedError: The job failed or was cancelled; with the reasons from its events.
        DataError: It is no folder of a submitted run.
        SetupError: The key or the library is missing, or the folder cannot be written.
        ProviderError: The provider failed; the job may still run.
    """
    pace = pace or Pace()
    record = await to_thread.run_sync(read_record, run_dir)
    async with open_host(record.address, environment) as host:
        looks = 0
        while True:
            before = record.job
            record, events = await look(host, run_dir, record, pace)
            job = record.job
            assert job is not None  # `look` says otherwise
            if on_progress is not None:
                on_progress(job)
            if job.has_ended:
                break
            looks = 0 if before is None or job.status != before.status else looks + 1
            await anyio.sleep(pace.pause(looks))
    if job.status != "completed" or job.reference is None:
        raise JobFailedError(job, _reasons(job, events))
    return await to_thread.run_sync(_finish, run_dir, record, job, job.reference)


async def look(
    host: FineTuningHost, run_dir: Path, record: RunRecord, pace: Pace
) -> tuple[RunRecord, list[HostedEvent]]:
    """Return a run's record and log as they are now, and keep them in its folder.

    Args:
        host: Where the job is.
        run_dir: The run folder.
        record: Its record, with a job.
        pace: How the provider is waited for.

    Raises:
        ProviderError: The provider does not tell.
        StoreError: The folder cannot be written.
    """
    if record.job is None:
        raise DataError(f"{run_dir}: no job was created yet; run the command that began it again")
    job_id = record.job.id
    job = await again(lambda: host.get(job_id), pace)
    events = await to_thread.run_sync(read_events, run_dir)
    known = frozenset(event.id for event in events)
    # At the end everything is read: a host that lists the oldest first hides what came last.
    unread = frozenset[str]() if job.has_ended else known
    try:
        # Read after the job, so that a job that ended has its last words.
        fresh = [e for e in await host.events(job_id, unread) if e.id not in known]
    except ProviderError:
        fresh = []  # a log that cannot be read now is no reason to give the job up
    if fresh:
        events = sorted([*events, *fresh], key=lambda event: event.at)
        await to_thread.run_sync(write_events, run_dir, events)
    record = record.model_copy(update={"job": measured(job, events)})
    await to_thread.run_sync(write_record, run_dir, record)
    return record, events


def _reasons(job: HostedJob, events: list[HostedEvent]) -> tuple[str, ...]:
    told = [event.message for event in events if event.level in ("error", "warn")]
    if not told and job.status == "failed":
        told = [event.message for event in events]
    own = [job.error] if job.error and job.error not in told else []
    if job.status == "completed":
        own = ["it is completed and names no model"]
    return (*told[-_LAST_WORDS:], *own)


def _finish(run_dir: Path, record: RunRecord, job: HostedJob, reference: str) -> HostedResult:
    inputs = {"data.jsonl": record.data_sha256}
    if record.validation_sha256 is not None:
        inputs["validation.jsonl"] = record.validation_sha256
    try:
        libraries = {record.config.backend: version(record.config.backend)}
    except PackageNotFoundError:
        libraries = {}
    manifest = Manifest(
        config=record.config.model_dump(mode="json"),
        seed=job.seed or record.config.seed or 0,
        inputs=inputs,
        libraries=libraries,
        outputs={},
    )
    path = run_dir / "manifest.json"
    write_atomically(path, manifest_text(manifest))
    price, tokens = training_price(record.config), job.trained_tokens
    return HostedResult(
        run_dir=run_dir,
        job=job,
        model=reference,
        manifest_sha256=sha256_file(path),
        dollars=None if price is None or tokens is None else round(tokens * price / 1e6, 4),
    )
