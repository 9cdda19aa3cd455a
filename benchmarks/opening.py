"""What it costs to open a large swarm: all its declarations checked, all its tools bound.

Every tool is a function of its own with two arguments, and belongs to one agent; every agent can
hand over to the next. The swarm is opened twice: with tools whose
arguments are texts and numbers, and with tools that take a list and a choice, for which pydantic
has to build a model each. Beside them stands a bare loop that builds as many models of the same
two fields, with their JSON Schemas, and nothing else. The times are CPU times of this process.

    python benchmarks/opening.py --tools 10000 --agents 1000
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import anyio
import orjson
from pydantic import create_model
from rich.console import Console
from rich.table import Table

from swarm import Catalog, Host, add_agent, add_completion, add_swarm, add_tool, use_catalog

__all__ = ["Opening", "main", "measure_models", "measure_opening"]

_Make = Callable[[], Callable[..., Any]]


class Opening(NamedTuple):
    """What one contender takes, in seconds of CPU time."""

    contender: str
    tools: int
    agents: int
    declare_s: float
    """To write the declarations down."""
    open_s: float
    """To check and bind them, until the first session can be had."""
    again_s: float
    """The same for the second session."""


def _plain() -> Callable[..., Any]:
    async def stock_level(sku: str, shelf: int = 1) -> str:
        """Say how many boxes there are.

        Args:
            sku: What is printed on the box.
            shelf: Where it stands.
        """
        return f"{sku} is on shelf {shelf}"

    return stock_level


def _rich() -> Callable[..., Any]:
    async def stock_levels(skus: list[str], size: Literal["small", "large"] = "small") -> str:
        """Say how many boxes there are.

        Args:
            skus: What is printed on the boxes.
            size: Which of them.
        """
        return f"{len(skus)} {size} boxes"

    return stock_levels


async def measure_opening(
    contender: str, make: _Make, *, tools: int, agents: int, home: Path
) -> Opening:
    """Declare a swarm in a catalog of its own and open two sessions with it.

    Args:
        contender: What the figures are called.
        make: Makes the function of a tool, a new one each time.
        tools: How many there are, shared out among the agents.
        agents: How many there are.
        home: The folder of the state.
    """
    with use_catalog(Catalog()) as catalog:
        began = time.process_time()
        _declare(make, tools=tools, agents=agents)
        declared = time.process_time()
        async with Host(catalog=catalog, home=home, environment={}) as host:
            # The database and its library are opened already; they do not grow with the swarm.
            ready = time.process_time()
            await host.open_session("client-1", "shop")
            opened = time.process_time()
            await host.open_session("client-2", "shop")
            again = time.process_time()
    times = (declared - began, opened - ready, again - opened)
    return Opening(contender, tools, agents, *(round(seconds, 4) for seconds in times))


def _declare(make: _Make, *, tools: int, agents: int) -> None:
    add_completion(completion_name="model", model="offline")
    own: list[list[str]] = [[] for _ in range(agents)]
    for number in range(tools):
        own[number % agents].append(add_tool(tool_name=f"tool_{number}", call=make()))
    names = [f"agent_{number}" for number in range(agents)]
    for number, name in enumerate(names):
        following = [names[(number + 1) % agents]] if agents > 1 else []
        add_agent(agent_name=name, completion="model", tools=own[number], handoffs=following)
    add_swarm(swarm_name="shop", agent_list=names, default_agent=names[0])


def measure_models(*, tools: int, agents: int) -> Opening:
    """Build one pydantic model and its JSON Schema for each tool, and nothing else."""
    choice: Any = Literal["small", "large"]
    began = time.process_time()
    kept = [
        create_model(f"Tool{number}", skus=(list[str], ...), size=(choice, "small"))
        for number in range(tools)
    ]
    shown = [model.model_json_schema() for model in kept]
    seconds = time.process_time() - began
    return Opening("pydantic models", len(shown), agents, 0.0, round(seconds, 4), 0.0)


def _show(rows: Sequence[Opening], console: Console) -> None:
    title = f"To open a swarm of {rows[0].tools:,} tools and {rows[0].agents:,} agents"
    table = Table(title=f"{title}, in seconds of CPU time", title_justify="left")
    table.add_column("contender")
    for heading in ("declare", "open", "open again", "open, of the models"):
        table.add_column(heading, justify="right")
    for row in rows:
        times = (row.declare_s, row.open_s, row.again_s)
        ratio = row.open_s / max(rows[-1].open_s, 1e-9)
        table.add_row(row.contender, *(f"{seconds:.3f}" for seconds in times), f"{ratio:.2f}")
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, and return 1 when a limit is passed."""
    parser = argparse.ArgumentParser(description="Measure what it costs to open a large swarm.")
    parser.add_argument("--tools", type=int, default=10_000)
    parser.add_argument("--agents", type=int, default=1_000)
    parser.add_argument(
        "--limit", type=float, help="fail when opening takes longer than so many times the models"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    sizes: dict[str, int] = {"tools": options.tools, "agents": options.agents}
    kinds = {"texts and numbers": _plain, "lists and choices": _rich}
    with tempfile.TemporaryDirectory(prefix="wikiswarm-") as folder:

        async def measure() -> list[Opening]:
            return [
                await measure_opening(name, make, **sizes, home=Path(folder) / str(place))
                for place, (name, make) in enumerate(kinds.items())
            ]

        rows = [*anyio.run(measure), measure_models(**sizes)]
    _show(rows, Console())
    if options.json is not None:
        figures = [row._asdict() for row in rows]
        options.json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2) + b"\n")
    allowed = (options.limit or float("inf")) * rows[-1].open_s
    over = [row for row in rows[:-1] if row.open_s > allowed]
    for row in over:
        line = f"{row.contender}: {row.open_s:g} s to open, over {allowed:g} s"
        print(line, file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
