"""What a frozen dataset version is: the manifest that stands beside its files, and its name.

The name is a hash of everything that the version is made of, so equal inputs give the same
version, byte for byte, and a changed byte is seen. Times and places are not part of it.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from finetune.dataset.rows import DatasetKind
from swarm.errors import DataError

__all__ = [
    "DATASET_MANIFEST",
    "CorruptedDatasetError",
    "DatasetFile",
    "DatasetManifest",
    "DatasetSource",
    "DatasetVersion",
    "FileName",
    "Removed",
    "version_id",
]

DATASET_MANIFEST = "manifest.json"
"""The file in a version's folder that describes the others."""

FileName = Literal["train.jsonl", "valid.jsonl", "provenance.jsonl", "removed.jsonl"]
"""The files of a version beside its manifest."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class DatasetFile(_Record):
    """One file of a version."""

    name: FileName
    lines: Annotated[int, Field(ge=0)]
    size: Annotated[int, Field(ge=0)]
    """In bytes."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DatasetSource(_Record):
    """Where rows came from, and how many there are of it in the version."""

    source: str
    project: str | None = None
    rows: int


class Removed(_Record):
    """A row that is not in the version, and why; without what it says."""

    id: str
    """Names the row by its content."""
    step: str
    """The step of curation, or whatever else took it out."""
    code: str
    """The reason in one word."""
    detail: str = ""


class DatasetManifest(_Record):
    """Everything that is known about a version; written once."""

    format: Literal[1] = 1
    id: str
    """The version's name: 32 hexadecimal digits of the hash of all below but the code's version."""
    kind: DatasetKind
    config: Mapping[str, JsonValue] = {}
    """How the rows were chosen and split; whatever is part of the recipe."""
    sources: tuple[DatasetSource, ...]
    labels: Mapping[str, int] = {}
    """Rows by label, where rows have labels."""
    files: tuple[DatasetFile, ...]
    code_version: str
    """The wikiswarm that first made it."""

    def file(self, name: FileName) -> DatasetFile:
        """Return one file's description."""
        return next(file for file in self.files if file.name == name)

    @property
    def train_rows(self) -> int:
        """Rows to train on."""
        return self.file("train.jsonl").lines

    @property
    def valid_rows(self) -> int:
        """Rows that are held out."""
        return self.file("valid.jsonl").lines


class DatasetVersion(_Record):
    """A version on the disk; its files never change."""

    manifest: DatasetManifest
    path: Path
    """Its folder."""

    @property
    def id(self) -> str:
        """Its name."""
        return self.manifest.id

    @property
    def train(self) -> Path:
        """The rows to train on."""
        return self.path / "train.jsonl"

    @property
    def valid(self) -> Path:
        """The rows that are held out."""
        return self.path / "valid.jsonl"


class CorruptedDatasetError(DataError):
    """A file of a dataset version is not what was frozen; `file` names it."""

    code = "corrupted_dataset"
    rpc_code = -32110

    def __init__(self, file: Path, reason: str) -> None:
        self.file, self.reason = file, reason
        super().__init__(f"{file}: {reason}")


def version_id(manifest: Mapping[str, object]) -> str:
    """Return the name that a manifest's content has, whatever name stands in it.

    Raises:
        DataError: It holds what JSON has no form for.
    """
    kept = {key: value for key, value in manifest.items() if key not in ("id", "code_version")}
    try:
        text = json.dumps(
            kept, allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True
        )
        return hashlib.sha256(text.encode()).hexdigest()[:32]
    except (TypeError, ValueError) as error:
        raise DataError(f"the description of the dataset cannot be written: {error}") from None
