"""What a full curation costs: conversations a second, the share of each step, and the memory.

* *Whole.* `curate` with the usual steps over a file of made conversations of 1.3 kB, in as many
  processes as there are cores, with the accelerators (rensa, google-re2) and without. The clock
  counts, as it is the throughput of the machine; the memory is the largest resident set of any
  process, and their sum.
* *Steps.* The CPU time of each step over the same rows, in one process; of steps that compare
  rows also that of the decision, which one process makes for all. Steps that judge rows are given
  each row here; in a whole curation they are spared the plain rows in which a search over many at
  once finds nothing, which is most of them.
* Beside them, in the same run and on the same rows, datasketch's MinHash with its LSH index, and
  the scan of detect-secrets over fewer rows, as it is slow.

    python benchmarks/curate.py --rows 100000 --workers 2
    python benchmarks/curate.py --rows 1000000 --limit-mb 2048

On two cores the first of these gave 9,548 rows a second with the accelerators and 2,815 without,
and 244 MB.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from rich.console import Console
from rich.table import Table

from benchmarks.conversations import write_conversations

__all__ = ["Step", "Whole", "main", "measure_steps", "measure_whole"]

_ACCELERATORS = ("rensa", "re2")
_BATCH = 1024
"""Rows that a worker sums up together."""
_SLOW_ROWS = 300
"""Rows that detect-secrets is given."""


class Whole(NamedTuple):
    """One whole curation."""

    contender: str
    rows: int
    seconds: float
    rows_a_second: float
    kept: int
    largest_mb: float
    """Resident set of the largest process."""
    processes: int


class Step(NamedTuple):
    """One step alone, or something beside it."""

    step: str
    rows: int
    microseconds: float
    """CPU time of each row."""


def measure_whole(path: Path, rows: int, workers: int, *, accelerated: bool) -> Whole:
    """Curate a file in a process of its own, and return what it took."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        if not accelerated:
            blocked = Path(folder) / "blocked"
            blocked.mkdir()
            lines = [f"sys.modules[{name!r}] = None\n" for name in _ACCELERATORS]
            (blocked / "sitecustomize.py").write_text("".join(["import sys\n", *lines]))
            known = [str(blocked), environment.get("PYTHONPATH", "")]
            environment["PYTHONPATH"] = os.pathsep.join(part for part in known if part)
        command = [sys.executable, __file__, "--inside", str(path), str(workers), folder]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            raise SystemExit(f"the curation failed:\n{ran.stderr[-2000:]}")
        found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    seconds = float(found["seconds"])
    return Whole(
        contender="curate" if accelerated else "curate, without accelerators",
        rows=rows,
        seconds=seconds,
        rows_a_second=rows / seconds,
        kept=int(found["kept"]),
        largest_mb=float(found["largest_mb"]),
        processes=workers,
    )


def _inside(path: Path, workers: int, folder: Path) -> None:
    """Curate and print what it took; the work of `measure_whole`'s process."""
    import resource

    from finetune.curate import curate

    started = time.perf_counter()
    report = curate([path], folder / "out", workers=workers)
    seconds = time.perf_counter() - started
    largest = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    factor = 1024 if sys.platform == "linux" else 1
    found = {
        "seconds": seconds,
        "kept": report.rows_out,
        "largest_mb": largest * factor / 1e6,
    }
    print(json.dumps(found))


def measure_steps(path: Path, rows: int) -> list[Step]:
    """Return the CPU time of each usual step over the first rows of a file, and of reading."""
    from itertools import islice

    import numpy as np

    from finetune.curate import Pipeline
    from finetune.curate.child import collect_rarely
    from finetune.curate.step import CorpusStep, RowStep
    from finetune.dataset.sample_file import encode_sample, read_samples

    found: list[Step] = []

    def measured(name: str, work: Callable[[], object]) -> object:
        started = time.process_time()
        result = work()
        found.append(Step(name, count, (time.process_time() - started) / count * 1e6))
        return result

    collect_rarely()  # as workers do
    count = rows
    samples = list(islice(read_samples(path), rows))  # once before, so that all is imported
    count = len(samples)
    measured("reading", lambda: list(islice(read_samples(path), rows)))
    measured("writing", lambda: [encode_sample(sample) for sample in samples])
    pipeline = Pipeline.default()
    for config in pipeline.row_steps:
        judge = cast("RowStep", config.build()).judge
        judge(samples[0])
        measured(config.step_name, lambda judge=judge: [judge(sample) for sample in samples])
    steps = [(one.step_name, cast("CorpusStep", one.build())) for one in pipeline.corpus_steps]
    summaries: dict[str, list[np.ndarray]] = {name: [] for name, _ in steps}
    seconds = dict.fromkeys(summaries, 0.0)
    for _, step in steps:
        step.summarise(samples)  # so that the words of the set are known
    # All steps sum up the same rows before the next ones, as in a worker.
    for start in range(0, count, _BATCH):
        for name, step in steps:
            started = time.process_time()
            summaries[name].append(step.summarise(samples[start : start + _BATCH]))
            seconds[name] += time.process_time() - started
    for name, step in steps:
        found.append(Step(name, count, seconds[name] / count * 1e6))
        whole = np.concatenate(summaries[name])
        measured(f"{name}, decision", lambda step=step, whole=whole: step.decide(whole))
    return found


