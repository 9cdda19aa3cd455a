"""What the way between a program and the core costs: a hop, and a tool turn through callbacks.

* `hop`: requests that the core answers at once, one after the other, over the standard input and
  output of a core of its own; the median of their round trips;
* `turn`: the same turn, two model calls and a tool call, with the model and the tool as functions
  of the core's process, and as functions of a program at the other end of a socket pair.

The program is in Python here and speaks the protocol by the same peer as the core.

    python benchmarks/rpc.py --echoes 5000 --turns 200
"""

import argparse
import gc
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import orjson
from rich.console import Console
from rich.table import Table

from bindings.rpc.core import Core
from bindings.rpc.framing import LineChannel
from bindings.rpc.peer import Params, Peer
from swarm import (
    Catalog,
    CompletionRequest,
    Host,
    Message,
    ToolCall,
    ToolContext,
    add_agent,
    add_completion,
    add_swarm,
    add_tool,
    use_catalog,
)

__all__ = ["Figure", "main", "measure_hops", "measure_turns"]

_LIMIT = 16 * 1024 * 1024
_HELLO: Params = {"protocol": 1, "program": {"name": "benchmark", "language": "python"}}
_WISH = {"id": "call-1", "name": "find", "arguments": '{"what": "aspirin"}'}
_SCHEMA: dict[str, Any] = {"type": "object", "properties": {"what": {"type": "string"}}}


class Figure(NamedTuple):
    """What was measured."""

    name: str
    times: int
    median_ms: float
    p99_ms: float


async def measure_hops(count: int, home: Path) -> Figure:
    """Measure requests that a core in a process of its own answers at once."""
    to_core, from_core = os.pipe(), os.pipe()
    process = await anyio.open_process(
        [sys.executable, "-m", "bindings", "--stdio", "--home", str(home)],
        stdin=to_core[0],
        stdout=from_core[1],
        stderr=None,
    )
    os.close(to_core[0])
    os.close(from_core[1])
    channel = LineChannel(from_core[0], to_core[1], limit=_LIMIT)
    await _greet(channel)
    peer = Peer(channel, _no_function, _ignore)
    times: list[float] = []
    async with process, anyio.create_task_group() as tasks:
        tasks.start_soon(peer.run)
        for number in range(count + 100):
            start = time.perf_counter()
            # What it takes is the way there and back; the answer is the params.
            text = await peer.request("verb/serialize", {"value": {"number": number}})
            if number >= 100:
                times.append(time.perf_counter() - start)
            if text != f"Number: {number}":
                raise ValueError(f"the core answered {text!r}")
        peer.close()
    return _figure("hop", times)


async def measure_turns(count: int, home: Path) -> list[Figure]:
    """Measure turns whose functions are here, and turns whose functions are a program's."""
    figures: list[Figure] = []
    for name, opened in (("turn, in Python", _here), ("turn, by callbacks", _there)):
        catalog = Catalog()
        with use_catalog(catalog):
            async with Host(catalog=catalog, home=home / name[-9:].strip()) as host:
                figures.append(await opened(name, host, count))
    return figures


async def _here(name: str, host: Host, count: int) -> Figure:
    async def model(request: CompletionRequest) -> Message:
        last = request.messages[-1]
        if last.role == "user":
            return Message(role="assistant", tool_calls=(ToolCall(**_WISH),))
        return Message(role="assistant", content=last.content)

    async def find(context: ToolContext, what: str) -> str:
        return what

    add_completion(completion_name="model", get_completion=model)
    add_tool(tool_name="find", call=find, parameters=_SCHEMA)
    add_agent(agent_name="agent", completion="model", tools=["find"], keep_messages=10)
    add_swarm(swarm_name="swarm", agent_list=["agent"], default_agent="agent")
    async with await host.open_session("client", "swarm") as session:
        return await _turns(name, count, session.complete)


