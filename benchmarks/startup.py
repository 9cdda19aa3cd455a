"""What it costs to start: `import swarm` and `wikiswarm --help`, each in fresh processes.

An interpreter that does nothing is measured beside them. A further run lists the libraries that
were loaded and should not have been; there must be none.

    python benchmarks/startup.py --runs 10
"""

import argparse
import importlib.util
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import orjson
from rich.console import Console
from rich.table import Table

__all__ = ["HEAVY", "Start", "main", "measure_start", "programs"]

HEAVY = frozenset(
    [
        "accelerate",
        "aiohttp",
        "chromadb",
        "cohere",
        "datasets",
        "fastapi",
        "gguf",
        "huggingface_hub",
        "jsonschema",
        "litellm",
        "numpy",
        "openai",
        "pandas",
        "peft",
        "safetensors",
        "sqlalchemy",
        "tokenizers",
        "torch",
        "transformers",
        "trl",
        "unsloth",
        "xllamacpp",
    ]
)
"""Libraries that nobody should wait for who does not use them."""

_ROOT = Path(__file__).resolve().parent.parent


class Start(NamedTuple):
    """What one program takes from start to end, in milliseconds."""

    program: str
    wall_min: float
    wall_median: float
    cpu_min: float
    """User and system time."""
    cpu_median: float
    heavy: list[str]
    """Libraries that it loaded and should not have."""


def programs() -> dict[str, list[str]]:
    """Return what is measured, as arguments of the interpreter."""
    found = {"nothing": ["-c", "pass"], "import swarm": ["-c", "import swarm"]}
    if importlib.util.find_spec("bindings.cli") is not None:
        # What the console script does.
        code = "import sys; from bindings.cli import main; sys.exit(main())"
        found["wikiswarm --help"] = ["-c", code, "--help"]
    return found


def measure_start(program: str, arguments: Sequence[str], *, runs: int) -> Start:
    """Run a program `runs` times after one that warms the disk's cache.

    Raises:
        subprocess.CalledProcessError: The program failed.
    """
    heavy = _loaded(arguments) & HEAVY
    walls: list[float] = []
    cpus: list[float] = []
    for _ in range(runs):
        wall, cpu = time.perf_counter(), _child_seconds()
        subprocess.run(
            [sys.executable, *arguments], check=True, cwd=_ROOT, stdout=subprocess.DEVNULL
        )
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (_child_seconds() - cpu))
    return Start(
        program=program,
        wall_min=round(min(walls), 1),
        wall_median=round(statistics.median(walls), 1),
        cpu_min=round(min(cpus), 1),
        cpu_median=round(statistics.median(cpus), 1),
        heavy=sorted(heavy),
    )


def _loaded(arguments: Sequence[str]) -> set[str]:
    """Return the top-level packages that a program loads."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        check=True,
        cwd=_ROOT,
        capture_output=True,
        text=True,
    )
    lines = [line for line in run.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def _child_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _show(starts: Sequence[Start], console: Console) -> None:
    table = Table(title="From start to end, in milliseconds", title_justify="left")
    table.add_column("program")
    for heading in ("wall min", "median", "CPU min", "median"):
        table.add_column(heading, justify="right")
    table.add_column("heavy libraries")
    for start in starts:
        times = (start.wall_min, start.wall_median, start.cpu_min, start.cpu_median)
        cells = [f"{value:.0f}" for value in times]
        table.add_row(start.program, *cells, ", ".join(start.heavy) or "none")
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, and return 1 when something heavy was loaded."""
    parser = argparse.ArgumentParser(description="Measure what it costs to start.")
    parser.add_argument("--runs", type=int, default=10, help="measurements of each program")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    starts = [
        measure_start(name, program, runs=options.runs) for name, program in programs().items()
    ]
    _show(starts, Console())
    if options.json is not None:
        rows = [start._asdict() for start in starts]
        options.json.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2) + b"\n")
    return 1 if any(start.heavy for start in starts) else 0


if __name__ == "__main__":
    sys.exit(main())
