"""What sessions cost: the memory of those that wait, and the CPU time of one that gets long.

* *Idle.* Sessions are opened on one host with its journal on, each holds a short conversation,
  and all stay open. The memory is the growth of this process's resident set. Beside it stand the
  same messages as dictionaries in a list for each conversation, and nothing else.
* *Long.* Conversations are continued for a thousand turns. The CPU time of a turn around the
  tenth is compared with that of a turn around the thousandth. Beside it stands a loop that keeps
  dictionaries in a list and hands all of them to the model each time.

The model is a function of this program that looks at every message it gets. The CPU time is that
of this process with all its threads, so it holds the journal's writer.

    python benchmarks/sessions.py --sessions 10000 --messages 10 --turns 1000
"""

import argparse
import gc
import os
import resource
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import anyio
import orjson
from anyio.abc import TaskGroup, TaskStatus
from rich.console import Console
from rich.table import Table

from swarm import (
    Catalog,
    CompletionRequest,
    Host,
    add_agent,
    add_completion,
    add_swarm,
    session,
    use_catalog,
)

__all__ = ["Idle", "Long", "main", "measure_idle", "measure_long"]

_AT_ONCE = 200
"""Conversations that are held at the same time."""
_EARLY = 10
"""The turn that late ones are compared with."""
_AROUND = 5
"""Turns on each side that are measured with it."""
_ANSWER = "We have it, and it costs four euros and eighty cents. Shall I put one aside for you?"

_Converse = Callable[[str], Awaitable[str]]


class Idle(NamedTuple):
    """What one contender's idle sessions hold."""

    contender: str
    sessions: int
    messages: int
    """Of each."""
    megabytes: float
    """Growth of the resident set."""
    bytes_per_session: int


class Long(NamedTuple):
    """What one contender's turns cost early and late in a conversation."""

    contender: str
    turn: int
    """The late one."""
    early_ms: float
    """CPU time."""
    late_ms: float
    ratio: float


def _question(client: int, number: int) -> str:
    return f"Question {number} of client {client}: do you still have the larger box of tablets?"


async def _look(request: CompletionRequest) -> str:
    """Answer as a model that reads all it gets."""
    if not sum(len(message.content) for message in request.messages):
        raise AssertionError("a request has messages")
    return _ANSWER


@asynccontextmanager
async def _opened(home: Path) -> AsyncGenerator[Host, None]:
    catalog = Catalog()
    with use_catalog(catalog):
        add_completion(completion_name="model", get_completion=_look)
        add_agent(agent_name="seller", completion="model", prompt="You sell medicine.")
        add_swarm(swarm_name="shop", agent_list=["seller"], default_agent="seller")
    async with Host(catalog=catalog, home=home, environment={}) as host:
        yield host


