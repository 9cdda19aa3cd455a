"""Processes that ask people, decide, or run what was approved; some are killed in between."""

import os
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import anyio

from swarm import CompletionRequest, add_agent, add_swarm, session, use_catalog
from swarm.inbox import Inbox
from swarm.store import open_database
from swarm.testing import call_tool
from tests.swarm.program import Program

__all__ = ["approve", "ask", "office", "open_and_report", "paid", "park"]


def office(home: Path, store: str | None = None, *, stop_at: str = "", pipe: Any = None) -> Program:
    """Return a program with a seller that pays with approval, and a person.

    Args:
        home: Where its journal lies; what was paid stands in a file beside it.
        store: The URL of its journal.
        stop_at: Where to report and stop for ever: `before` or `after` the payment, or `answer`.
        pipe: Hears of the stop.
    """

    def stop(place: str) -> None:
        if place == stop_at:
            pipe.send(place)
            time.sleep(60)

    def pay(euros: int) -> str:
        stop("before")
        with (home.parent / "paid").open("a", encoding="utf-8") as file:
            file.write(f"{euros}\n")
            file.flush()
            os.fsync(file.fileno())
        stop("after")
        return f"paid {euros}"

    async def model(request: CompletionRequest) -> Any:
        last = request.messages[-1]
        if last.role == "user" and last.mode == "user":
            return call_tool("pay", euros=5)
        if last.role == "user" and stop_at:
            await anyio.sleep(0.1)  # the journal writes unasked what nobody waits for
            stop("answer")
        return f"heard: {last.content}"

    program = Program(home)
    program.store = store
    program.tool(pay, description="Pays.", needs_approval=True)
    program.agent("seller", model=model, tools=["pay"])
    program.swarm("shop")
    with use_catalog(program.catalog):
        add_agent(agent_name="person", operator=True)
        add_swarm(swarm_name="desk", agent_list=["person"], default_agent="person")
    return program


def paid(home: Path) -> list[str]:
    """Return what was paid."""
    file = home.parent / "paid"
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def park(pipe: Connection, home: str, store: str | None) -> None:
    """Park a call, report the answer, and wait to be killed."""

    async def run() -> None:
        async with office(Path(home), store).chat() as chat:
            pipe.send(await chat.complete("Pay!"))
            await anyio.sleep(60)

    anyio.run(run)


def ask(pipe: Connection, home: str, store: str | None) -> None:
    """Ask the person, and wait to be killed."""

    async def run() -> None:
        async with office(Path(home), store).chat(swarm_name="desk") as chat:
            pipe.send("asks")
            await chat.complete("Help?")

    anyio.run(run)


def approve(pipe: Connection, home: str, store: str | None) -> None:
    """Approve the one call that waits, and report its id."""

    async def run() -> None:
        database = open_database(Path(home), store)
        inbox = Inbox(database)
        (item,) = await inbox.list(status="waiting")
        await inbox.approve(item.id, by="child")
        database.close()
        pipe.send(item.id)

    anyio.run(run)


def open_and_report(pipe: Connection, home: str, store: str | None, stop_at: str) -> None:
    """Open the session, which runs what was approved, and report the history."""

    async def run() -> None:
        program = office(Path(home), store, stop_at=stop_at, pipe=pipe)
        async with program.host() as host, session("client", "shop", host=host) as chat:
            pipe.send([message.content for message in chat.history.messages])

    anyio.run(run)
