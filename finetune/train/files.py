"""Files of a run folder: written whole or not at all, and named by their hash.

Reading training data is the business of `finetune.train.rows`.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from swarm.errors import DataError

__all__ = ["folder_hashes", "model_folder", "sha256_file", "write_atomic"]


def write_atomic(path: Path, data: str | bytes) -> None:
    """Replace a file in one step: a reader sees the old content or the new, never a part."""
    content = data.encode("utf-8") if isinstance(data, str) else data
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o644)  # mkstemp makes it private; a model file is not
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def folder_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, by its path inside the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in files}


def model_folder(path: Path) -> Path:
    """Return the Hugging Face model folder for a model folder or a run folder.

    Raises:
        DataError: There is no model in this folder.
    """
    for folder in (path, path / "model"):
        if (folder / "config.json").is_file() and any(folder.glob("*.safetensors")):
            return folder
    raise DataError(
        f"{path}: no model here; expected config.json and *.safetensors, or a run folder"
    )
