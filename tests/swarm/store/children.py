"""Processes that tests kill or starve: what runs in them, and how they are started.

They are forked from a server that has loaded everything once, so that two dozen kills take
seconds; each is a process of its own that ends without any of its clean-up.
"""

import itertools
import multiprocessing
import resource
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import anyio
import sqlalchemy.event

from swarm import CompletionRequest, Host, session
from swarm.errors import SessionError, StoreError
from swarm.testing import call_tool
from tests.swarm.program import Program

__all__ = ["doze", "shop", "start", "starve", "take_turns", "talk"]


def shop(
    home: Path, mark: Callable[[str], None] = lambda label: None, pause: float = 0.0
) -> Program:
    """Return a program whose model calls one tool for each question.

    Args:
        home: Where its journal lies.
        mark: Hears each step.
        pause: Seconds that the tool takes.
    """

    def model(request: CompletionRequest) -> Any:
        last = request.messages[-1]
        if last.role == "tool":
            mark("model-second")
            return f"answer: {last.content}"
        mark("model-first")
        return call_tool("work", question=last.content)

    async def work(question: str) -> str:
        mark("tool-start")
        await anyio.sleep(pause)
        mark("tool-end")
        return f"did {question}"

    program = Program(home)
    program.agent(model=model, tools=[work])
    program.swarm()
    return program


def start(target: Callable[..., None], *arguments: object) -> tuple[BaseProcess, Connection]:
    """Start a child; returns it and the end of the pipe that it reports to."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(send, *arguments), daemon=True)
    process.start()
    send.close()
    return process, receive


def talk(pipe: Connection, home: str, store: str | None, stop_at: str) -> None:
    """Send messages and report each answer until killed; stop for ever at the named step."""
    counts: dict[str, int] = {}

    def mark(label: str) -> None:
        counts[label] = counts.get(label, 0) + 1
        if stop_at == f"{label} {counts[label]}":
            pipe.send(("stopped", stop_at))
            time.sleep(60)

    async def run() -> None:
        # Long enough for the journal to write, unasked, that the tool was called.
        program = shop(Path(home), mark, pause=0.04)
        program.store = store
        async with program.host() as host:
            for name in ("begin", "commit"):
                sqlalchemy.event.listen(host.database.engine, name, _listener(mark, name))
            async with session("client", "shop", host=host) as chat:
                for number in itertools.count():
                    answer = await chat.complete(f"question {number}")
                    pipe.send(("answer", (number, answer)))
                    mark("acknowledged")

    anyio.run(run)


def take_turns(pipe: Connection, home: str, store: str | None, name: str, turns: int) -> None:
    """Open one conversation again and again, waiting for others, and say something each time."""

    async def run() -> None:
        program = shop(Path(home))
        program.store = store
        catalog = program.catalog
        async with Host(
            catalog=catalog, home=home, store=store, environment={}, lease_wait=60
        ) as host:
            for number in range(turns):
                async with session("client", "shop", host=host) as chat:
                    pipe.send((name, number, await chat.complete(f"{name} {number}")))
                    # Two in one lease, so that the process comes to hold it while others wait.
                    await chat.complete(f"{name} {number} again")

    anyio.run(run)


def doze(pipe: Connection, home: str, store: str | None, seconds: float) -> None:
    """Say something, report it, and go on once a file appears; the test stops it in between."""

    async def run() -> None:
        program = shop(Path(home))
        async with (
            Host(
                catalog=program.catalog,
                home=home,
                store=store,
                environment={},
                lease_seconds=seconds,
            ) as host,
            session("client", "shop", host=host) as chat,
            session("other", "shop", host=host) as other,
        ):
            pipe.send(await chat.complete("before"))
            while not (Path(home).parent / "go").exists():  # noqa: ASYNC110 - from a process
                await anyio.sleep(0.01)
            try:
                pipe.send(await chat.complete("after"))
            except SessionError as error:
                pipe.send(f"refused: {error}")
            pipe.send(await other.complete("beside"))

    try:
        anyio.run(run)
    except* SessionError:
        pipe.send("closed")


def starve(pipe: Connection, home: str) -> None:
    """Run out of disk before the journal is open, and again in the middle of a conversation."""
    program = shop(Path(home))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def open_one() -> None:
        async with program.host():
            raise NotImplementedError

    async def converse() -> None:
        async with program.chat() as chat:
            pipe.send(await chat.complete("before"))
            size = (program.home / "journal.sqlite3-wal").stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
            pipe.send(await _error(chat.complete, "starved"))
            pipe.send(await _error(chat.complete, "starved again"))
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            pipe.send(await chat.complete("after"))

    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    pipe.send(anyio.run(_error, open_one))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    anyio.run(converse)


def _listener(mark: Callable[[str], None], name: str) -> Callable[[object], None]:
    def listen(connection: object) -> None:
        mark(name)

    return listen


async def _error(function: Callable[..., Any], *arguments: object) -> str:
    try:
        await function(*arguments)
    except StoreError as error:
        return f"{type(error).__name__}: {error}"
    return "no error"
