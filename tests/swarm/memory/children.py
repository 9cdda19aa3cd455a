"""A process that changes a client's memory, reports each change, and is killed."""

import itertools
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import anyio

from swarm import State, Storage, session, use_catalog
from swarm.memory import add_state, add_storage
from tests.swarm.program import Program

__all__ = ["change", "shop"]

NAMES: dict[str, Any] = {"client_id": "client", "agent_name": "seller"}


def shop(home: Path) -> Program:
    """Return a program with a counter and a list of what was counted."""
    program = Program(home)
    with use_catalog(program.catalog):
        add_state(state_name="count", default=0)
        add_storage(storage_name="counted")
    program.agent(states=["count"], storages=["counted"])
    program.swarm()
    return program


def change(pipe: Connection, home: str) -> None:
    """Count until killed; report each number once it is kept."""

    async def run() -> None:
        async with shop(Path(home)).host() as host, session("client", "shop", host=host):
            for _ in itertools.count():
                number = await State.set("count", lambda old: old + 1, **NAMES)
                pipe.send(("state", number))
                items = [{"id": f"{number}-{part}"} for part in range(3)]
                await Storage.upsert("counted", items, **NAMES)
                pipe.send(("items", number))

    anyio.run(run)
