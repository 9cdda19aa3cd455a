"""`export_training_corpus`: captured runs to one training file, curated on the way.

The runs go through `finetune.curate` like any file; only the counts and the format are made here.
"""

import functools
import importlib
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import anyio.to_thread
from pydantic import BaseModel, ConfigDict

from finetune.archive import Archived, Backend, archive
from finetune.collect import collect
from finetune.curate.pipeline import Pipeline
from finetune.curate.report import CurationReport
from finetune.curate.run import curate
from finetune.curate.step import StepConfig
from finetune.dataset.read import read_rows
from finetune.dataset.rows import SftRow, encode_row
from finetune.dataset.sample import Provenance, Sample
from finetune.dataset.sample_file import write_samples
from finetune.dataset.write import WrittenFile, write_encoded, write_lines
from swarm.errors import DataError, StoreError, UnknownNameError
from swarm.host import default_home
from swarm.store import Database, Run, open_database

__all__ = ["Corpus", "curate_samples", "export_training_corpus"]

_PERSONAL, _DUPLICATES, _QUALITY = "personal_data", "near_duplicates", "quality"
"""The steps that the options stand for, as a pipeline calls them."""

_NOTHING_LEFT = "no run is left to train on; see `dropped` of `wikiswarm dataset collect`"


class Corpus(BaseModel):
    """A training file that was exported."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: Path
    provenance: Path
    """Where each line came from, line by line."""
    format: str
    num_examples: int
    duplicates_removed: int
    pii_redacted: int
    """Pieces of personal data that were replaced."""
    removed: dict[str, int]
    """Rows that a step removed, by reason, duplicates included."""
    dropped: dict[str, int]
    """Runs that gave no row, by reason."""
    sha256: str
    """Hash of the file."""

    async def archive(
        self,
        backend: Backend = "local",
        *,
        bucket: str,
        prefix: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> Archived:
        """Copy the file to where it is kept; see `finetune.archive.archive`."""
        return await archive(
            self.path, backend, bucket=bucket, prefix=prefix, environment=environment
        )


async def export_training_corpus(
    *,
    output_path: Path | str,
    format: str = "openai",
    runs: Iterable[Run] | None = None,
    agent_name: str | None = None,
    project: str | Sequence[str] | None = None,
    min_rating: int = 3,
    min_quality_score: float | None = None,
    deduplicate: bool = False,
    strip_pii: bool = True,
    database: Database | None = None,
) -> Corpus:
    """Write captured runs as supervised rows of a format.

    Args:
        output_path: The file.
        format: `openai`, or another format of `finetune.dataset.formats`, such as `alpaca`.
        runs: Only these runs; all when absent.
        agent_name: Only runs that this agent answered.
        project: Only runs of this project, or of these; `""` stands for no project.
        min_rating: Runs rated below it are left out unless they carry a correction.
        min_quality_score: Rows scored below it are left out, from 0 to 1.
        deduplicate: Leave out rows that nearly say what an earlier one says.
        strip_pii: Replace e-mail addresses, telephone numbers and the like by placeholders.
        database: The journal's database; that of the home folder when absent.

    Raises:
        DataError: The runs belong to several projects, and none is named; or nothing is left.
        UnknownNameError: There is no such format.
        CurationError: This installation lacks a step that an option stands for.
        SetupError: A step needs a package that is missing.
        StoreError: The journal cannot be read, or the file not be written.
    """
    encode = _encoder(format)
    steps = _pipeline(min_quality_score, deduplicate=deduplicate, strip_pii=strip_pii)
    chosen = None if runs is None else list(runs)
    own = database
    if own is None:
        own = await anyio.to_thread.run_sync(open_database, default_home())
    try:
        found = await collect(
            own, agent_name=agent_name, project=project, runs=chosen, min_rating=min_rating
        )
    finally:
        if database is None:
            own.close()
    samples = [Sample(segment.sft_row(), segment.provenance) for segment in found.segments]
    path = Path(output_path)
    export = functools.partial(_export, samples, steps, encode, path)
    written, report, unsaid = await anyio.to_thread.run_sync(export)
    removed = Counter({"not_expressible": unsaid} if unsaid else {})
    for step in report.steps:
        removed.update(step.removed)
    personal = [step for step in report.steps if step.step == _PERSONAL]
    return Corpus(
        path=path,
        provenance=_beside(path),
        format=format,
        num_examples=written.rows,
        duplicates_removed=report.duplicates_removed,
        pii_redacted=sum(sum(step.changes.values()) for step in personal),
        removed=dict(sorted(removed.items())),
        dropped={str(reason): count for reason, count in found.dropped.items()},
        sha256=written.sha256,
    )


def curate_samples(
    samples: Sequence[Sample], steps: Sequence[StepConfig], *, folder: Path | None = None
) -> tuple[list[Sample], CurationReport]:
    """Run steps over samples as `curate` does; return those that are left, and what was done.

    Args:
        samples: What is curated.
        steps: As in a pipeline: those that compare rows come last.
        folder: Where the working files stand while it runs; the system's place when absent.

    Returns:
        Supervised rows before preferences, each in the order that they came in.

    Raises:
        SetupError: A step needs a package that is missing.
        StoreError: The working files cannot be written.
    """
    pipeline = Pipeline(tuple(steps))
    if not samples:
        return [], CurationReport(
            pipeline=pipeline.digest,
            sources=(),
            rows_in=0,
            bad_lines=0,
            rows_out=0,
            steps=(),
            files=(),
        )
    with tempfile.TemporaryDirectory(dir=folder, prefix=".curate-") as name:
        source, out = Path(name) / "samples.jsonl", Path(name) / "curated"
        write_samples(source, samples)
        report = curate([source], out, pipeline=pipeline)
        kept = [
            sample
            for kind in ("sft", "dpo")
            for sample in _read(out / f"{kind}.jsonl", out / f"{kind}.provenance.jsonl")
        ]
    return kept, report


class _Export(NamedTuple):
    written: WrittenFile
    report: CurationReport
    unsaid: int
    """Rows that the format cannot hold."""


def _export(
    samples: Sequence[Sample],
    pipeline: Pipeline,
    encode: Callable[[SftRow], bytes | None],
    path: Path,
) -> _Export:
    """Curate samples and write those that are left."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Beside the output: conversations stay on the disk that was meant for them.
        kept, report = curate_samples(samples, pipeline.steps, folder=path.parent)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
    encoded = [(one, encode(cast("SftRow", one.row))) for one in kept]
    lines = [(one.provenance, line) for one, line in encoded if line is not None]
    if not lines:
        raise DataError(_NOTHING_LEFT)
    written = write_encoded(path, (line for _, line in lines))
    write_lines(_beside(path), (origin.model_dump(mode="json") for origin, _ in lines))
    return _Export(written, report, len(kept) - len(lines))


