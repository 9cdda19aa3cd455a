"""What a tool turn costs: CPU time per turn, of wikiswarm and of a bare loop.

A turn is two model calls and one tool call. Four contenders hold the same conversations, one
after the other and again, several times, and the medians are compared:

* `journal`: wikiswarm, its journal on (SQLite, synchronous=FULL, in a fresh folder), with a tool
  that looks something up, as the tool of a wiki does;
* `effect`: the same with a tool that may change something, so its call is on disk before it runs;
* `streamed`: `journal`, with the answer streamed;
* `bare`: aiohttp and orjson and nothing else. It sends request bodies of the same size, message
  by message the same, since it keeps and sends the same history of a few dozen messages.

The CPU time is user and system time of this process with all its threads, so it holds the
journal's writer and not the model, which is a stub server in another process. Conversations are
opened, and connections made, before the clock starts.

    python benchmarks/turn.py --turns 10 --conversations 1,64,512 --repeats 5
"""

import argparse
import gc
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import anyio
import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.contenders import Contender, Converse, bare_loop, question, wikiswarm
from benchmarks.stub import running_stub

__all__ = ["Figure", "main", "measure_all"]


class Figure(NamedTuple):
    """The medians of one contender at one number of conversations."""

    contender: str
    conversations: int
    cpu_ms: float
    """Per turn."""
    ratio: float
    """To the bare loop's CPU time."""
    wall_seconds: float
    """Of one measurement."""
    turns_per_second: float


class _Sample(NamedTuple):
    cpu: float
    """Seconds of the whole measurement."""
    wall: float
    turns: int


async def measure_all(
    conversations: Sequence[int], *, turns: int, least_turns: int, repeats: int, home: Path
) -> list[Figure]:
    """Measure all contenders, taking turns.

    Args:
        conversations: How many at the same time; one set of figures for each.
        turns: Of each conversation.
        least_turns: Of one measurement; few conversations at a time are followed by further ones.
        repeats: Measurements of each contender.
        home: An empty folder for the journals.
    """
    async with AsyncExitStack() as stack:
        base_url = await stack.enter_async_context(running_stub())
        journal = wikiswarm(base_url, home / "journal", turns=turns)
        effect = wikiswarm(base_url, home / "effect", turns=turns, has_effect=True)
        streamed = wikiswarm(base_url, home / "streamed", turns=turns, is_streamed=True)
        contenders: dict[str, Contender] = {
            "bare": await stack.enter_async_context(bare_loop(base_url)),
            "journal": await stack.enter_async_context(journal),
            "effect": await stack.enter_async_context(effect),
            "streamed": await stack.enter_async_context(streamed),
        }
        figures: list[Figure] = []
        for count in conversations:
            samples: dict[str, list[_Sample]] = {name: [] for name in contenders}
            for repeat in range(-1, repeats):
                for name, contender in contenders.items():
                    sample = await _measure(
                        contender,
                        label=f"{count}-{repeat}",
                        at_once=count,
                        turns=1 if repeat < 0 else turns,
                        least_turns=least_turns,
                    )
                    if repeat >= 0:  # the first one warms up
                        samples[name].append(sample)
            figures += _medians(samples, count)
    return figures


async def _measure(
    contender: Contender, label: str, *, at_once: int, turns: int, least_turns: int
) -> _Sample:
    rounds = -(-least_turns // (at_once * turns))
    clients = [f"client-{label}-{turns}-{number}" for number in range(at_once * rounds)]
    async with contender(clients) as chats:
        gc.collect()
        wall, cpu = time.perf_counter(), _cpu_seconds()
        async with anyio.create_task_group() as group:
            for lane in range(at_once):
                group.start_soon(_hold, chats[lane::at_once], turns)
        cpu, wall = _cpu_seconds() - cpu, time.perf_counter() - wall
    return _Sample(cpu, wall, len(clients) * turns)


async def _hold(chats: Sequence[Converse], turns: int) -> None:
    """Hold conversations, one after the other."""
    for chat in chats:
        for number in range(turns):
            if "boxes" not in await chat(question(number)):
                raise AssertionError("the answer does not come from the tool's output")


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _medians(samples: Mapping[str, Sequence[_Sample]], conversations: int) -> list[Figure]:
    cpu = {
        name: statistics.median(sample.cpu / sample.turns for sample in found)
        for name, found in samples.items()
    }
    figures: list[Figure] = []
    for name, found in samples.items():
        wall = statistics.median(sample.wall for sample in found)
        figures.append(
            Figure(
                contender=name,
                conversations=conversations,
                cpu_ms=round(1000 * cpu[name], 4),
                ratio=round(cpu[name] / cpu["bare"], 3),
                wall_seconds=round(wall, 4),
                turns_per_second=round(found[0].turns / wall, 1),
            )
        )
    return figures


def _show(figures: Sequence[Figure], console: Console) -> None:
    table = Table(title="A tool turn: two model calls, one tool call", title_justify="left")
    for heading in ("conversations", "contender"):
        table.add_column(heading)
    for heading in ("CPU ms/turn", "of the bare loop", "wall s", "turns/s"):
        table.add_column(heading, justify="right")
    for index, figure in enumerate(figures):
        following = figures[index + 1].conversations if index + 1 < len(figures) else None
        table.add_row(
            str(figure.conversations),
            figure.contender,
            f"{figure.cpu_ms:.3f}",
            f"{figure.ratio:.2f} x",
            f"{figure.wall_seconds:.2f}",
            f"{figure.turns_per_second:,.0f}",
            end_section=following != figure.conversations,
        )
    console.print(table)


def _counts(text: str) -> list[int]:
    counts = [int(part) for part in text.split(",")]
    if min(counts) < 1:
        raise ValueError("less than one")
    return counts


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, and return the exit code."""
    parser = argparse.ArgumentParser(description="Measure what a tool turn costs.")
    parser.add_argument("--turns", type=int, default=10, help="turns of each conversation")
    parser.add_argument(
        "--conversations", type=_counts, default=[1, 64, 512], help="at once, such as 1,64,512"
    )
    parser.add_argument("--least-turns", type=int, default=200, help="turns of one measurement")
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each contender")
    parser.add_argument("--limit", type=float, help="fail when `journal` is above it times `bare`")
    parser.add_argument("--folder", type=Path, help="put the journals on the disk of this folder")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="wikiswarm-", dir=options.folder) as folder:

        async def measure() -> list[Figure]:
            return await measure_all(
                options.conversations,
                turns=options.turns,
                least_turns=options.least_turns,
                repeats=options.repeats,
                home=Path(folder),
            )

        figures = anyio.run(measure)
    _show(figures, Console())
    if options.json is not None:
        rows = [figure._asdict() for figure in figures]
        options.json.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2) + b"\n")
    over = [
        figure
        for figure in figures
        if figure.contender == "journal" and figure.ratio > (options.limit or float("inf"))
    ]
    for figure in over:
        print(
            f"over the limit of {options.limit:g}: {figure.ratio:.2f} times the bare loop"
            f" at {figure.conversations} conversations",
            file=sys.stderr,
        )
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
