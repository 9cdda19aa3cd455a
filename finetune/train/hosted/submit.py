"""From rows to a job at a provider, exactly one, whatever is killed or breaks on the way.

The run folder's record is written before and after the call that creates the job. A call that got
no answer is followed by a search for its job, by a tag in its metadata and by its file.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import anyio
from anyio import to_thread

from finetune.train.hosted.config import HostedConfig
from finetune.train.hosted.errors import CostLimitError, FileRefusedError, RetiredError
from finetune.train.hosted.host import FineTuningHost, JobRequest, open_host
from finetune.train.hosted.job import HostedJob
from finetune.train.hosted.patience import Pace, again
from finetune.train.hosted.record import RunRecord, freeze, read_record, write_record
from swarm.completions.retired import retirement, service
from swarm.errors import (
    ProviderBusyError,
    ProviderDownError,
    ProviderOutputError,
    ProviderRefusedError,
    ProviderTimeoutError,
)
from swarm.locks import folder_lock

__all__ = ["submit"]

_SHORTEST_LIFE = timedelta(days=90)
_LOOKS = 3
"""How often a job is looked for whose creation got no answer."""


async def submit(
    config: HostedConfig,
    *,
    data: Path,
    output_dir: Path,
    validation: Path | None = None,
    max_cost: float | None = None,
    force: bool = False,
    pace: Pace | None = None,
    environment: Mapping[str, str] | None = None,
) -> RunRecord:
    """Create the job of a run folder and return the folder's record.

    A folder whose job exists keeps it: nothing is sent again. A creation that got no answer is
    looked up at the provider before another one is tried.

    Args:
        config: What to train and where.
        data: OpenAI SFT or DPO rows (`.jsonl`), or a questions file (`.yaml`).
        output_dir: The run folder; new, empty, or of the same run.
        validation: Rows that the provider measures the model on.
        max_cost: The most that the job may cost by its estimate, in US dollars. With an unknown
            price the job is refused. None accepts any cost.
        force: Train a base model although it retires soon.
        pace: How the provider is waited for.
        environment: Where the key is looked up; the process's with `.env` beneath by default.

    Raises:
        DataError: The data breaks a rule, is refused by the provider, or the folder is in use.
        CostLimitError: It would cost too much.
        RetiredError: The service has ended, or the model ends soon.
        SetupError: The key or the library is missing, or the folder cannot be written.
        KeyRefusedError: The key may not do this.
        OutOfCreditError: The account cannot pay.
        ProviderError: The provider failed otherwise.
    """
    pace = pace or Pace()
    record = await to_thread.run_sync(freeze, config, data, validation, output_dir)
    if record.job is not None:
        return record
    _check_cost(record, max_cost)
    _check_service(record)
    async with open_host(record.address, environment) as host:
        await _check_model(host, config.model, force=force, pace=pace)
        lock = folder_lock(output_dir)
        # Invariant: one process at a time is between looking for the job and having created it.
        await to_thread.run_sync(lock.__enter__)
        try:
            return await _create(host, read_record(output_dir), output_dir, pace)
        finally:
            lock.__exit__(None, None, None)


def _check_cost(record: RunRecord, max_cost: float | None) -> None:
    dollars = record.estimate.dollars
    if max_cost is None or (dollars is not None and dollars <= max_cost):
        return
    raise CostLimitError(f"${max_cost:,.2f} are allowed, and the job is {record.estimate}")


def _check_service(record: RunRecord) -> None:
    known = service(record.config.backend)
    if known is not None and record.address.is_own and _today() >= known.ends:
        hint = "name a host that still speaks its API in base_url, or train locally"
        raise RetiredError(known.name, known.ends, known.detail, hint=hint)


async def _check_model(host: FineTuningHost, model: str, *, force: bool, pace: Pace) -> None:
    if force:
        return
    backend = host.address.backend
    known = retirement(f"{backend}/{model}") if host.address.is_own else None
    if known is not None:
        ends, detail = known
    else:
        told = await again(lambda: host.shutdown_date(model), pace)
        if told is None:
            return
        ends, detail = told, f"the provider shuts it down on {told.isoformat()}"
    if ends - _today() < _SHORTEST_LIFE:
        hint = "choose another base, or force it"
        raise RetiredError(f"{backend}/{model}", ends, detail, hint=hint)


async def _create(host: FineTuningHost, record: RunRecord, run_dir: Path, pace: Pace) -> RunRecord:
    if record.job is not None:
        return record
    if record.training_file is None:
        path = run_dir / "validation.jsonl"
        validation = path if path.is_file() else None
        # Sent twice, a file only lies there twice.
        training_file, validation_file = await again(
            lambda: host.upload(run_dir / "data.jsonl", validation), pace
        )
        files = {"training_file": training_file, "validation_file": validation_file}
        record = record.model_copy(update=files)
        write_record(run_dir, record)
    training_file = record.training_file
    assert training_file is not None
    request = JobRequest(record.config, record.tag, training_file, record.validation_file)
    job = await _find(host, request, pace) if record.was_asked_for else None
    if job is None:
        try:
            await _until_read(host, training_file, pace)
        except (FileRefusedError, ProviderRefusedError) as error:
            if isinstance(error, FileRefusedError) or error.status == 404:
                # It is of no use any more; the next start sends it again.
                write_record(run_dir, record.model_copy(update={"training_file": None}))
            raise
        record = record.model_copy(update={"was_asked_for": True})
        write_record(run_dir, record)
        try:
            job = await _create_once(host, request, pace)
        except (ProviderRefusedError, FileRefusedError):
            write_record(run_dir, record.model_copy(update={"was_asked_for": False}))
            raise
    record = record.model_copy(update={"job": job})
    write_record(run_dir, record)
    return record


async def _create_once(host: FineTuningHost, request: JobRequest, pace: Pace) -> HostedJob:
    try:
        # Refused for its haste, a request made no job; any other silence may have made one.
        return await again(lambda: host.create(request), pace, kinds=(ProviderBusyError,))
    except (ProviderDownError, ProviderTimeoutError, ProviderOutputError) as error:
        silence = error
    job = await _find(host, request, pace)
    if job is not None:
        return job
    provider = silence.provider
    text = str(silence).removeprefix(f"{provider}: ")
    hint = "no job was found; the same command looks again before it creates one"
    raised = ProviderDownError(f"creating the job: {text}; {hint}", provider=provider)
    raised.hint = hint
    raise raised from None


async def _find(host: FineTuningHost, request: JobRequest, pace: Pace) -> HostedJob | None:
    # A job may show up in the list a little later than it was made.
    for number in range(_LOOKS):
        job = await again(lambda: host.find(request), pace)
        if job is not None:
            return job
        await anyio.sleep(pace.pause(number))
    return None


async def _until_read(host: FineTuningHost, training_file: str, pace: Pace) -> None:
    end, number = anyio.current_time() + pace.patience, 0
    while not await again(lambda: host.is_ready(training_file), pace):
        if anyio.current_time() > end:
            raise ProviderTimeoutError(
                f"the file {training_file} is not read after {pace.patience:g} s; "
                "run the same command again",
                provider=host.address.backend,
            )
        await anyio.sleep(pace.pause(number))
        number += 1


def _today() -> date:
    return datetime.now(UTC).date()
