"""OpenAI's JSON of jobs, events and checkpoints, read into ours, and ours written as theirs.

Compatible hosts leave fields out and have words of their own, so only what is needed is required.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from finetune.train.hosted.host import JobRequest
from finetune.train.hosted.job import HostedCheckpoint, HostedEvent, HostedJob, JobStatus
from swarm.errors import ProviderOutputError

__all__ = ["TAG", "job_body", "read_checkpoint", "read_event", "read_job"]

TAG = "wikiswarm_run"
"""The key of the metadata that names the run."""

_STATUSES: Mapping[str, JobStatus] = {
    "validating_files": "queued",
    "created": "queued",
    "pending": "queued",
    "queued": "queued",
    "paused": "queued",
    "running": "running",
    "succeeded": "completed",
    "completed": "completed",
    "failed": "failed",
    "error": "failed",
    "user_error": "failed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
}
_STEP = re.compile(r"\bstep (\d+)(?:\s*/\s*|\s+of\s+)(\d+)", re.IGNORECASE)

Wire = TypeVar("Wire", bound=BaseModel)


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Error(_Wire):
    code: str | None = None
    message: str | None = None
    param: str | None = None


class _Job(_Wire):
    id: str
    status: str
    model: str = ""
    created_at: float | None = None
    finished_at: float | None = None
    estimated_finish: float | None = None
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    error: _Error | None = None
    training_file: str | None = None
    validation_file: str | None = None
    seed: int | None = None
    metadata: dict[str, Any] | None = None


class _Event(_Wire):
    id: str
    created_at: float
    message: str = ""
    level: str | None = None
    data: Any = None


class _Checkpoint(_Wire):
    id: str
    created_at: float
    fine_tuned_model_checkpoint: str
    step_number: int
    metrics: dict[str, Any] | None = None


def job_body(request: JobRequest) -> dict[str, Any]:
    """Return the arguments of `POST /fine_tuning/jobs`."""
    config = request.config
    numbers: dict[str, JsonValue] = {
        "n_epochs": config.epochs,
        "batch_size": config.batch_size,
        "learning_rate_multiplier": config.learning_rate_multiplier,
        "beta": config.beta,
    }
    numbers = {name: value for name, value in numbers.items() if value is not None}
    body: dict[str, Any] = {
        "model": config.model,
        "training_file": request.training_file,
        "validation_file": request.validation_file,
        "suffix": config.model_suffix,
        "seed": config.seed,
        "metadata": {**config.metadata, TAG: request.tag},
        "integrations": [dict(one) for one in config.integrations] or None,
    }
    if config.request_shape == "hyperparameters":
        body["hyperparameters"] = numbers or None
    else:
        kind = "supervised" if config.method == "sft" else "dpo"
        body["method"] = {"type": kind, kind: {"hyperparameters": numbers}}
    return {name: value for name, value in body.items() if value is not None}


def read_job(raw: object, provider: str) -> HostedJob:
    """Return a job.

    Raises:
        ProviderOutputError: It is none.
    """
    job = _read(_Job, raw, provider)
    return HostedJob(
        backend="openai",
        id=job.id,
        model=job.model,
        # A word that is not known yet is not an end, so it is asked again.
        status=_STATUSES.get(job.status.lower(), "running"),
        provider_status=job.status,
        created_at=_time(job.created_at),
        finished_at=_time(job.finished_at),
        estimated_finish=_time(job.estimated_finish),
        fine_tuned_model=job.fine_tuned_model or None,
        trained_tokens=job.trained_tokens,
        error=_reason(job.error),
        training_file=job.training_file,
        validation_file=job.validation_file,
        seed=job.seed,
        metadata={key: str(value) for key, value in (job.metadata or {}).items()},
    )


def read_event(raw: object, provider: str) -> HostedEvent:
    """Return a line of a job's log.

    Raises:
        ProviderOutputError: It is none.
    """
    event = _read(_Event, raw, provider)
    told: Any = event.data
    data = cast("dict[str, Any]", told if isinstance(told, dict) else {})
    numbers = _numbers(data)
    step, total = numbers.pop("step", None), numbers.pop("total_steps", None)
    if found := _STEP.search(event.message):
        step = step if step is not None else float(found[1])
        total = total if total is not None else float(found[2])
    return HostedEvent(
        id=event.id,
        at=_time(event.created_at) or datetime.fromtimestamp(0, UTC),
        level=event.level or "info",
        message=event.message,
        step=int(step) if step is not None else None,
        total_steps=int(total) if total is not None else None,
        metrics=numbers,
    )


def read_checkpoint(raw: object, provider: str) -> HostedCheckpoint:
    """Return a model that was saved on the way.

    Raises:
        ProviderOutputError: It is none.
    """
    checkpoint = _read(_Checkpoint, raw, provider)
    numbers = _numbers(checkpoint.metrics or {})
    numbers.pop("step", None)
    return HostedCheckpoint(
        id=checkpoint.id,
        at=_time(checkpoint.created_at) or datetime.fromtimestamp(0, UTC),
        step=checkpoint.step_number,
        model=checkpoint.fine_tuned_model_checkpoint,
        metrics=numbers,
    )


def _read(kind: type[Wire], raw: object, provider: str) -> Wire:
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        text = f"the answer is no {kind.__name__[1:].lower()}: {where} {first['msg']}"
        raise ProviderOutputError(text, provider=provider) from None


def _numbers(data: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in data.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _time(seconds: float | None) -> datetime | None:
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _reason(error: _Error | None) -> str | None:
    if error is None or not (error.message or error.code):
        return None  # jobs that are well may carry an empty one
    place = f" ({error.param})" if error.param else ""
    return f"{error.message or error.code}{place}"
