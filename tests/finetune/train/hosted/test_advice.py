"""Advice for jobs that are slow, poor or superfluous."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from finetune.train.hosted import (
    CostEstimate,
    HostedConfig,
    HostedEvent,
    HostedJob,
    JobStatus,
    RunRecord,
    advice,
    same_training,
)

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def run(
    *, hours: float = 1, status: JobStatus = "completed", rows: int = 200, suffix: str = "a"
) -> RunRecord:
    return RunRecord(
        tag="t",
        config=HostedConfig(model="m", suffix=suffix),
        rows=rows,
        data_sha256="0" * 64,
        estimate=CostEstimate(tokens=1, epochs=1, price=None, dollars=None, prices_from="2026-04"),
        job=HostedJob(
            backend="openai",
            id="j",
            model="m",
            status=status,
            provider_status=status,
            created_at=NOW - timedelta(hours=hours),
            finished_at=NOW if status == "completed" else None,
        ),
    )


def losses(**metrics: float) -> list[HostedEvent]:
    return [HostedEvent(id="e", at=NOW, message="", metrics=metrics)]


@pytest.mark.requirement("S1-23")
def test_what_is_slow_or_poor_is_told() -> None:
    assert advice(run(), losses(train_loss=0.1, valid_loss=0.12), NOW) == ()
    (slow,) = advice(run(hours=3, status="running"), [], NOW)
    assert "smaller base" in slow
    assert "in parts" in slow
    (poor,) = advice(run(), losses(train_loss=1.8), NOW)
    assert "dataset check" in poor
    (by_heart,) = advice(run(), losses(train_loss=0.1, full_valid_loss=0.9), NOW)
    assert "learnt by heart" in by_heart
    (few,) = advice(run(rows=12), [], NOW)
    assert few.startswith("12 rows are few")


@pytest.mark.requirement("S1-24")
def test_a_model_that_exists_is_found() -> None:
    done = (Path("1"), run())
    assert same_training([done], run(status="queued", suffix="b")) == done
    assert same_training([(Path("1"), run(status="failed"))], run(suffix="b")) is None
    other = run().model_copy(update={"data_sha256": "1" * 64})
    assert same_training([done], other) is None
