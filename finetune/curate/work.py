"""One shard's part of a curation: what a worker does, and what it leaves on disk.

A worker reads the shard, lets the row steps judge each sample, and writes what is left, what was
removed and changed, and the summaries for the steps that compare. The last file says how many
there were of everything; a shard that has it is done, whoever is killed afterwards.
"""

import json
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from finetune.curate.lines import BadLine, ReadLine, read_shard
from finetune.curate.pipeline import Pipeline
from finetune.curate.screen import PlainRows
from finetune.curate.shards import Shard
from finetune.curate.step import CorpusStep, Note, RowStep, ScreeningStep, Verdict
from finetune.dataset.problem import Problem
from finetune.dataset.rows import SftRow, encode_row
from finetune.dataset.sample import Provenance, Sample
from swarm.files import write_atomically

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Counts", "ShardFiles", "Worker"]

_PLACE = {"source", "line"}
_BATCH = 512
"""Lines that go through the steps together."""


class Counts(NamedTuple):
    """What one shard gave."""

    read: int
    """Rows of valid shape."""
    bad_lines: int
    kept: int
    """Rows that passed the row steps."""
    removed: dict[str, dict[str, int]]
    """By step and code."""
    changed: dict[str, dict[str, int]]
    """Changes and remarks, by step and code."""
    changed_rows: dict[str, int]
    """Rows with at least one, by step."""


