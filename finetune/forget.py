"""Forgetting a client: out of the journal and the candidates, and where it cannot be undone.

Frozen dataset versions and models that were trained on them are not changed; they are named, so
that somebody can make the next ones without the client and retire these.
"""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import anyio.to_thread
from pydantic import BaseModel, ConfigDict

from finetune.dataset.version import CorruptedDatasetError, DatasetVersion
from finetune.dataset.versions import open_version, read_origins, version_names
from finetune.train.files import sha256_file
from swarm.errors import StoreError
from swarm.files import sync_folder
from swarm.runtime.ids import check_client_id
from swarm.store import Database, forget_client
from wiki.registry import ModelRegistry

__all__ = ["FORGOTTEN_LOG", "ForgetReport", "forget"]

FORGOTTEN_LOG = "forgotten.jsonl"
"""The record in the home of what was forgotten and when, without the client's name or data."""

_ROUND = ("collect/captured.jsonl", "curate/kept.jsonl", "curate/sft.provenance.jsonl")
"""Files of a round of the loop that hold captured rows."""


class ForgetReport(BaseModel):
    """What was removed, and what still holds something of the client."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    sessions: int
    runs: int
    rows: dict[str, int]
    """Rows of the database by table."""
    datasets: tuple[str, ...]
    """Frozen dataset versions with rows of the client."""
    models: tuple[str, ...]
    """Model versions that were trained on them, such as `pharma@3`."""
    files: tuple[Path, ...]
    """Files beside which provenance names the client, such as collected training files."""
    damaged: tuple[Path, ...]
    """Dataset versions that cannot be read, so that nobody knows whether they hold something."""


async def forget(
    database: Database,
    client_id: str,
    *,
    home: Path | str,
    project: str | None = None,
    is_trial: bool = False,
) -> ForgetReport:
    """Remove a client's events, feedback, memory and candidates, and name what else holds it.

    Args:
        database: The journal's database.
        client_id: The client, in every swarm.
        home: The folder of the state, where dataset and model versions are.
        project: Only what is of this project.
        is_trial: Change nothing, only report.

    Raises:
        InvalidIdError: No client can be called that.
        StoreError: The database failed, and nothing is removed; or the record cannot be written.
    """
    check_client_id(client_id)
    folder = Path(home)
    search = partial(_search, folder, client_id, project)
    datasets, files, damaged = await anyio.to_thread.run_sync(search)
    models = await anyio.to_thread.run_sync(_trained_on, folder / "models", datasets)
    record = {
        # Whoever asks later can be told, and nobody can read who it was.
        "client_sha256": hashlib.sha256(client_id.encode()).hexdigest(),
        "project": project,
        "datasets": [one.id for one in datasets],
        "models": models,
    }
    if not is_trial:
        # Before and after: a process that dies in between leaves a trace of what it began.
        await anyio.to_thread.run_sync(_log, folder, {"state": "begun", **record})
    done = await forget_client(database, client_id, project=project, is_trial=is_trial)
    if not is_trial:
        counts = {"sessions": len(done.sessions), "runs": len(done.run_ids), "rows": done.rows}
        await anyio.to_thread.run_sync(_log, folder, {"state": "done", **record, **counts})
    return ForgetReport(
        sessions=len(done.sessions),
        runs=len(done.run_ids),
        rows=dict(done.rows),
        datasets=tuple(one.id for one in datasets),
        models=tuple(models),
        files=tuple(files),
        damaged=tuple(damaged),
    )


def _search(
    home: Path, client_id: str, project: str | None
) -> tuple[list[DatasetVersion], list[Path], list[Path]]:
    datasets: list[DatasetVersion] = []
    damaged: list[Path] = []
    for name in version_names(home / "datasets"):
        try:
            version = open_version(home / "datasets", name)
            if any(
                client_id in (origin.provenance.client_id, origin.provenance.author)
                and project in (None, origin.provenance.project or "")
                for origin in read_origins(version)
            ):
                datasets.append(version)
        except CorruptedDatasetError:
            damaged.append(home / "datasets" / name)
    named = [
        *sorted((home / "dataset").glob("**/*provenance.jsonl")),
        *(path for name in _ROUND for path in sorted((home / "loops").glob(f"*/*/{name}"))),
    ]
    files = [path for path in named if _names(path, client_id, project)]
    return datasets, files, damaged


def _names(path: Path, client_id: str, project: str | None) -> bool:
    """Return whether a file of provenance names the client; one that is damaged might."""
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                value = json.loads(line)
                origin = value.get("provenance", value)
                found = client_id in (origin.get("client_id"), origin.get("author"))
                if found and project in (None, origin.get("project") or ""):
                    return True
    except (OSError, ValueError, AttributeError):
        return True
    return False


def _trained_on(folder: Path, datasets: list[DatasetVersion]) -> list[str]:
    if not datasets or not folder.is_dir():
        return []
    hashes: set[str] = set()
    for one in datasets:
        # A training records the hash of the file that it read, or of the whole version.
        hashes |= {file.sha256 for file in one.manifest.files}
        hashes.add(sha256_file(one.path / "manifest.json"))
    return [
        str(model)
        for model in ModelRegistry(folder).list()
        if model.manifest.dataset_sha256 in hashes
    ]


def _log(home: Path, record: Mapping[str, object]) -> None:
    """Append a line, durably."""
    path = home / FORGOTTEN_LOG
    line = json.dumps({"at": round(time.time(), 3), **record}, ensure_ascii=False) + "\n"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        sync_folder(home)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error} (record of forgetting)") from error
