"""`curate`: sources in, training rows out, and a reason for everything that is not there.

Three passes: workers judge rows shard by shard, the comparing steps decide over all summaries,
and one pass writes the files in the order of the sources. The first pass is kept in the output's
folder until the end, so an interrupted run goes on with the shards that are missing.
"""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from finetune.curate.compare import Comparison, compare
from finetune.curate.pipeline import Pipeline
from finetune.curate.pool import ChildPool, LocalPool, Pool
from finetune.curate.report import CurationReport, SourceReport, StepReport
from finetune.curate.shards import SHARD_BYTES, Shard, Source, cut, estimate_shards
from finetune.curate.work import Counts
from finetune.curate.writing import write_results
from finetune.dataset.write import WrittenFile
from swarm.errors import StoreError
from swarm.files import write_atomically

__all__ = ["PoolName", "curate"]

PoolName = Literal["process", "ray"]
"""Where shards are worked on."""

_USUAL_SHARDS = 64
_SMALLEST = 64 * 1024


def curate(
    sources: Sequence[Path | str],
    output: Path | str,
    *,
    pipeline: Pipeline | None = None,
    workers: int = 1,
    pool: PoolName = "process",
    on_progress: Callable[[int, int, str], None] | None = None,
) -> CurationReport:
    """Curate training files, and write what may be trained on.

    In the folder stand afterwards `sft.jsonl` and `dpo.jsonl` with the rows, as far as there are
    any; `sft.provenance.jsonl` and `dpo.provenance.jsonl` with a line for each row;
    `removed.jsonl` and `changed.jsonl` with the reasons; `report.json` and `report.md`. The same
    sources and steps give the same bytes, with any number of workers.

    Args:
        sources: JSONL files of rows or samples.
        output: The folder; what an earlier run left there is replaced.
        pipeline: The steps; the default ones when absent.
        workers: How many processes work; with one, this process does.
        pool: `ray` works as tasks of Ray Data.
        on_progress: Is given shards done, shards in all, and rows read.

    Raises:
        DatasetError: A source cannot be read, is empty, not text, or of another format.
        SetupError: A step or the pool needs a package that is missing.
        StoreError: The folder cannot be written.
        WorkerError: A worker ended; the same call goes on.
    """
    steps = pipeline or Pipeline.default()
    folder = Path(output)
    paths = [Path(source) for source in sources]
    size = sum(path.stat().st_size for path in paths if path.is_file())
    # Whatever the number of workers, so that it does not show in the result.
    shard_bytes = max(_SMALLEST, min(SHARD_BYTES, size // _USUAL_SHARDS))
    expected = estimate_shards(size, len(paths), shard_bytes=shard_bytes)
    with _pool(pool, steps, workers, expected) as used:
        read, shards = cut(paths, shard_bytes=shard_bytes)
        with _store_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            work = folder / f".work-{_run_id(read, steps, shard_bytes)}"
            work.mkdir(exist_ok=True)
            counts = _first_pass(used, work, shards, on_progress)
    with _store_errors(folder):
        comparison = compare(steps, work, [counts[shard.number].kept for shard in shards])
        files = write_results(folder, work, len(shards), comparison, _names(steps))
        report = _report(steps, read, [counts[shard.number] for shard in shards], comparison, files)
        write_atomically(folder / "report.md", report.markdown())
        write_atomically(folder / "report.json", report.model_dump_json(indent=2) + "\n")
        for left in folder.glob(".work-*"):
            shutil.rmtree(left, ignore_errors=True)
    return report


@contextmanager
def _store_errors(folder: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"cannot write to {folder}: {reason}") from error


def _run_id(sources: Sequence[Source], pipeline: Pipeline, shard_bytes: int) -> str:
    """Name a run by all that decides what its shards hold."""
    parts = [[source.name, source.sha256] for source in sources]
    text = json.dumps([parts, pipeline.digest, shard_bytes])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextmanager
def _pool(name: PoolName, pipeline: Pipeline, workers: int, shards: int) -> Generator[Pool]:
    """Give who works on about so many shards."""
    if name == "ray":
        from finetune.curate.ray_pool import RayPool

        yield RayPool(pipeline, workers)
    elif workers <= 1:
        yield LocalPool(pipeline)
    else:
        with ChildPool.started(pipeline, min(workers, shards)) as children:
            yield children


def _first_pass(
    pool: Pool,
    folder: Path,
    shards: Sequence[Shard],
    on_progress: Callable[[int, int, str], None] | None,
) -> dict[int, Counts]:
    counts: dict[int, Counts] = {}
    rows = 0
    for shard, found in pool.run(folder, shards):
        counts[shard.number] = found
        rows += found.read
        if on_progress is not None:
            on_progress(len(counts), len(shards), f"{rows:,} rows")
    return counts


def _names(pipeline: Pipeline) -> list[str]:
    return [config.step_name for config in pipeline.corpus_steps]


def _report(
    pipeline: Pipeline,
    sources: Sequence[Source],
    counts: Sequence[Counts],
    comparison: Comparison,
    files: Sequence[WrittenFile],
) -> CurationReport:
    rows_in = left = sum(one.read for one in counts)
    steps: list[StepReport] = []
    for config in pipeline.steps:
        name = config.step_name
        removed: Counter[str] = Counter(comparison.removed.get(name, {}))
        changes: Counter[str] = Counter()
        changed_rows = 0
        for one in counts:
            removed.update(one.removed.get(name, {}))
            changes.update(one.changed.get(name, {}))
            changed_rows += one.changed_rows.get(name, 0)
        step = StepReport(
            step=name,
            version=config.version,
            settings=config.model_dump(mode="json"),
            rows_in=left,
            removed=dict(sorted(removed.items())),
            changed_rows=changed_rows,
            changes=dict(sorted(changes.items())),
        )
        left = step.rows_out
        steps.append(step)
    return CurationReport(
        pipeline=pipeline.digest,
        sources=tuple(
            SourceReport(name=one.name, sha256=one.sha256, bytes=one.bytes, lines=one.lines)
            for one in sources
        ),
        rows_in=rows_in,
        bad_lines=sum(one.bad_lines for one in counts),
        rows_out=left,
        steps=tuple(steps),
        files=tuple(files),
    )
