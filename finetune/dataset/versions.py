"""Frozen dataset versions under one folder: written once, found by name, verified byte by byte.

    <folder>/3f2a.../manifest.json, train.jsonl, valid.jsonl, provenance.jsonl, removed.jsonl

A version appears whole or not at all. The functions wait for the disk; call them in
`anyio.to_thread.run_sync` from async code.
"""

import contextlib
import json
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version as installed
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue, ValidationError

from finetune.dataset.rows import SftRow
from finetune.dataset.sample import Provenance, Sample
from finetune.dataset.version import (
    DATASET_MANIFEST,
    CorruptedDatasetError,
    DatasetManifest,
    DatasetVersion,
    FileName,
    Removed,
    version_id,
)
from finetune.dataset.write import WrittenFile, write_lines, write_rows
from finetune.train.files import sha256_file
from swarm.errors import DataError, StoreError, UnknownNameError
from swarm.files import sync_folder, write_atomically

__all__ = [
    "Origin",
    "freeze",
    "list_versions",
    "open_version",
    "read_origins",
    "verify",
    "version_names",
]

_INCOMING = ".incoming-"
_INCOMING_SECONDS = 24 * 3600
_NAME = re.compile(r"[0-9a-f]{32}")
_FILES: tuple[FileName, ...] = ("train.jsonl", "valid.jsonl", "provenance.jsonl", "removed.jsonl")


class Origin(NamedTuple):
    """A line of `provenance.jsonl`: which row it is about, and where that came from."""

    file: str
    """`train` or `valid`."""
    line: int
    """1-based line of that file."""
    id: str
    provenance: Provenance


def freeze(
    folder: Path | str,
    train: Sequence[Sample],
    valid: Sequence[Sample],
    *,
    removed: Iterable[Removed] = (),
    config: Mapping[str, JsonValue] | None = None,
) -> DatasetVersion:
    """Write a dataset version and return it; the same input gives the same version.

    Args:
        folder: Where versions are kept, such as `.wikiswarm/datasets`.
        train: Rows to train on, in their order.
        valid: Rows that are held out.
        removed: Rows that are left out, and why.
        config: How the rows were chosen and split.

    Raises:
        DatasetError: Rows of two kinds, or a row that cannot be written.
        DataError: No row to train on, or a row on both sides.
        CorruptedDatasetError: The version is there already, and was changed.
        StoreError: The folder cannot be written.
    """
    folder = Path(folder)
    if not train:
        raise DataError("a dataset version needs at least one row to train on")
    if both := {sample.id for sample in train} & {sample.id for sample in valid}:
        raise DataError(f"{len(both)} rows are both trained on and held out, such as {min(both)}")
    with _store_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        incoming = Path(tempfile.mkdtemp(prefix=_INCOMING, dir=folder))
        try:
            manifest = _write(incoming, train, valid, removed, config or {})
            target = folder / manifest.id
            if not target.exists():
                incoming.chmod(0o755)
                try:
                    incoming.rename(target)
                except OSError:
                    # Another process may have made the same version meanwhile, which is then kept.
                    if not target.is_dir():
                        raise
                sync_folder(folder)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
    return verify(folder, manifest.id)


def open_version(folder: Path | str, name: str) -> DatasetVersion:
    """Return a version by its name, or the beginning of it; its files are not read.

    Raises:
        UnknownNameError: No version, or several, begin so.
        CorruptedDatasetError: The manifest is damaged.
    """
    known = version_names(folder)
    found = [one for one in known if name and one.startswith(name)]
    if len(found) != 1:
        raise UnknownNameError("dataset version", name, known)
    return _read(Path(folder) / found[0])


def list_versions(folder: Path | str) -> tuple[DatasetVersion, ...]:
    """Return all versions, by name.

    Raises:
        CorruptedDatasetError: A manifest is damaged.
    """
    return tuple(_read(Path(folder) / name) for name in version_names(folder))


def version_names(folder: Path | str) -> list[str]:
    """Return the names of all versions, sorted, also of damaged ones."""
    folder = Path(folder)
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name))


def verify(folder: Path | str, name: str) -> DatasetVersion:
    """Read every byte of a version, and return it when all is as it was frozen.

    Raises:
        UnknownNameError: No version, or several, begin so.
        CorruptedDatasetError: A file differs, is missing, is a link, or does not belong.
        StoreError: A file cannot be read.
    """
    found = open_version(folder, name)
    names = {file.name for file in found.manifest.files}
    with _store_errors(found.path):
        for path in sorted(found.path.iterdir()):
            if path.is_symlink() or path.name not in {*names, DATASET_MANIFEST}:
                raise CorruptedDatasetError(path, "does not belong to the version")
        for file in found.manifest.files:
            path = found.path / file.name
            if not path.is_file():
                raise CorruptedDatasetError(path, "is missing")
            if path.stat().st_size != file.size or sha256_file(path) != file.sha256:
                raise CorruptedDatasetError(path, "differs from what was frozen")
    return found


