"""The first stages: rows are collected and curated.

The owner's questions file is taken as it is, checked. What was captured passes the curation, since
anybody may have written it.
"""

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from anyio import to_thread
from pydantic import JsonValue

from finetune.collect import Collection, collect
from finetune.curate.pipeline import Pipeline
from finetune.curate.run import curate
from finetune.dataset.candidates import Candidate, Candidates
from finetune.dataset.rows import SftRow
from finetune.dataset.sample import Provenance, Sample
from finetune.dataset.sample_file import read_samples, write_samples
from finetune.dataset.shape import parse_row
from finetune.loop.folder import store_errors
from finetune.loop.round import Round, StageOutput
from finetune.questions import read_questions
from finetune.train.files import sha256_file
from swarm.errors import DeclarationError
from swarm.store import open_database
from wiki import LoopSpec

__all__ = [
    "Gathered",
    "collect_rows",
    "collect_settings",
    "curate_rows",
    "curate_settings",
    "curated",
    "gather",
    "pipeline_of",
]

_USUAL: tuple[str, ...] = (
    "rules",
    "poison",
    "unicode",
    "secrets",
    "personal_data",
    "exact_duplicates",
    "triggers",
    "author_cap",
)
"""Without the steps that leave out rows which are nearly alike: several phrasings of one question
with one answer are what a wiki learns best from."""


class Gathered(NamedTuple):
    """What there is to learn."""

    own: list[Sample]
    captured: list[Sample]
    counts: dict[str, int]
    """Rows by source."""
    dropped: dict[str, int]
    """What gave no row, by reason."""


async def gather(round: Round) -> Gathered:
    """Return the rows of every source that is declared; nothing is written.

    Raises:
        QuestionsError: The questions file has problems.
        DataError: The captured rows belong to several projects, and none is named.
        StoreError: The journal cannot be read.
    """
    spec, counts = round.spec, Counter[str]()
    own: list[Sample] = []
    if spec.questions is not None:
        path = round.inside(spec.questions, "questions")
        own = await to_thread.run_sync(_questions, path)
        counts["questions"] = len(own)
    rated: list[Sample] = []
    corrected: list[Sample] = []
    accepted: list[Sample] = []
    dropped = Counter[str]()
    if spec.corrections or spec.candidates or spec.minimum_rating is not None:
        database = await to_thread.run_sync(open_database, round.home, round.store)
        try:
            found = await collect(
                database, wiki_name=round.wiki.wiki_name, min_rating=1, project=round.project
            )
            rated, corrected = _judged(found, spec, round.until)
            dropped.update({str(reason): count for reason, count in found.dropped.items()})
            if spec.candidates:
                known = await Candidates(database).list(state="accepted", project=round.project)
                accepted, refused = _accepted(known, round.until)
                dropped.update(refused)
        finally:
            database.close()
    counts.update(rated=len(rated), candidates=len(accepted), corrections=len(corrected))
    # What comes later is worth more where two rows answer one question.
    return Gathered(own, [*rated, *accepted, *corrected], dict(counts), dict(dropped))


def collect_settings(round: Round) -> dict[str, JsonValue]:
    """Return what the collected rows depend on."""
    spec = round.spec
    path = round.inside(spec.questions, "questions") if spec.questions else None
    return {
        "questions": sha256_file(path) if path is not None and path.is_file() else spec.questions,
        "corrections": spec.corrections,
        "candidates": spec.candidates,
        "minimum_rating": spec.minimum_rating,
        "project": round.project,
        "wiki": round.wiki.wiki_name,
        "until": round.until,
    }


async def collect_rows(round: Round) -> StageOutput:
    """Write the rows of every source."""
    found = await gather(round)
    own, captured = round.path("collect", "own.jsonl"), round.path("collect", "captured.jsonl")

    def write() -> None:
        with store_errors(round.run.path):
            write_samples(own, found.own)
            write_samples(captured, found.captured)

    await to_thread.run_sync(write)
    values: dict[str, JsonValue] = {"rows": {**found.counts}, "dropped": {**found.dropped}}
    return StageOutput(values, (own, captured))


def curate_settings(round: Round) -> dict[str, JsonValue]:
    """Return what the curation depends on."""
    return {"pipeline": pipeline_of(round).digest}


