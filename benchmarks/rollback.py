"""How soon the old version answers after a rollback: a real engine, in this process.

A model has two versions, the second live. A host opens as after a restart: it has loaded nothing,
and answers one question by the live version. Then, again and again, `rollback` is called, and from
its return the time to the whole first answer is taken. The same version's usual time for such an
answer is taken off: it is the median over further questions, no two of which are the same.

The first switch is to a version that nobody has asked yet. It is told apart from the later ones.

    python benchmarks/rollback.py --switches 20 --limit-ms 100
    python benchmarks/rollback.py --weights old.gguf new.gguf

Without `--weights`, two models of 0.6 MB with random weights are made; what a switch costs does not
depend on the size of a model that is loaded already.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import anyio
import orjson
from rich.console import Console
from rich.table import Table

from swarm import Catalog, Host, use_catalog
from wiki import ModelRegistry, add_wiki, ask
from wiki.engine import EnginePool

__all__ = ["Figures", "main", "measure_switches"]


class Figures(NamedTuple):
    """Milliseconds from the return of a rollback to an answer, less what such an answer takes."""

    first: float
    """To the version that nobody had asked since the host was opened."""
    median: float
    """Of the later switches."""
    worst: float
    """Of all."""
    answer: float
    """The usual time of an answer, its median over both versions."""


async def measure_switches(
    weights: tuple[Path, Path], *, switches: int, questions: int, home: Path
) -> Figures:
    """Roll back `switches` times and return what that took.

    Raises:
        AssertionError: An answer came from another version than the one that was rolled back to.
    """
    registry = ModelRegistry(home / "models")
    for number, path in enumerate(weights, start=1):
        registry.register("shop", weights=path)
        registry.promote("shop", number)
    catalog = Catalog()
    with use_catalog(catalog):
        add_wiki(wiki_name="shop", model="registry/shop@live", max_tokens=16)
    count = 0

    async with Host(catalog=catalog, home=home, environment={}) as host:

        async def answered() -> tuple[float, int | None]:
            nonlocal count
            count += 1
            start = time.perf_counter()
            answer = await ask("shop", f"Question {count}: what is it?", host=host)
            return 1000 * (time.perf_counter() - start), answer.version

        await answered()
        pool: EnginePool = await host.shared("gguf", _absent)
        await pool.wait_for_loads()
        after: list[tuple[int, float]] = []
        usual: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(switches):
            version = registry.rollback("shop").version
            took, by = await answered()
            if by != version:
                raise AssertionError(f"rolled back to {version}, and {by} answered")
            after.append((version, took))
            usual[version] += [(await answered())[0] for _ in range(questions)]
    normal = {version: statistics.median(times) for version, times in usual.items() if times}
    over = [took - normal[version] for version, took in after]
    return Figures(
        first=round(over[0], 2),
        median=round(statistics.median(over[1:] or over), 2),
        worst=round(max(over), 2),
        answer=round(statistics.median([*usual[1], *usual[2]]), 2),
    )


async def _absent() -> tuple[EnginePool, Callable[[], Awaitable[None]]]:
    raise AssertionError("no engine was started")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, and return 1 when a limit is passed."""
    parser = argparse.ArgumentParser(description="Measure what a rollback takes.")
    parser.add_argument("--switches", type=int, default=20, help="how many rollbacks")
    parser.add_argument("--questions", type=int, default=5, help="questions after each")
    parser.add_argument("--weights", type=Path, nargs=2, help="the GGUF files of two versions")
    parser.add_argument("--limit-ms", type=float, help="fail when any rollback took longer")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="wikiswarm-bench-") as folder:
        home = Path(folder)
        figures = anyio.run(_run, options.weights or _tiny(home), options, home)
    table = Table(title="After a rollback, in milliseconds", title_justify="left")
    for heading in ("first", "median", "worst", "an answer"):
        table.add_column(heading, justify="right")
    table.add_row(*(f"{value:.1f}" for value in figures))
    Console().print(table)
    if options.json is not None:
        options.json.write_bytes(orjson.dumps(figures._asdict()) + b"\n")
    if options.limit_ms is not None and figures.worst > options.limit_ms:
        print(f"{figures.worst:.1f} ms is over the limit of {options.limit_ms:g} ms")
        return 1
    return 0


async def _run(weights: Sequence[Path], options: argparse.Namespace, home: Path) -> Figures:
    return await measure_switches(
        (weights[0], weights[1]),
        switches=options.switches,
        questions=options.questions,
        home=home,
    )


def _tiny(folder: Path) -> tuple[Path, Path]:
    from tests.wiki.tiny_gguf import write_tiny_gguf

    old, new = (write_tiny_gguf(folder / f"{seed}.gguf", seed=seed) for seed in (7, 8))
    return old, new


if __name__ == "__main__":
    sys.exit(main())
