"""What a model version is: the manifest that stands beside its files, and its identity."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from swarm.errors import DataError
from wiki.groups import GroupName

__all__ = ["MANIFEST_NAME", "FileName", "Manifest", "ModelFile", "ModelVersion", "manifest_hash"]

MANIFEST_NAME = "manifest.json"
"""The file in a version's folder that describes the others."""

FileName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$", max_length=128)
]
"""The name of a file inside a version's folder; never a path."""

_SHA256 = r"^[0-9a-f]{64}$"
# They differ between two runs that made the same model.
_NOT_HASHED = {"created_at", "notes", "sha256", "version"}
# Older versions do not have it, and keep the hash that they were registered with.
_HASHED_WHEN_SET = {"groups"}


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ModelFile(_Record):
    """One file of a version."""

    name: FileName
    size: Annotated[int, Field(ge=0)]
    """In bytes."""
    sha256: Annotated[str, Field(pattern=_SHA256)]


class Manifest(_Record):
    """Everything that is known about a version; written once."""

    format: Literal[1] = 1
    name: str
    version: Annotated[int, Field(ge=1)]
    created_at: datetime
    weights: str | None = None
    """The file that holds the weights; None for a model that a provider hosts."""
    remote: str | None = None
    """The model reference of a hosted model, such as `openai/ft:gpt-4.1-mini:shop::abc`."""
    base_model: str | None = None
    """What the training started from."""
    dataset_sha256: Annotated[str, Field(pattern=_SHA256)] | None = None
    """The hash of the frozen dataset."""
    training: Mapping[str, JsonValue] = {}
    """The settings of the training; times and paths belong into `notes`."""
    metrics: Mapping[str, JsonValue] = {}
    """How good it is; times belong into `notes`."""
    licence: str | None = None
    """The licence that the weights are under, such as `apache-2.0` or `llama-3.2`."""
    groups: tuple[GroupName, ...] = ()
    """The groups of workers that may load it, sorted; every process may when there are none."""
    files: tuple[ModelFile, ...] = ()
    """Every file but the manifest, by name."""
    notes: Mapping[str, JsonValue] = {}
    """Whatever differs between two equal runs, such as durations; not part of the hash."""
    sha256: Annotated[str, Field(pattern=_SHA256)]
    """The version's identity: equal inputs give an equal hash, whenever and wherever they ran."""


class ModelVersion(_Record):
    """A version in the registry; its files never change."""

    manifest: Manifest
    path: Path
    """Its folder."""
    aliases: tuple[str, ...] = ()
    """The aliases that stood for it when it was looked up, sorted."""

    @property
    def name(self) -> str:
        """The model's name."""
        return self.manifest.name

    @property
    def version(self) -> int:
        """Its number, from 1."""
        return self.manifest.version

    @property
    def weights(self) -> Path | None:
        """The file that holds the weights; None for a hosted model."""
        return self.path / self.manifest.weights if self.manifest.weights else None

    @property
    def remote(self) -> str | None:
        """The model reference of a hosted model."""
        return self.manifest.remote

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


def manifest_hash(manifest: Mapping[str, object]) -> str:
    """Return the SHA-256 of a manifest's canonical JSON, without version, times and notes.

    Args:
        manifest: The manifest as JSON data; a `sha256` in it is not looked at.

    Raises:
        DataError: It holds a number that JSON has no form for.
    """
    kept = {
        key: value
        for key, value in manifest.items()
        if key not in _NOT_HASHED and (value or key not in _HASHED_WHEN_SET)
    }
    try:
        text = json.dumps(
            kept, allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True
        )
        return hashlib.sha256(text.encode()).hexdigest()
    except ValueError as error:
        raise DataError(f"the description of the model cannot be written: {error}") from None