async def _there(name: str, host: Host, count: int) -> Figure:
    near, far = socket.socketpair()
    ours, theirs = near.detach(), far.detach()
    figure: Figure | None = None
    async with Core(host) as core, anyio.create_task_group() as tasks:
        tasks.start_soon(core.serve, LineChannel(ours, ours, limit=_LIMIT))
        channel = LineChannel(theirs, theirs, limit=_LIMIT)
        await _greet(channel)
        peer = Peer(channel, _function, _ignore)
        tasks.start_soon(peer.run)
        await anyio.lowlevel.checkpoint()
        declarations: list[Params] = [
            {"kind": "completion", "completionName": "model", "getCompletion": {"$callback": "m"}},
            {"kind": "tool", "toolName": "find", "parameters": _SCHEMA, "call": {"$callback": "t"}},
            {
                "kind": "agent",
                "agentName": "agent",
                "completion": "model",
                "tools": ["find"],
                "keepMessages": 10,
            },
            {
                "kind": "swarm",
                "swarmName": "swarm",
                "agentList": ["agent"],
                "defaultAgent": "agent",
            },
        ]
        names: Params = {"clientId": "client", "swarmName": "swarm"}
        await peer.request("catalog/declare", {"declarations": declarations})
        await peer.request("session/open", names)

        async def complete(content: str) -> str:
            return str(await peer.request("session/complete", {**names, "content": content}))

        figure = await _turns(name, count, complete)
        await peer.request("shutdown", {})
        peer.close()
    if figure is None:
        raise ValueError("the program was cut off")
    return figure


async def _turns(name: str, count: int, complete: Callable[[str], Awaitable[str]]) -> Figure:
    times: list[float] = []
    for number in range(count + 20):
        start = time.perf_counter()
        answer = await complete("Do you have aspirin?")
        if number >= 20:
            times.append(time.perf_counter() - start)
        if answer != "aspirin":
            raise ValueError(f"the swarm answered {answer!r}")
    return _figure(name, times)


async def _greet(channel: LineChannel) -> None:
    hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": _HELLO}
    await channel.send(orjson.dumps(hello))
    await channel.receive()


async def _no_function(method: str, params: Params) -> Any:
    raise ValueError(f"{method} was not expected")


async def _function(method: str, params: Params) -> Any:
    argument = params["args"][0]
    if params["callback"] == "t":
        return {"value": argument["arguments"]["what"]}
    last = argument["messages"][-1]
    if last["role"] == "user":
        return {"value": {"content": "", "toolCalls": [_WISH]}}
    return {"value": last["content"]}


def _ignore(method: str, params: Params) -> None:
    """Hear of a change of the session."""


def _figure(name: str, times: Sequence[float]) -> Figure:
    ordered = sorted(times)
    last = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return Figure(name, len(times), statistics.median(ordered) * 1000, last * 1000)


async def _measure(echoes: int, turns: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        gc.collect()
        hops = await measure_hops(echoes, Path(folder) / "hops")
        return [hops, *await measure_turns(turns, Path(folder) / "turns")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, and say whether the limits hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--echoes", type=int, default=5000)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--limit-hop-ms", type=float, help="fail above this median of a hop")
    parser.add_argument("--limit-turn-ms", type=float, help="fail above this cost of callbacks")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    figures = anyio.run(_measure, options.echoes, options.turns)
    console = Console()
    table = Table("what", "count", "median ms", "p99 ms")
    for figure in figures:
        table.add_row(
            figure.name, str(figure.times), f"{figure.median_ms:.3f}", f"{figure.p99_ms:.3f}"
        )
    console.print(table)
    hop, here, there = figures
    extra = there.median_ms - here.median_ms
    console.print(f"a tool turn by callbacks costs {extra:.2f} ms more")
    if options.json:
        rows = [figure._asdict() for figure in figures]
        options.json.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    is_over = (options.limit_hop_ms is not None and hop.median_ms > options.limit_hop_ms) or (
        options.limit_turn_ms is not None and extra > options.limit_turn_ms
    )
    return 1 if is_over else 0


if __name__ == "__main__":
    sys.exit(main())
