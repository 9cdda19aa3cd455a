"""`export_training_corpus`: captured runs to one training file, curated on the way.

The steps are those of `finetune.curate`; what a pipeline over shards does for large files, this
does in memory for what a journal gave.
"""

import functools
import importlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import anyio.to_thread
from pydantic import BaseModel, ConfigDict

from finetune.archive import Archived, Backend, archive
from finetune.collect import collect
from finetune.curate.pipeline import Pipeline
from finetune.curate.step import Decision, StepConfig, Verdict
from finetune.dataset.rows import SftRow, encode_row
from finetune.dataset.sample import Sample
from finetune.dataset.write import WrittenFile, write_encoded, write_lines
from swarm.errors import DataError, UnknownNameError
from swarm.host import default_home
from swarm.store import Database, Run, open_database

__all__ = ["Corpus", "curate_samples", "export_training_corpus"]

_PERSONAL, _DUPLICATES, _QUALITY = "personal_data", "near_duplicates", "quality"
"""The steps that the options stand for, as a pipeline calls them."""


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


class _Curated(BaseModel):
    removed: dict[str, dict[str, int]]
    """Reasons by step."""
    changed: dict[str, int]
    """Changes by step."""


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
    work = functools.partial(curate_samples, samples, steps)
    kept, done = await anyio.to_thread.run_sync(work)
    lines = [(s, line) for s in kept if (line := encode(cast("SftRow", s.row))) is not None]
    if len(lines) < len(kept):
        done.removed["format"] = {"not_expressible": len(kept) - len(lines)}
    if not lines:
        raise DataError("no run is left to train on; see `dropped` of `wikiswarm dataset collect`")
    path = Path(output_path)
    beside = path.with_name(f"{path.stem}.provenance.jsonl")
    write = functools.partial(_write, path, beside, lines)
    written = await anyio.to_thread.run_sync(write)
    removed = {
        code: sum(step.get(code, 0) for step in done.removed.values())
        for step in done.removed.values()
        for code in step
    }
    return Corpus(
        path=path,
        provenance=beside,
        format=format,
        num_examples=written.rows,
        duplicates_removed=sum(done.removed.get(_DUPLICATES, {}).values()),
        pii_redacted=done.changed.get(_PERSONAL, 0),
        removed=dict(sorted(removed.items())),
        dropped={str(reason): count for reason, count in found.dropped.items()},
        sha256=written.sha256,
    )


def curate_samples(
    samples: Sequence[Sample], steps: Sequence[StepConfig]
) -> tuple[list[Sample], _Curated]:
    """Run steps over samples in memory; return those that are left, and what was done.

    Raises:
        SetupError: A step needs a package that is missing.
    """
    left = list(samples)
    done = _Curated(removed={}, changed={})
    for config in steps:
        # `build` gives one of two protocols, told apart by what the settings say.
        step: Any = config.build()
        removed = done.removed.setdefault(config.step_name, {})
        if config.is_corpus_step:
            decisions: list[Decision] = step.decide(step.summarise(left)) if left else []
            for decision in decisions:
                removed[decision.note.code] = removed.get(decision.note.code, 0) + 1
            gone = {decision.position for decision in decisions}
            left = [sample for at, sample in enumerate(left) if at not in gone]
            continue
        kept: list[Sample] = []
        for sample in left:
            verdict: Verdict = step.judge(sample)
            if verdict.sample is None:
                code = verdict.notes[0].code
                removed[code] = removed.get(code, 0) + 1
                continue
            if verdict.sample.row != sample.row:
                changes = done.changed.get(config.step_name, 0)
                done.changed[config.step_name] = changes + len(verdict.notes)
            kept.append(verdict.sample)
        left = kept
    return left, done


def _pipeline(
    min_quality_score: float | None, *, deduplicate: bool, strip_pii: bool
) -> tuple[StepConfig, ...]:
    steps: list[str | Mapping[str, object]] = ["rules"]
    steps += [_PERSONAL] if strip_pii else []
    steps += [{_QUALITY: {"min_score": min_quality_score}}] if min_quality_score else []
    steps += [_DUPLICATES] if deduplicate else []
    return Pipeline.of(steps).steps


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


def _write(path: Path, beside: Path, lines: Sequence[tuple[Sample, bytes]]) -> WrittenFile:
    written = write_encoded(path, (line for _, line in lines))
    write_lines(beside, (sample.provenance.model_dump(mode="json") for sample, _ in lines))
    return written
