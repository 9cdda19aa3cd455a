"""Adapters: what a LoRA run keeps beside its merged model, and the base that it belongs to.

On another base of the same shape an adapter loads without complaint and answers garbage, so its
manifest names the base by hash and every use compares. Imports no training library itself.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finetune.train.files import model_folder, sha256_file
from swarm.errors import DataError, StoreError
from swarm.files import write_atomically

__all__ = [
    "AdapterBaseError",
    "AdapterManifest",
    "adapter_folder",
    "base_sha256",
    "check_adapter",
    "save_adapter",
    "seal_adapter",
    "write_manifest",
]

_MANIFEST = "adapter.json"
_FILES = ("adapter_config.json", "adapter_model.safetensors")


class AdapterBaseError(DataError):
    """An adapter that was trained on another base."""

    code = "adapter_base_error"
    rpc_code = -32074

    def __init__(self, adapter: Path, base: Path, expected: str, found: str) -> None:
        self.expected, self.found = expected, found
        self.hint = "use the base that the adapter was trained on, or train it anew on this one"
        super().__init__(
            f"{adapter} was trained on a base with sha256 {expected[:12]}, and {base} has"
            f" {found[:12]}; {self.hint}"
        )


class AdapterManifest(BaseModel):
    """What an adapter belongs to: the file `adapter.json` in its folder."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    base_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Hash of the base's weights."""


def base_sha256(base: Path) -> str:
    """Return one hash over all weight files of a model folder.

    Raises:
        DataError: There is no model in this folder.
    """
    folder = model_folder(base)
    weights = sorted(folder.rglob("*.safetensors"))
    hashes = {path.relative_to(folder).as_posix(): sha256_file(path) for path in weights}
    if len(hashes) == 1:
        return next(iter(hashes.values()))
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def adapter_folder(path: Path) -> Path:
    """Return the folder of an adapter: of a checkpoint, of a LoRA run, or the folder itself.

    Raises:
        DataError: There is no adapter in this folder.
    """
    for folder in (path, path / "adapter"):
        if all((folder / name).is_file() for name in _FILES):
            return folder
    missing = " and ".join(name for name in _FILES if not (path / name).is_file())
    raise DataError(f"{path}: no adapter here; {missing} not found, and it is no LoRA run")


def seal_adapter(adapter: Path, base: Path) -> Path:
    """Write down which base an adapter from elsewhere was trained on, and return the file.

    A run does this itself, for its adapter and for each checkpoint.

    Args:
        adapter: The folder that PEFT saved the adapter in.
        base: The run folder or model folder that it was trained on.

    Raises:
        DataError: There is no adapter, or no model.
        StoreError: The file cannot be written.
    """
    return write_manifest(adapter_folder(adapter), base_sha256(base))


def write_manifest(folder: Path, sha256: str) -> Path:
    """Write the manifest of an adapter whose base has this hash, and return the file.

    Raises:
        StoreError: The file cannot be written.
    """
    path = folder / _MANIFEST
    manifest = AdapterManifest(base_sha256=sha256)
    try:
        write_atomically(path, manifest.model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
    return path


def check_adapter(adapter: Path, base: Path) -> AdapterManifest:
    """Return the manifest of an adapter that fits a base.

    Raises:
        AdapterBaseError: The adapter was trained on another base.
        DataError: The folder holds no adapter, or one that does not say what its base is.
    """
    path = adapter_folder(adapter) / _MANIFEST
    try:
        manifest = AdapterManifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise DataError(
            f"{adapter} does not say which base it was trained on ({_MANIFEST}); on another one it"
            " gives nonsense. If you know it, call seal_adapter(adapter, base)"
        ) from None
    except (OSError, ValidationError):
        raise DataError(f"{path} is damaged; train the adapter again") from None
    found = base_sha256(base)
    if found != manifest.base_sha256:
        raise AdapterBaseError(adapter, base, manifest.base_sha256, found)
    return manifest


def save_adapter(model: Any, folder: Path, *, base: Path) -> None:
    """Write a PEFT model's adapter and its manifest, without paths of this machine."""
    model.save_pretrained(folder, safe_serialization=True)
    for name in ("README.md", ".gitattributes"):
        (folder / name).unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    config: dict[str, Any] = json.loads(path.read_text("utf-8"))
    config["base_model_name_or_path"] = None
    if isinstance(config.get("target_modules"), list):
        config["target_modules"].sort()  # a set, whose order is chance
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")
    seal_adapter(folder, base)
