"""From a finished hosted job to a version in the model registry.

The version holds no weights, only the provider's id; a wiki asks it as `registry/NAME@ALIAS` like
any other. Nothing is promoted here.
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from finetune.licence import find_licence
from finetune.train.hosted.record import RunRecord, read_events, read_record
from swarm.errors import DataError
from wiki import ModelRegistry, ModelVersion

__all__ = ["register_hosted"]


def register_hosted(
    run_dir: Path,
    name: str,
    registry: ModelRegistry,
    *,
    metrics: Mapping[str, JsonValue] | None = None,
    licence: str | None = None,
    files: Mapping[str, Path] | None = None,
    notes: Mapping[str, JsonValue] | None = None,
) -> ModelVersion:
    """Register the model of a finished run as the next version and return it.

    A run is registered once: of a second call, the same version is the result.

    Args:
        run_dir: A run folder whose job is completed.
        name: The model's name in the registry.
        registry: Where it goes.
        metrics: How good the model is; by default the last losses that the provider reported.
        licence: The licence of the base; what the provider's terms say when absent.
        files: Further files, such as a report.
        notes: What differs between equal runs, beside what is known of the job.

    Raises:
        InvalidIdError: The name may not be used.
        DataError: The job is not completed.
        StoreError: The registry cannot be written.
    """
    record = read_record(run_dir)
    job = record.job
    if job is None or job.reference is None or job.status != "completed":
        state = job.status if job is not None else "not created"
        raise DataError(f"{run_dir}: its job is {state}; only a completed one has a model")
    for version in registry.list():
        # Another job may have left a model of the same name.
        is_same_job = version.manifest.notes.get("job") == job.id
        if version.name == name and version.remote == job.reference and is_same_job:
            return version
    config = record.config.model_dump(mode="json", exclude_defaults=True)
    return registry.register(
        name,
        remote=job.reference,
        base_model=record.config.model,
        dataset_sha256=record.data_sha256,
        training={"backend": record.config.backend, **config},
        metrics=metrics if metrics is not None else _last_metrics(run_dir),
        licence=None if licence is None else find_licence(licence),
        files=files,
        notes={**_notes(record), **(notes or {})},
    )


def _last_metrics(run_dir: Path) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for event in read_events(run_dir):
        found |= event.metrics
    return {key: value for key, value in found.items() if "loss" in key or "accuracy" in key}


def _notes(record: RunRecord) -> dict[str, JsonValue]:
    job = record.job
    assert job is not None
    return {
        "job": job.id,
        "trained_tokens": job.trained_tokens,
        "created_at": job.created_at.isoformat() if job.created_at else None,
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
        "job_metadata": dict(record.config.metadata),
    }
