"""What is known of a hosted job: its state, its events, and how far it is.

The same for every provider; the modules `openai` and `cohere` read theirs into it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from finetune.train.hosted.config import Backend

__all__ = ["ENDED", "HostedCheckpoint", "HostedEvent", "HostedJob", "JobStatus", "measured"]

JobStatus = Literal["queued", "running", "completed", "failed", "cancelled"]
"""What every provider's own statuses come down to."""

ENDED = frozenset({"completed", "failed", "cancelled"})
"""The statuses that do not change any more."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class HostedJob(_Record):
    """A fine-tuning job at a provider, as it was last seen."""

    backend: Backend
    id: str
    model: str
    """The base model."""
    status: JobStatus
    provider_status: str
    """The provider's own word for it."""
    progress: float | None = None
    """Per cent of the steps done; None before the first step was reported."""
    created_at: datetime | None = None
    finished_at: datetime | None = None
    estimated_finish: datetime | None = None
    """When it should end: the provider's word, else worked out from the steps so far."""
    fine_tuned_model: str | None = None
    """The provider's id of the finished model, which may hold colons."""
    trained_tokens: int | None = None
    """What is billed, once it is known."""
    error: str | None = None
    """Why it failed, as far as the job itself says."""
    training_file: str | None = None
    validation_file: str | None = None
    seed: int | None = None
    metadata: Mapping[str, str] = {}

    @property
    def reference(self) -> str | None:
        """The model reference of the finished model, such as `openai/ft:gpt-4.1-mini:a::b`."""
        return f"{self.backend}/{self.fine_tuned_model}" if self.fine_tuned_model else None

    @property
    def has_ended(self) -> bool:
        """Whether its status is final."""
        return self.status in ENDED


class HostedEvent(_Record):
    """One line of a job's log."""

    id: str
    at: datetime
    level: str = "info"
    """`info`, `warn` or `error`."""
    message: str
    step: int | None = None
    total_steps: int | None = None
    metrics: Mapping[str, float] = {}
    """Such as `train_loss`."""


class HostedCheckpoint(_Record):
    """A model that was saved on the way."""

    id: str
    at: datetime
    step: int
    model: str
    """The provider's id of it; it can be asked like a finished model."""
    metrics: Mapping[str, float] = {}


def measured(job: HostedJob, events: Sequence[HostedEvent]) -> HostedJob:
    """Return a job with its progress and, where the provider says none, its estimated end.

    Args:
        job: The job.
        events: All its events, oldest first.
    """
    if job.status == "completed":
        return job.model_copy(update={"progress": 100.0, "estimated_finish": None})
    steps = [
        (event.at, event.step, event.total_steps)
        for event in events
        if event.step is not None and event.total_steps
    ]
    if not steps:
        return job.model_copy(update={"progress": 0.0}) if job.status == "queued" else job
    (start, first, _), (end, last, total) = steps[0], max(steps, key=lambda step: step[1])
    finish = job.estimated_finish
    if finish is None and job.status == "running" and last > first:
        finish = end + timedelta(seconds=(end - start).total_seconds()) * (
            (total - last) / (last - first)
        )
    return job.model_copy(
        update={
            "progress": round(min(100.0, 100 * last / total), 1),
            "estimated_finish": None if job.has_ended else _not_past(finish),
        }
    )


def _not_past(finish: datetime | None) -> datetime | None:
    # A job that is late has no estimate any more.
    return finish if finish is not None and finish > datetime.now(UTC) else None
