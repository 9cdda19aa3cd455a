"""The run folder of a hosted job: what was asked, and how far it got.

    config.json, data.jsonl, validation.jsonl     frozen before anything is sent
    job.json                                      the record, replaced at each step
    events.jsonl                                  the job's log
    manifest.json                                 at the end, when there is a model

The record is written before each call that costs something, so a killed command goes on with the
job that it created.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from finetune.dataset import DatasetError, DatasetReport, check_file
from finetune.train.files import sha256_file
from finetune.train.hosted.config import HostedConfig
from finetune.train.hosted.host import HostAddress
from finetune.train.hosted.job import HostedEvent, HostedJob
from finetune.train.hosted.prices import CostEstimate, estimate_cost
from finetune.train.rows import dump_rows, read_data
from swarm.errors import DataError, StoreError
from swarm.files import write_atomically
from swarm.locks import folder_lock

__all__ = [
    "RunRecord",
    "find_unfinished",
    "freeze",
    "read_events",
    "read_record",
    "run_records",
    "write_events",
    "write_record",
]

_RECORD = "job.json"
_EVENTS = "events.jsonl"


class RunRecord(BaseModel):
    """What a run folder knows of its job."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    format: Literal[1] = 1
    tag: str
    """Names the run at the provider."""
    config: HostedConfig
    rows: int
    data_sha256: str
    validation_sha256: str | None = None
    estimate: CostEstimate
    training_file: str | None = None
    """The provider's id of the data, once it is there."""
    validation_file: str | None = None
    was_asked_for: bool = False
    """Set before the job is created: without a job, it is then looked for first."""
    job: HostedJob | None = None
    """The job as it was last seen."""

    @property
    def address(self) -> HostAddress:
        """Where the job is."""
        return HostAddress(self.config.backend, self.config.base_url, self.config.api_key_env)

    @property
    def has_ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.job is not None and self.job.has_ended


def freeze(config: HostedConfig, data: Path, validation: Path | None, run_dir: Path) -> RunRecord:
    """Check the data, copy it into a run folder, and return the folder's record.

    A folder that holds the same run already keeps it and returns what is known of it.

    Raises:
        DatasetError: A file breaks a rule of its format.
        DataError: A file cannot be read, or the folder holds something else.
        StoreError: The folder cannot be written.
    """
    is_new = not run_dir.exists()
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        # Invariant: of two processes that begin the same run, one writes its record.
        with folder_lock(run_dir):
            if (run_dir / _RECORD).is_file():
                return _same_run(config, data, validation, run_dir)
            try:
                return _begin(config, data, validation, run_dir)
            except DataError:
                if is_new:  # so all that is in it was made here
                    shutil.rmtree(run_dir, ignore_errors=True)
                raise
    except OSError as error:
        raise StoreError(f"{error.filename or run_dir}: {error.strerror or error}") from error


def read_record(run_dir: Path) -> RunRecord:
    """Return what a run folder knows of its job.

    Raises:
        DataError: It is no folder of a hosted run, or its record is damaged.
    """
    path = run_dir / _RECORD
    try:
        return RunRecord.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; this is no run of a hosted job") from None
    except ValidationError as error:
        raise DataError(f"{path} is damaged: {error.errors()[0]['msg']}") from None


def write_record(run_dir: Path, record: RunRecord) -> None:
    """Replace the record; it is on the disk when this returns.

    Raises:
        StoreError: It cannot be written.
    """
    try:
        write_atomically(run_dir / _RECORD, record.model_dump_json(indent=1) + "\n")
    except OSError as error:
        raise StoreError(f"{run_dir}: {error.strerror or error}") from error


def run_records(runs: Path) -> Iterator[tuple[Path, RunRecord]]:
    """Yield the hosted runs below a folder with their records, the newest folder first."""
    if not runs.is_dir():
        return
    found = [path.parent for path in runs.glob(f"*/{_RECORD}")]
    for folder in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True):
        yield folder, read_record(folder)


def find_unfinished(
    runs: Path, config: HostedConfig, data: Path, validation: Path | None
) -> Path | None:
    """Return the folder of a run with the same inputs whose job has not ended, or None."""
    candidates = [
        (folder, record)
        for folder, record in run_records(runs)
        if record.config == config and not record.has_ended
    ]
    if not candidates:
        return None
    wanted = (_sha256(data), _sha256(validation))
    return next(
        (f for f, record in candidates if (record.data_sha256, record.validation_sha256) == wanted),
        None,
    )


def read_events(run_dir: Path) -> list[HostedEvent]:
    """Return the log that a run folder keeps, oldest first."""
    try:
        text = (run_dir / _EVENTS).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    try:
        return [HostedEvent.model_validate_json(line) for line in text.splitlines()]
    except ValidationError:
        return []  # a copy of what the provider has; it is read anew


def write_events(run_dir: Path, events: list[HostedEvent]) -> None:
    """Replace the log that a run folder keeps.

    Raises:
        StoreError: It cannot be written.
    """
    text = "".join(f"{event.model_dump_json()}\n" for event in events)
    try:
        write_atomically(run_dir / _EVENTS, text)
    except OSError as error:
        raise StoreError(f"{run_dir}: {error.strerror or error}") from error


def _begin(config: HostedConfig, data: Path, validation: Path | None, run_dir: Path) -> RunRecord:
    # What an interrupted start left behind is written again.
    ours = {"config.json", "data.jsonl", "validation.jsonl", ".lock"}
    if any(path.name not in ours and path.suffix != ".tmp" for path in run_dir.iterdir()):
        raise DataError(f"{run_dir} is not empty; every run needs a folder of its own")
    report = _take(data, run_dir / "data.jsonl", config, config.minimum_rows)
    checked = None
    if validation is not None:
        checked = _take(validation, run_dir / "validation.jsonl", config, 1)
    write_atomically(run_dir / "config.json", config.model_dump_json(indent=2) + "\n")
    record = RunRecord(
        tag=secrets.token_hex(12),
        config=config,
        rows=report.rows,
        data_sha256=report.sha256,
        validation_sha256=checked.sha256 if checked is not None else None,
        estimate=estimate_cost(config, report),
    )
    write_record(run_dir, record)
    return record


def _take(source: Path, target: Path, config: HostedConfig, minimum: int) -> DatasetReport:
    """Copy a file as JSONL, and check it under the name that its owner knows."""
    temporary = target.with_suffix(".tmp")
    if source.suffix in (".yaml", ".yml"):
        temporary.write_text(dump_rows(read_data(source)), encoding="utf-8")
    elif source.is_file():
        shutil.copyfile(source, temporary)
    else:
        raise DataError(f"{source}: there is no such file")
    report = check_file(temporary, kind=config.method, minimum=minimum)
    if not report.is_ok:
        temporary.unlink()
        raise DatasetError(str(source), report.problems)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(target)
    return report


def _same_run(
    config: HostedConfig, data: Path, validation: Path | None, run_dir: Path
) -> RunRecord:
    record = read_record(run_dir)
    known = (record.config, record.data_sha256, record.validation_sha256)
    if known != (config, _sha256(data), _sha256(validation)):
        raise DataError(
            f"{run_dir} holds another run, of {record.config.model}; "
            "every run needs a folder of its own"
        )
    return record


def _sha256(source: Path | None) -> str | None:
    """Return the hash of a file as the run folder holds it."""
    if source is None:
        return None
    if source.suffix in (".yaml", ".yml"):
        return hashlib.sha256(dump_rows(read_data(source)).encode()).hexdigest()
    try:
        return sha256_file(source)
    except OSError as error:
        raise DataError(f"{source}: {error.strerror}") from None