def read_origins(version: DatasetVersion) -> Iterator[Origin]:
    """Yield where each row of a version came from, in the order of the rows.

    Raises:
        CorruptedDatasetError: The file is missing or damaged.
    """
    path = version.path / "provenance.jsonl"
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                value = json.loads(line)
                origin = Provenance.model_validate(value["provenance"])
                yield Origin(value["file"], value["line"], value["id"], origin)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptedDatasetError(path, f"cannot be read ({type(error).__name__})") from None


def _write(
    incoming: Path,
    train: Sequence[Sample],
    valid: Sequence[Sample],
    removed: Iterable[Removed],
    config: Mapping[str, JsonValue],
) -> DatasetManifest:
    sides = {"train": train, "valid": valid}
    every = [*train, *valid]
    kinds = {type(sample.row) for sample in every}
    if len(kinds) > 1:
        raise DataError("supervised rows and preferences are separate versions")
    written: dict[FileName, WrittenFile] = {
        "train.jsonl": write_rows(incoming / "train.jsonl", (s.row for s in train)),
        "valid.jsonl": write_rows(incoming / "valid.jsonl", (s.row for s in valid)),
        "provenance.jsonl": write_lines(incoming / "provenance.jsonl", _origins(sides)),
        "removed.jsonl": write_lines(
            incoming / "removed.jsonl", (one.model_dump(mode="json") for one in removed)
        ),
    }
    sources = Counter((s.provenance.source, s.provenance.project) for s in every)
    labels = Counter(s.provenance.label for s in every if s.provenance.label is not None)
    content: dict[str, object] = {
        "format": 1,
        "kind": "sft" if kinds == {SftRow} else "dpo",
        "config": dict(config),
        "sources": [
            {"source": source, "project": project, "rows": rows}
            for (source, project), rows in sorted(
                sources.items(), key=lambda item: (item[0][0], item[0][1] or "")
            )
        ],
        "labels": dict(sorted(labels.items())),
        "files": [
            {
                "name": name,
                "lines": written[name].rows,
                "size": written[name].bytes,
                "sha256": written[name].sha256,
            }
            for name in _FILES
        ],
    }
    manifest = DatasetManifest.model_validate(
        {**content, "id": version_id(content), "code_version": installed("wikiswarm")}
    )
    for name in _FILES:
        (incoming / name).chmod(0o444)
    path = incoming / DATASET_MANIFEST
    write_atomically(path, manifest.model_dump_json(indent=1) + "\n")
    path.chmod(0o444)
    return manifest


def _origins(sides: Mapping[str, Sequence[Sample]]) -> Iterator[dict[str, object]]:
    for file, samples in sides.items():
        for line, sample in enumerate(samples, start=1):
            origin = sample.provenance.model_dump(mode="json")
            yield {"file": file, "line": line, "id": sample.id, "provenance": origin}


def _read(path: Path) -> DatasetVersion:
    file = path / DATASET_MANIFEST
    if path.is_symlink() or file.is_symlink():
        raise CorruptedDatasetError(path, "is a link, or holds one")
    try:
        text = file.read_bytes()
        manifest = DatasetManifest.model_validate_json(text)
        content = json.loads(text)
    except (OSError, ValidationError, ValueError):
        raise CorruptedDatasetError(file, "is missing or damaged") from None
    if manifest.id != path.name or version_id(content) != manifest.id:
        raise CorruptedDatasetError(file, "is not what the version's name stands for")
    if sorted(one.name for one in manifest.files) != sorted(_FILES):
        raise CorruptedDatasetError(file, "does not name the version's files")
    return DatasetVersion(manifest=manifest, path=path)


def _sweep(folder: Path) -> None:
    """Remove what processes that were killed left behind."""
    for path in folder.glob(f"{_INCOMING}*"):
        # Another process may finish, or sweep, at this moment.
        with contextlib.suppress(FileNotFoundError):
            if path.lstat().st_mtime < time.time() - _INCOMING_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _store_errors(folder: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        place = error.filename or folder
        raise StoreError(f"{place}: {error.strerror or error} (dataset versions)") from error
