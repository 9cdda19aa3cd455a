"""`archive`: copies files to a safe place, verifies each by reading it back, and says so last.

The object `archive.json` is written when everything else is there and right, so an archive with
it is whole. An interrupted one goes on with the files that are missing.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import anyio.to_thread
from pydantic import BaseModel, ConfigDict, ValidationError

from finetune.archive.store import ArchiveStore, Backend, open_store
from finetune.train.files import sha256_file
from swarm.errors import DataError, StoreError

__all__ = ["ARCHIVE_MANIFEST", "Archived", "ArchivedFile", "Backend", "archive"]

ARCHIVE_MANIFEST = "archive.json"
"""The object that names all others; written last."""

_PROGRESS = "archive.progress.json"
_SKIPPED = re.compile(r"(^|/)\.(lock$|.*\.tmp$)")
"""Locks, and files that were being written when their process died."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ArchivedFile(_Record):
    """One file of an archive."""

    name: str
    """Its path in the folder, with slashes."""
    size: int
    """In bytes."""
    sha256: str


class _Manifest(_Record):
    format: int = 1
    files: tuple[ArchivedFile, ...]


class Archived(_Record):
    """An archive that is whole."""

    url: str
    """Where it is."""
    files: tuple[ArchivedFile, ...]
    uploaded: int
    """How many files were copied now; the others were there."""

    @property
    def bytes(self) -> int:
        """All files together."""
        return sum(file.size for file in self.files)


async def archive(
    source: Path | str,
    backend: Backend = "local",
    *,
    bucket: str,
    prefix: str = "",
    environment: Mapping[str, str] | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> Archived:
    """Copy a folder, or one file, to where it is kept, and verify every byte of it.

    Calling it again goes on where an earlier call was interrupted, and copies nothing that is
    there already.

    Args:
        source: The folder or the file.
        backend: `local` for another folder, `s3` or `gcs`.
        bucket: The bucket; for `local` the folder.
        prefix: What all names begin with.
        environment: Where credentials come from: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`
            (`AWS_ENDPOINT_URL` for other servers than Amazon's), or
            `GOOGLE_APPLICATION_CREDENTIALS`. The process's environment and `.env` when absent.
        on_progress: Is given files done, files in all, and the name of the last one.

    Raises:
        DataError: The source is not there or empty, or another archive has the place.
        MissingExtraError: The library of the backend is not installed.
        MissingKeyError: The environment has no credentials.
        StoreError: The place cannot be written, or what came back differs from what was sent.
    """
    work = partial(_archive, Path(source), backend, bucket, prefix, environment, on_progress)
    return await anyio.to_thread.run_sync(work)


def _archive(
    source: Path,
    backend: Backend,
    bucket: str,
    prefix: str,
    environment: Mapping[str, str] | None,
    on_progress: Callable[[int, int, str], None] | None,
) -> Archived:
    paths = _paths(source)
    store = open_store(backend, bucket, prefix, environment)
    try:
        files = tuple(_file(name, path) for name, path in paths.items())
        whole = _read(store, ARCHIVE_MANIFEST)
        if whole is not None and set(whole.files) != set(files):
            raise DataError(f"{store.url} holds another archive; choose another prefix")
        if whole is not None:
            return Archived(url=store.url, files=files, uploaded=0)
        progress = _read(store, _PROGRESS)
        known = set(progress.files) & set(files) if progress is not None else set[ArchivedFile]()
        uploaded = 0
        for number, file in enumerate(files, start=1):
            if file not in known:
                _copy(store, paths[file.name], file)
                known.add(file)
                uploaded += 1
                _write(store, _PROGRESS, tuple(one for one in files if one in known))
            if on_progress is not None:
                on_progress(number, len(files), file.name)
        _write(store, ARCHIVE_MANIFEST, files)
        store.remove(_PROGRESS)
    except OSError as error:
        place = error.filename or store.url
        raise StoreError(f"{place}: {error.strerror or error} (archive)") from error
    return Archived(url=store.url, files=files, uploaded=uploaded)


def _paths(source: Path) -> dict[str, Path]:
    """Return the files of a source by the name that each gets."""
    if source.is_file():
        return {source.name: source}
    if not source.is_dir():
        raise DataError(f"{source}: there is no such file or folder")
    found: dict[str, Path] = {}
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        if path.is_symlink():
            raise DataError(f"{path}: an archive holds files, not links to them")
        if path.is_file() and not _SKIPPED.search(name):
            found[name] = path
    if taken := {ARCHIVE_MANIFEST, _PROGRESS} & set(found):
        raise DataError(f"{source}: {min(taken)} is the name of an archive's own file")
    if not found:
        raise DataError(f"{source}: the folder holds no files")
    return found


def _file(name: str, path: Path) -> ArchivedFile:
    return ArchivedFile(name=name, size=path.stat().st_size, sha256=sha256_file(path))


def _copy(store: ArchiveStore, path: Path, file: ArchivedFile) -> None:
    store.put(path, file.name)
    found = store.sha256(file.name)
    if found != file.sha256:
        what = "is not there after it was written" if found is None else "came back different"
        raise StoreError(f"{store.url}/{file.name} {what}; try again")


def _read(store: ArchiveStore, name: str) -> _Manifest | None:
    data = store.read(name)
    if data is None:
        return None
    try:
        return _Manifest.model_validate_json(data)
    except ValidationError:
        if name == _PROGRESS:
            return None  # only a hint; everything is copied again
        raise DataError(f"{store.url}/{name} is no list of an archive's files") from None


def _write(store: ArchiveStore, name: str, files: tuple[ArchivedFile, ...]) -> None:
    data = _Manifest(files=files).model_dump(mode="json")
    store.write((json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode(), name)