def measure_others(path: Path, rows: int) -> list[Step]:
    """Return what datasketch and detect-secrets take for the same rows."""
    from itertools import islice

    from detect_secrets.core import scan
    from detect_secrets.settings import default_settings

    from finetune.dataset.sample_file import read_samples
    from finetune.dataset.texts import texts_of

    texts = [
        "\n".join(text.text for text in texts_of(sample.row))
        for sample in islice(read_samples(path), rows)
    ]
    # It has no annotations.
    datasketch: Any = importlib.import_module("datasketch")
    started = time.process_time()
    index = datasketch.MinHashLSH(threshold=0.8, num_perm=128)
    for number, text in enumerate(texts):
        words = text.split()
        sketch = datasketch.MinHash(num_perm=128)
        sketch.update_batch([" ".join(words[at : at + 3]).encode() for at in range(len(words) - 2)])
        if not index.query(sketch):
            index.insert(str(number), sketch)
    sketched = time.process_time() - started
    some = texts[:_SLOW_ROWS]
    with default_settings():
        started = time.process_time()
        for text in some:
            for line in text.splitlines():
                list(scan.scan_line(line))
        scanned = time.process_time() - started
    return [
        Step("datasketch, MinHash and LSH", len(texts), sketched / len(texts) * 1e6),
        Step("detect-secrets, scan_line", len(some), scanned / len(some) * 1e6),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 where a limit is missed."""
    options = _parser().parse_args(arguments)
    if options.inside:
        path, workers, folder = options.inside
        _inside(Path(path), int(workers), Path(folder))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "conversations.jsonl"
        write_conversations(path, options.rows, options.seed)
        size = path.stat().st_size / options.rows
        wholes = [
            measure_whole(path, options.rows, options.workers, accelerated=accelerated)
            for accelerated in ((True,) if options.only_accelerated else (True, False))
        ]
        few = min(options.rows, options.step_rows)
        steps = [*measure_steps(path, few), *measure_others(path, few)]
    _print(wholes, steps, size)
    if options.json is not None:
        found = {
            "whole": [whole._asdict() for whole in wholes],
            "steps": [step._asdict() for step in steps],
        }
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    return _verdict(wholes, options)


def _verdict(wholes: Sequence[Whole], options: argparse.Namespace) -> int:
    limits = (options.limit_rate, options.limit_plain_rate)
    status = 0
    for whole, limit in zip(wholes, limits, strict=False):
        if limit is not None and whole.rows_a_second < limit:
            print(f"{whole.contender}: {whole.rows_a_second:,.0f} rows a second, below {limit:,}")
            status = 1
        if options.limit_mb is not None and whole.largest_mb > options.limit_mb:
            print(f"{whole.contender}: {whole.largest_mb:,.0f} MB, above {options.limit_mb:,}")
            status = 1
    return status


def _print(wholes: Sequence[Whole], steps: Sequence[Step], size: float) -> None:
    console = Console()
    table = Table("curation", "rows", "seconds", "rows a second", "kept", "largest process, MB")
    for one in wholes:
        table.add_row(
            one.contender,
            f"{one.rows:,}",
            f"{one.seconds:.1f}",
            f"{one.rows_a_second:,.0f}",
            f"{one.kept:,}",
            f"{one.largest_mb:,.0f}",
        )
    console.print(table)
    table = Table("alone, in one process", "rows", "microseconds of CPU a row")
    for step in steps:
        table.add_row(step.step, f"{step.rows:,}", f"{step.microseconds:,.1f}")
    console.print(table)
    console.print(f"A row has {size:,.0f} bytes.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000, help="conversations")
    parser.add_argument("--step-rows", type=int, default=10_000, help="of them for each step alone")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--seed", type=int, default=0, help="of the conversations")
    parser.add_argument("--only-accelerated", action="store_true", help="leave out the other run")
    parser.add_argument("--limit-rate", type=float, help="fewest rows a second")
    parser.add_argument("--limit-plain-rate", type=float, help="fewest without accelerators")
    parser.add_argument("--limit-mb", type=float, help="most memory of a process")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--inside", nargs=3, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