async def measure_idle(sessions: int, *, messages: int, home: Path) -> list[Idle]:
    """Measure the memory of sessions that wait.

    Args:
        sessions: How many.
        messages: Of each, half of them questions.
        home: An empty folder for the journal.
    """
    turns = -(-messages // 2)
    found: list[Idle] = []

    def grown(contender: str, before: int) -> None:
        size = _resident_bytes() - before
        found.append(Idle(contender, sessions, 2 * turns, round(size / 1e6, 2), size // sessions))

    async with _opened(home) as host, anyio.create_task_group() as group:
        # What is made once, such as the journal's connection, is no session's.
        await _open_idle(group, host, range(-_AT_ONCE, 0), turns)
        before = _resident_bytes()
        await _open_idle(group, host, range(sessions), turns)
        grown("wikiswarm", before)
        # While the sessions live, so that their memory is not used again.
        before = _resident_bytes()
        lists = [_plain_messages(client, turns) for client in range(sessions)]
        grown("dictionaries", before)
        del lists
        group.cancel_scope.cancel()
    return found


async def _open_idle(group: TaskGroup, host: Host, clients: range, turns: int) -> None:
    """Open sessions in tasks of a group, hold their conversations, and leave them open."""

    async def keep(own: range, *, task_status: TaskStatus[None]) -> None:
        async with AsyncExitStack() as stack:
            for client in own:
                chat = await stack.enter_async_context(session(f"c{client}", "shop", host=host))
                for number in range(turns):
                    await chat.complete(_question(client, number))
            task_status.started()
            await anyio.sleep_forever()

    async with anyio.create_task_group() as starting:
        for lane in range(_AT_ONCE):
            starting.start_soon(group.start, keep, clients[lane::_AT_ONCE])


def _plain_messages(client: int, turns: int) -> list[dict[str, str]]:
    messages: list[dict[str, str]] = []
    for number in range(turns):
        messages.append({"role": "user", "content": _question(client, number)})
        # A copy of its own, as an answer that came over the network is.
        messages.append({"role": "assistant", "content": _ANSWER.encode().decode()})
    return messages


async def measure_long(turns: int, *, conversations: int, home: Path) -> list[Long]:
    """Measure a turn early and late in a conversation.

    Args:
        turns: How many each conversation has; the last ones are the late ones.
        conversations: How many are measured together.
        home: An empty folder for the journal.
    """
    async with _opened(home) as host, AsyncExitStack() as stack:
        chats = [
            await stack.enter_async_context(session(f"c{client}", "shop", host=host))
            for client in range(conversations)
        ]
        found = [await _compare("wikiswarm", [chat.complete for chat in chats], turns)]
    plain = [_plain_conversation() for _ in range(conversations)]
    found.append(await _compare("dictionaries", plain, turns))
    return found


def _plain_conversation() -> _Converse:
    messages: list[dict[str, str]] = []

    async def converse(content: str) -> str:
        messages.append({"role": "user", "content": content})
        if not sum(len(message["content"]) for message in messages):
            raise AssertionError("a request has messages")
        messages.append({"role": "assistant", "content": _ANSWER})
        return _ANSWER

    return converse


async def _compare(contender: str, chats: Sequence[_Converse], turns: int) -> Long:
    costs: list[float] = []

    async def hold(client: int, chat: _Converse, number: int) -> None:
        await chat(_question(client, number))

    for number in range(turns):
        before = _cpu_seconds()
        async with anyio.create_task_group() as group:
            for client, chat in enumerate(chats):
                group.start_soon(hold, client, chat, number)
        costs.append((_cpu_seconds() - before) / len(chats))
    around = min(_AROUND, turns // 4)
    early = costs[max(1, _EARLY - around) : _EARLY + around] if turns > _EARLY else costs[1:-1]
    late = costs[-2 * around :]
    means = [sum(some) / len(some) for some in (early, late)]
    return Long(
        contender=contender,
        turn=turns,
        early_ms=round(1000 * means[0], 4),
        late_ms=round(1000 * means[1], 4),
        ratio=round(means[1] / means[0], 3),
    )


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _resident_bytes() -> int:
    """Return the memory of this process that is in use now."""
    gc.collect()
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except FileNotFoundError:
        # Elsewhere only the peak is known, which is the same while all of it is kept.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak
    return pages * os.sysconf("SC_PAGE_SIZE")


def _show(idle: Sequence[Idle], long: Sequence[Long], console: Console) -> None:
    table = Table(title="Idle sessions", title_justify="left")
    for heading in ("contender", "sessions", "messages of each", "MB", "bytes of each"):
        table.add_column(heading, justify="left" if heading == "contender" else "right")
    for row in idle:
        table.add_row(
            row.contender,
            f"{row.sessions:,}",
            str(row.messages),
            f"{row.megabytes:.1f}",
            f"{row.bytes_per_session:,}",
        )
    console.print(table)
    table = Table(title="A long conversation", title_justify="left")
    for heading in ("contender", "late turn", "early CPU ms", "late CPU ms", "late of early"):
        table.add_column(heading, justify="left" if heading == "contender" else "right")
    for row in long:
        table.add_row(
            row.contender,
            f"{row.turn:,}",
            f"{row.early_ms:.3f}",
            f"{row.late_ms:.3f}",
            f"{row.ratio:.2f} x",
        )
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print two tables, and return the exit code."""
    parser = argparse.ArgumentParser(description="Measure what idle and long sessions cost.")
    parser.add_argument("--sessions", type=int, default=10_000, help="idle ones")
    parser.add_argument("--messages", type=int, default=10, help="of each idle session")
    parser.add_argument("--turns", type=int, default=1_000, help="of a long conversation")
    parser.add_argument(
        "--conversations", type=int, default=20, help="long ones, measured together"
    )
    parser.add_argument("--limit-mb", type=float, help="fail when idle sessions hold more")
    parser.add_argument("--limit-ratio", type=float, help="fail when a late turn costs more")
    parser.add_argument("--folder", type=Path, help="put the journals on the disk of this folder")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="wikiswarm-", dir=options.folder) as folder:

        async def measure() -> tuple[list[Idle], list[Long]]:
            home = Path(folder)
            idle = await measure_idle(
                options.sessions, messages=options.messages, home=home / "idle"
            )
            long = await measure_long(
                options.turns, conversations=options.conversations, home=home / "long"
            )
            return idle, long

        idle, long = anyio.run(measure)
    _show(idle, long, Console())
    if options.json is not None:
        figures = {"idle": [row._asdict() for row in idle], "long": [row._asdict() for row in long]}
        options.json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2) + b"\n")
    over: list[str] = []
    if idle[0].megabytes > (options.limit_mb or float("inf")):
        over.append(f"idle sessions hold {idle[0].megabytes:g} MB, over {options.limit_mb:g}")
    if long[0].ratio > (options.limit_ratio or float("inf")):
        over.append(f"a late turn costs {long[0].ratio:g} times, over {options.limit_ratio:g}")
    for line in over:
        print(line, file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