def _read(path: Path, origins: Path) -> list[Sample]:
    if not path.is_file():  # no row of this kind is left
        return []
    with origins.open("rb") as file:
        places = [Provenance.model_validate_json(line) for line in file]
    return [Sample(row, at) for row, at in zip(read_rows(path), places, strict=True)]


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}.provenance.jsonl")


def _pipeline(min_quality_score: float | None, *, deduplicate: bool, strip_pii: bool) -> Pipeline:
    steps: list[str | Mapping[str, object]] = ["rules"]
    steps += [_PERSONAL] if strip_pii else []
    steps += [{_QUALITY: {"min_quality_score": min_quality_score}}] if min_quality_score else []
    steps += [_DUPLICATES] if deduplicate else []
    return Pipeline.of(steps)


def _encoder(name: str) -> Callable[[SftRow], bytes | None]:
    """Return what writes a row in a format; it gives None for a row that the format cannot hold."""
    if name == "openai":
        return encode_row
    try:
        formats: Any = importlib.import_module("finetune.dataset.formats")
    except ModuleNotFoundError:
        raise UnknownNameError("format", name, ["openai"]) from None
    if name not in formats.FORMATS:
        raise UnknownNameError("format", name, list(formats.FORMATS))
    found = formats.FORMATS[name]

    def encode(row: SftRow) -> bytes | None:
        try:
            value = found.encode(row).value
        except formats.RowRefusedError:
            return None
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    return encode