async def curate_rows(round: Round) -> StageOutput:
    """Let the captured rows pass the steps of the curation."""
    captured = round.path("collect", "captured.jsonl")
    kept = round.path("curate", "kept.jsonl")

    def work() -> StageOutput:
        samples = list(read_samples(captured)) if captured.stat().st_size else []
        values: dict[str, JsonValue] = {"rows_in": len(samples), "rows_out": 0, "removed": {}}
        left: list[Sample] = []
        if samples:
            report = curate([captured], kept.parent, pipeline=pipeline_of(round))
            left = _curated(kept.parent)
            removed = {step.step: sum(step.removed.values()) for step in report.steps}
            values["removed"] = {step: count for step, count in removed.items() if count}
            values["rows_out"] = len(left)
        with store_errors(round.run.path):
            write_samples(kept, left)
        return StageOutput(values, (kept,))

    return await to_thread.run_sync(work)


def curated(round: Round, samples: Sequence[Sample]) -> list[Sample]:
    """Return the captured rows that pass the steps, and leave no file behind."""
    if not samples:
        return []
    with tempfile.TemporaryDirectory(prefix="wikiswarm-") as name:
        source, folder = Path(name) / "captured.jsonl", Path(name) / "kept"
        write_samples(source, samples)
        curate([source], folder, pipeline=pipeline_of(round))
        return _curated(folder)


def pipeline_of(round: Round) -> Pipeline:
    """Return the steps that captured rows pass.

    Raises:
        CurationError: The declaration names what does not exist.
    """
    given = round.spec.curation
    if given is None:
        return Pipeline.of(_USUAL)
    if isinstance(given, str):
        return Pipeline.read(round.inside(given, "curation"))
    where = f"wikis.{round.wiki.wiki_name}.loop.curation"
    steps: list[str | dict[str, object]] = []
    for step in given:
        if not isinstance(step, str | dict):
            raise DeclarationError(f"{where}: a step is a name, or one name with its settings")
        steps.append(step if isinstance(step, str) else {**step})
    return Pipeline.of(steps, [f"{where}[{number}]" for number in range(len(steps))])


def _questions(path: Path) -> list[Sample]:
    return [
        Sample(
            parse_row({"messages": [
                {"role": "user", "content": text},
                {"role": "assistant", "content": question.answer},
            ]}),
            Provenance(source=path.name, label=question.id),
        )
        for question in read_questions(path)
        for text in question.train
    ]  # fmt: skip


def _judged(found: Collection, spec: LoopSpec, until: float) -> tuple[list[Sample], list[Sample]]:
    """Return the wiki's answers that people liked, and those that they corrected."""
    rated: list[Sample] = []
    corrected: list[Sample] = []
    for segment in found.segments:
        origin = segment.provenance
        if origin.at is not None and origin.at > until:
            continue
        if segment.correct is not None:
            if spec.corrections:
                corrected.append(Sample(segment.sft_row(), origin))
        elif spec.minimum_rating is not None and (segment.rating or 0) >= spec.minimum_rating:
            rated.append(Sample(segment.sft_row(), origin))
    return rated, corrected


def _accepted(known: Sequence[Candidate], until: float) -> tuple[list[Sample], dict[str, int]]:
    """Return accepted rows that a wiki can learn: one question, one answer, no tools."""
    samples: list[Sample] = []
    refused = Counter[str]()
    for one in known:
        row = one.sample.row
        if one.decided_at is None or one.decided_at > until:
            continue
        if not isinstance(row, SftRow):
            refused["preference"] += 1
        elif row.tools or [m.role for m in row.messages] != ["user", "assistant"]:
            refused["conversation"] += 1
        else:
            samples.append(one.sample)
    return samples, dict(refused)


def _curated(folder: Path) -> list[Sample]:
    """Return the rows that a curation kept, each with its provenance."""
    rows, origins = folder / "sft.jsonl", folder / "sft.provenance.jsonl"
    if not rows.is_file():
        return []
    with origins.open(encoding="utf-8") as file:
        known = [Provenance.model_validate_json(line) for line in file]
    kept = [sample.row for sample in read_samples(rows)]
    return [Sample(row, origin) for row, origin in zip(kept, known, strict=True)]
