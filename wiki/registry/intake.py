"""How a version enters the registry: checked, copied beside the others, and shown at once."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from swarm.errors import DataError
from swarm.files import sync_folder, write_atomically
from swarm.locks import folder_lock
from wiki.registry.files import copy_file
from wiki.registry.layout import check_plain_folder, store_errors, version_numbers
from wiki.registry.manifest import (
    MANIFEST_NAME,
    FileName,
    Manifest,
    ModelFile,
    manifest_hash,
)

__all__ = ["check_sources", "store_version", "weights_name"]

_INCOMING = ".incoming-"
_INCOMING_SECONDS = 24 * 3600
_WEIGHTS_ENDINGS = (".gguf", ".safetensors")
# Reading one of these may run code.
_REFUSED_ENDINGS = (".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth", ".py")


def weights_name(weights: Path) -> str:
    """Return the name that a file of weights gets in the registry.

    Raises:
        DataError: It is of a kind that is not kept.
    """
    ending = weights.suffix.lower()
    if ending not in _WEIGHTS_ENDINGS:
        raise DataError(f"{weights}: weights are kept as {' or '.join(_WEIGHTS_ENDINGS)} files")
    return f"weights{ending}"


def check_sources(sources: Mapping[str, Path]) -> None:
    """Check the files that a version is to be made of, by the names that they get.

    Raises:
        DataError: One is missing or of a kind that is not kept, or a name may not be used.
    """
    for name, path in sources.items():
        try:
            TypeAdapter(FileName).validate_python(name)
        except ValidationError:
            raise DataError(f"{name[:80]!r} cannot be the name of a file in the registry") from None
        if name.lower().endswith(_REFUSED_ENDINGS):
            raise DataError(f"{name}: the registry keeps no files that may run code when read")
        if not path.is_file():
            raise DataError(f"{path}: there is no such file")
    if len({name.lower() for name in (*sources, MANIFEST_NAME)}) <= len(sources):
        raise DataError(f"two files of a version have one name: {', '.join(sorted(sources))}")


def store_version(
    home: Path, description: Mapping[str, object], sources: Mapping[str, Path]
) -> Manifest:
    """Copy the files under a model's folder and let them appear as its next version.

    Args:
        home: The model's folder.
        description: The manifest without its number, files and hash.
        sources: The files by the names that they get.

    Raises:
        CorruptedVersionError: The model's folder is a link.
        DataError: The description is wrong.
        StoreError: The folder cannot be written.
    """
    # Wrong values are found before gigabytes are copied.
    _manifest({**description, "version": 1})
    with store_errors(home):
        home.mkdir(parents=True, exist_ok=True)
        check_plain_folder(home)
        _sweep(home)
        incoming = Path(tempfile.mkdtemp(prefix=_INCOMING, dir=home))
        try:
            files: list[ModelFile] = []
            for name, path in sorted(sources.items()):
                copied = copy_file(path, incoming / name)
                files.append(ModelFile(name=name, size=copied.size, sha256=copied.sha256))
            with folder_lock(home):
                version = max(version_numbers(home), default=0) + 1
                manifest = _manifest({**description, "files": files, "version": version})
                file = incoming / MANIFEST_NAME
                write_atomically(file, manifest.model_dump_json(indent=1) + "\n")
                file.chmod(0o444)
                incoming.chmod(0o755)
                incoming.rename(home / str(version))
                sync_folder(home)
        except BaseException:
            shutil.rmtree(incoming, ignore_errors=True)
            raise
    return manifest


def _manifest(content: Mapping[str, object]) -> Manifest:
    try:
        manifest = Manifest.model_validate({**content, "sha256": "0" * 64})
        digest = manifest_hash(manifest.model_dump(mode="json"))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataError(
            f"the description of the model is wrong at {place}: {first['msg']}"
        ) from None
    return manifest.model_copy(update={"sha256": digest})


def _sweep(home: Path) -> None:
    """Remove what registrations that were killed left behind."""
    for path in home.glob(f"{_INCOMING}*"):
        # Another process may finish its registration, or sweep, at this moment.
        with contextlib.suppress(FileNotFoundError):
            if path.lstat().st_mtime < time.time() - _INCOMING_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
