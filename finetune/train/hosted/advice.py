"""What to do about a job that is slow, dear, or leaves a poor model.

Rules of thumb on figures that every provider reports; whether a model is good is decided by
`finetune.evaluate`.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from finetune.train.hosted.job import HostedEvent
from finetune.train.hosted.record import RunRecord

__all__ = ["advice", "same_training"]

_LONG = timedelta(hours=2)
_FEW_ROWS = 50
_UNLEARNT = 1.0
"""Mean loss per token above which answers are mostly guessed."""
_BY_HEART = 1.5
"""Validation loss, as a multiple of the training loss, above which rows are learnt by heart."""


def advice(
    record: RunRecord, events: Sequence[HostedEvent], now: datetime | None = None
) -> tuple[str, ...]:
    """Return what would help a job, one sentence each; nothing where all is usual.

    Args:
        record: The run.
        events: Its log, oldest first.
        now: The time; the present by default.
    """
    job, found = record.job, list[str]()
    if job is None:
        return ()
    now = now or datetime.now(UTC)
    end = job.finished_at or job.estimated_finish or now
    if job.created_at is not None and end - job.created_at > _LONG:
        found.append(
            "slow: a smaller base or fewer --epochs is faster; large files can be trained in "
            "parts, each on the model of the part before (--base ft:...)"
        )
    if not job.has_ended:
        return tuple(found)
    last: dict[str, float] = {}
    for event in events:
        last |= event.metrics
    loss = last.get("train_loss", last.get("loss"))
    valid = last.get("full_valid_loss", last.get("valid_loss"))
    if loss is not None and loss > _UNLEARNT:
        found.append(
            f"the training loss is still {loss:.2f}: more --epochs, rows that agree with each "
            "other (wikiswarm dataset check), or a larger base"
        )
    if loss is not None and valid is not None and valid > max(_BY_HEART * loss, loss + 0.1):
        found.append(
            f"the validation loss is {valid:.2f}, the training loss {loss:.2f}: the rows are "
            "learnt by heart; fewer --epochs or more varied rows"
        )
    if record.rows < _FEW_ROWS:
        found.append(f"{record.rows} rows are few; gains are usual from {_FEW_ROWS} to 100")
    return tuple(found)


def same_training(
    runs: Iterable[tuple[Path, RunRecord]], record: RunRecord
) -> tuple[Path, RunRecord] | None:
    """Return a completed run with the same base, data and settings: its model can be used again.

    Names make no difference; the seed does.
    """
    names: dict[str, object] = {"suffix": None, "metadata": {}, "integrations": ()}
    wanted = (record.config.model_copy(update=names), record.data_sha256)
    for folder, known in runs:
        is_done = known.job is not None and known.job.status == "completed"
        if is_done and (known.config.model_copy(update=names), known.data_sha256) == wanted:
            return folder, known
    return None
