"""Where an archive goes: names under a prefix, in a folder or in a bucket.

Credentials come from the environment only, and no error repeats what a library says of them.
"""

import hashlib
import importlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from swarm.environment import read_environment
from swarm.errors import DataError, MissingKeyError, StoreError, require
from swarm.files import replacing
from swarm.secrets import hide, secrets_of

__all__ = ["ArchiveStore", "Backend", "open_store"]

Backend = Literal["local", "s3", "gcs"]
"""A folder, or a bucket of Amazon's or Google's storage, or of a server that speaks as they do."""

Result = TypeVar("Result")

_BLOCK = 2**20
_PART = 16 * _BLOCK
"""Bytes of one part of an upload, which S3 limits to 10,000."""


class ArchiveStore(Protocol):
    """Keeps objects by name."""

    url: str
    """The place, for people."""

    def put(self, path: Path, name: str) -> None:
        """Copy a file."""
        ...

    def write(self, data: bytes, name: str) -> None:
        """Write an object."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return a small object, or None when there is none."""
        ...

    def sha256(self, name: str) -> str | None:
        """Read an object back and return the hash of it, or None when there is none."""
        ...

    def remove(self, name: str) -> None:
        """Remove an object if it is there."""
        ...


def open_store(
    backend: Backend,
    bucket: str,
    prefix: str = "",
    environment: Mapping[str, str] | None = None,
) -> ArchiveStore:
    """Return a place to archive to.

    Args:
        backend: The kind of place.
        bucket: The bucket, or for `local` the folder.
        prefix: What all names begin with, such as `shop/2026`.
        environment: Where keys come from; the process's environment and `.env` when absent.

    Raises:
        DataError: The bucket or the prefix cannot be one.
        MissingExtraError: The library of the backend is not installed.
        MissingKeyError: The environment has no credentials.
    """
    clean = prefix.strip("/")
    if any(part in ("", ".", "..") for part in clean.split("/")) and clean:
        raise DataError(f"the prefix {prefix[:100]!r} reads like a path outside of the bucket")
    if not bucket:
        raise DataError("an archive needs a bucket, or for `local` a folder")
    if backend == "local":
        return _Folder(Path(bucket) / clean)
    if "/" in bucket or ":" in bucket:
        raise DataError(f"the bucket {bucket[:100]!r} is a name, without a path or a scheme")
    known = dict(read_environment() if environment is None else environment)
    root = f"{bucket}/{clean}" if clean else bucket
    opener = _open_s3 if backend == "s3" else _open_gcs
    return _Bucket(opener(known), backend, root, secrets_of(known))


def _open_s3(environment: Mapping[str, str]) -> Any:
    module: Any = require("s3fs", extra="s3")
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    for name in names:
        if not environment.get(name):
            raise MissingKeyError(name, "the archive on S3")
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    return module.S3FileSystem(
        key=environment[names[0]],
        secret=environment[names[1]],
        token=environment.get("AWS_SESSION_TOKEN") or None,
        endpoint_url=endpoint or None,
        client_kwargs={"region_name": region or "us-east-1"},
        use_listings_cache=False,
        skip_instance_cache=True,
    )


def _open_gcs(environment: Mapping[str, str]) -> Any:
    require("gcsfs", extra="gcs")
    # The package's own name for it asks a second service, over gRPC, what kind a bucket is, which
    # servers that speak Google's JSON API need not have.
    module: Any = importlib.import_module("gcsfs.core")
    emulator = environment.get("STORAGE_EMULATOR_HOST")
    token = environment.get("GOOGLE_APPLICATION_CREDENTIALS")
    if not emulator and not token:
        raise MissingKeyError("GOOGLE_APPLICATION_CREDENTIALS", "the archive on Google Cloud")
    project = environment.get("GOOGLE_CLOUD_PROJECT")
    return module.GCSFileSystem(
        **({"project": project} if project else {}),
        token="anon" if emulator else token,
        endpoint_url=emulator or None,
        use_listings_cache=False,
        skip_instance_cache=True,
    )


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = str(folder)

    def put(self, path: Path, name: str) -> None:
        with path.open("rb") as source, replacing(self._target(name)) as target:
            while block := source.read(_BLOCK):
                target.write(block)

    def write(self, data: bytes, name: str) -> None:
        with replacing(self._target(name)) as target:
            target.write(data)

    def read(self, name: str) -> bytes | None:
        path = self._folder / name
        return path.read_bytes() if path.is_file() else None

    def sha256(self, name: str) -> str | None:
        path = self._folder / name
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def remove(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def _target(self, name: str) -> Path:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


class _Bucket:
    def __init__(self, files: Any, scheme: str, root: str, secrets: Mapping[str, str]) -> None:
        self._files, self._root, self._secrets = files, root, secrets
        self.url = f"{'s3' if scheme == 's3' else 'gs'}://{root}"

    def put(self, path: Path, name: str) -> None:
        # In parts, so that a file of any size goes up with little memory.
        options = {"chunksize": _PART}
        self._try(
            "write", name, lambda place: self._files.put_file(os.fspath(path), place, **options)
        )

    def write(self, data: bytes, name: str) -> None:
        self._try("write", name, lambda place: self._files.pipe_file(place, data))

    def read(self, name: str) -> bytes | None:
        def work(place: str) -> bytes | None:
            try:
                return bytes(self._files.cat_file(place))
            except FileNotFoundError:
                return None

        return self._try("read", name, work)

    def sha256(self, name: str) -> str | None:
        def work(place: str) -> str | None:
            digest = hashlib.sha256()
            try:
                with self._files.open(place, "rb", block_size=8 * _BLOCK) as file:
                    while block := file.read(8 * _BLOCK):
                        digest.update(block)
            except FileNotFoundError:
                return None
            return digest.hexdigest()

        return self._try("read", name, work)

    def remove(self, name: str) -> None:
        def work(place: str) -> None:
            try:
                self._files.rm_file(place)
            except FileNotFoundError:
                return

        self._try("remove", name, work)

    def _try(self, verb: str, name: str, work: Callable[[str], Result]) -> Result:
        try:
            return work(f"{self._root}/{name}")
        except Exception as error:
            # Three libraries below may raise their own kinds of errors.
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            text = hide(f"cannot {verb} {self.url}/{name}: {reason}", self._secrets)
            raise StoreError(text) from None
