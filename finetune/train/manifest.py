"""The manifest of a run: what went in, what came out, and what made it.

It holds no times and no paths, so equal inputs on equal libraries give equal bytes.
"""

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue

from finetune.train.config import TrainConfig
from finetune.train.files import folder_hashes, model_folder, sha256_file

__all__ = ["Manifest", "library_versions", "make_manifest", "manifest_text"]

_LIBRARIES = ("accelerate", "datasets", "peft", "tokenizers", "torch", "transformers", "trl")


class Manifest(BaseModel):
    """Inputs, outputs and circumstances of a run."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    format: int = 1
    """Version of this file's shape."""
    config: dict[str, JsonValue]
    """The frozen configuration; a base folder is named by `inputs`, not by its path."""
    seed: int
    """The seed, also part of `config`."""
    inputs: dict[str, str]
    """SHA-256 of the data and of every file of the base."""
    libraries: dict[str, str]
    """Versions of the libraries that took part."""
    outputs: dict[str, str]
    """SHA-256 of every file of the model, and of its adapter."""


def make_manifest(config: TrainConfig, run_dir: Path) -> Manifest:
    """Return the manifest of a finished run."""
    frozen = config.model_dump(mode="json")
    inputs = {"data.jsonl": sha256_file(run_dir / "data.jsonl")}
    for name in ("rehearsal.jsonl", "validation.jsonl"):
        if (run_dir / name).is_file():
            inputs[name] = sha256_file(run_dir / name)
    if config.base != "scratch":
        frozen["base"] = "folder"
        base = folder_hashes(model_folder(Path(config.base)))
        inputs |= {f"base/{name}": digest for name, digest in base.items()}
    if config.adapter is not None:
        frozen["adapter"] = "folder"
        adapter = folder_hashes(Path(config.adapter))
        inputs |= {f"adapter/{name}": digest for name, digest in adapter.items()}
    outputs = {
        f"{folder}/{name}": digest
        for folder in ("model", "adapter")
        for name, digest in folder_hashes(run_dir / folder).items()
    }
    return Manifest(
        config=frozen,
        seed=config.seed,
        inputs=inputs,
        libraries=library_versions(),
        outputs=outputs,
    )


def manifest_text(manifest: Manifest) -> str:
    """Return the manifest as JSON, always in the same bytes."""
    return json.dumps(manifest.model_dump(mode="json"), indent=2, sort_keys=True) + "\n"


def library_versions() -> dict[str, str]:
    """Return the versions of the training libraries that are installed."""
    found: dict[str, str] = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