class ShardFiles:
    """The files of one shard in the work folder."""

    def __init__(self, folder: Path, number: int) -> None:
        stem = folder / f"{number:06d}"
        self.rows = stem.with_suffix(".rows")
        """Kept rows, a line each: kind, provenance, row; see `Worker`."""
        self.removed = stem.with_suffix(".removed")
        self.changed = stem.with_suffix(".changed")
        self.done = stem.with_suffix(".done")
        self._stem = stem

    def summary(self, step: str) -> Path:
        """Return the file with a comparing step's summaries."""
        return self._stem.with_suffix(f".{step}.npy")

    def counts(self) -> Counts | None:
        """Return what the shard gave, or None when it is not done."""
        try:
            return Counts(**json.loads(self.done.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None


class _Judged(NamedTuple):
    step: str
    sample: Sample
    """As the step was given it."""
    verdict: Verdict


class Worker:
    """Works on shards with the steps of one pipeline."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Make the steps ready.

        Raises:
            SetupError: A step needs a package that is missing.
        """
        self._row_steps = [
            (config.step_name, cast("RowStep", config.build())) for config in pipeline.row_steps
        ]
        self._corpus_steps = [
            (config.step_name, cast("CorpusStep", config.build()))
            for config in pipeline.corpus_steps
        ]

    def work(self, folder: Path, shard: Shard) -> Counts:
        """Work on a shard, unless that is done already; return what it gave.

        Args:
            folder: Where its files go.
            shard: The shard.
        """
        files = ShardFiles(folder, shard.number)
        known = files.counts()
        if known is not None:
            return known
        tally = _Tally()
        summaries: dict[str, list[np.ndarray]] = {name: [] for name, _ in self._corpus_steps}
        with (
            files.rows.open("wb") as rows,
            files.removed.open("wb") as removed,
            files.changed.open("wb") as changed,
        ):
            items = read_shard(shard)
            while batch := list(islice(items, _BATCH)):
                kept = self._judge(batch, shard.name, tally, removed, changed)
                rows.writelines(map(_line, kept))
                self._summarise([line.sample for line in kept], summaries)
            self._summarise([], summaries)
        self._save(files, summaries)
        _sync([files.rows, files.removed, files.changed, *map(files.summary, summaries)])
        counts = tally.counts()
        write_atomically(files.done, json.dumps(counts._asdict()))
        return counts

    def _judge(
        self,
        items: Sequence[ReadLine | BadLine],
        name: str,
        tally: "_Tally",
        removed: IO[bytes],
        changed: IO[bytes],
    ) -> list[ReadLine]:
        """Return what is left of some lines, and write why the rest is gone."""
        left = [item.sample if isinstance(item, ReadLine) else None for item in items]
        places = frozenset(range(len(left)))
        found: dict[int, list[_Judged]] = {}
        # One step after the other over all rows: its code and tables stay in the processor's
        # cache, which takes a third of the time off.
        rows = PlainRows.among(left)
        unchanged = set(rows.places)
        for step_name, step in self._row_steps:
            judge = step.judge
            is_screening = isinstance(step, ScreeningStep)
            passed = unchanged - step.suspects(rows) if is_screening else frozenset[int]()
            for at in sorted(places - passed):
                sample = left[at]
                if sample is None:
                    continue
                verdict = judge(sample)
                if verdict.notes or verdict.sample is None:
                    found.setdefault(at, []).append(_Judged(step_name, sample, verdict))
                if verdict.sample is not sample:
                    unchanged.discard(at)
                left[at] = verdict.sample
        for at, item in enumerate(items):
            if isinstance(item, BadLine):
                tally.bad_lines += 1
                _write(removed, "lines", item.problems, name, item.number)
                continue
            tally.read += 1
            for step_name, sample, verdict in found.get(at, ()):
                if verdict.sample is None:
                    tally.remove(step_name, verdict.notes)
                    _write(removed, step_name, verdict.notes, sample=sample)
                else:
                    tally.change(step_name, verdict.notes)
                    _write(changed, step_name, verdict.notes, sample=sample)
        kept = [
            item if item.sample is sample else ReadLine(sample)
            for item, sample in zip(items, left, strict=True)
            if sample is not None and isinstance(item, ReadLine)
        ]
        tally.kept += len(kept)
        return kept

    def _summarise(self, batch: Sequence[Sample], summaries: "dict[str, list[np.ndarray]]") -> None:
        # An empty batch tells the type of a summary, also where a shard keeps no row.
        for name, step in self._corpus_steps:
            summaries[name].append(step.summarise(batch))

    def _save(self, files: ShardFiles, summaries: "dict[str, list[np.ndarray]]") -> None:
        if not summaries:
            return
        import numpy as np

        for name, parts in summaries.items():
            with files.summary(name).open("wb") as file:
                np.save(file, np.concatenate(parts), allow_pickle=False)


class _Tally:
    def __init__(self) -> None:
        self.read = self.bad_lines = self.kept = 0
        self._removed: dict[str, Counter[str]] = {}
        self._changed: dict[str, Counter[str]] = {}
        self._changed_rows: Counter[str] = Counter()

    def remove(self, step: str, notes: Sequence[Note]) -> None:
        # One row is removed once, for the first reason.
        self._removed.setdefault(step, Counter())[notes[0].code] += 1

    def change(self, step: str, notes: Sequence[Note]) -> None:
        self._changed_rows[step] += 1
        self._changed.setdefault(step, Counter()).update(note.code for note in notes)

    def counts(self) -> Counts:
        return Counts(
            read=self.read,
            bad_lines=self.bad_lines,
            kept=self.kept,
            removed={step: dict(codes) for step, codes in self._removed.items()},
            changed={step: dict(codes) for step, codes in self._changed.items()},
            changed_rows=dict(self._changed_rows),
        )


def _sync(paths: Sequence[Path]) -> None:
    """Return when files are on the disk; waiting for one after the other takes three times that."""

    def sync(path: Path) -> None:
        with path.open("r+b") as file:
            os.fsync(file.fileno())

    with ThreadPoolExecutor(len(paths)) as threads:
        for _ in threads.map(sync, paths):  # raises what a thread raised
            pass


def _line(line: ReadLine) -> bytes:
    """Return a kept row as the last pass wants it: what goes to which file, ready to be copied."""
    row, provenance = line.sample
    kind = b"sft" if isinstance(row, SftRow) else b"dpo"
    data = encode_row(row) if line.text is None else line.text.encode()
    return b"%b\t%b\t%b\n" % (kind, _origin(provenance), data)


def _origin(provenance: Provenance) -> bytes:
    if provenance.model_fields_set == _PLACE:
        # Of rows that people bring no more is known, and this takes a fifth of the time.
        return f'{{"source":{_quoted(provenance.source)},"line":{provenance.line}}}'.encode()
    return provenance.model_dump_json().encode()


@lru_cache(maxsize=8)
def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _write(
    file: IO[bytes],
    step: str,
    notes: "Sequence[Note | Problem]",
    source: str = "",
    line: int = 0,
    sample: Sample | None = None,
) -> None:
    where: dict[str, Any] = {"source": source, "line": line}
    if sample is not None:
        origin = sample.provenance
        where = {"source": origin.source, "line": origin.line}
        if origin.run_id is not None:
            where["run_id"] = origin.run_id
    for note in notes:
        entry: dict[str, Any] = {**where, "step": step, "code": note.code}
        if isinstance(note, Problem):
            entry["detail"], entry["column"] = note.message, note.column
        else:
            if note.detail:
                entry["detail"] = note.detail
            if note.path:
                entry["path"] = note.path
        file.write(json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
