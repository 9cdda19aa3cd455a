"""Files of a run folder, named by their hash.

Reading training data is the business of `finetune.train.rows`.
"""

import hashlib
from pathlib import Path

from swarm.errors import DataError

__all__ = ["folder_hashes", "model_folder", "sha256_file"]


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
