"""Adapters: what a LoRA run keeps beside its merged model, and the base that it belongs to.

On another base of the same shape an adapter loads without complaint and answers garbage, so its
manifest names the base by hash and every use compares. Imports no training library itself.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from finetune.train.files import folder_hashes, model_folder
from swarm.errors import DataError
from swarm.files import write_atomically

__all__ = ["AdapterBaseError", "AdapterManifest", "base_sha256", "check_adapter", "save_adapter"]

_MANIFEST = "adapter.json"


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

    base_sha256: str
    """Hash of the base's weights."""


def base_sha256(base: Path) -> str:
    """Return one hash over all weight files of a model folder.

    Raises:
        DataError: There is no model in this folder.
    """
    folder = model_folder(base)
    hashes = {name: d for name, d in folder_hashes(folder).items() if name.endswith(".safetensors")}
    if len(hashes) == 1:
        return next(iter(hashes.values()))
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def check_adapter(adapter: Path, base: Path) -> AdapterManifest:
    """Return the manifest of an adapter that fits a base.

    Raises:
        AdapterBaseError: The adapter was trained on another base.
        DataError: The folder holds no adapter of this package.
    """
    try:
        manifest = AdapterManifest.model_validate_json((adapter / _MANIFEST).read_bytes())
    except (OSError, ValidationError):
        raise DataError(f"{adapter}: no adapter here; expected {_MANIFEST} of a LoRA run") from None
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
    manifest = AdapterManifest(base_sha256=base_sha256(base))
    write_atomically(folder / _MANIFEST, manifest.model_dump_json(indent=2) + "\n")
