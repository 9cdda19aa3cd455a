"""A process that bans clients, reports each ban, and is killed."""

import itertools
from multiprocessing.connection import Connection
from pathlib import Path

import anyio

from swarm import Policy, add_policy, use_catalog
from tests.swarm.program import Program

__all__ = ["ban_everybody", "shop"]


def shop(home: Path) -> Program:
    """Return a program with one policy."""
    program = Program(home)
    with use_catalog(program.catalog):
        add_policy(policy_name="polite")
    program.agent()
    program.swarm(policies=["polite"])
    return program


def ban_everybody(pipe: Connection, home: str) -> None:
    """Ban one client after the other until killed; report each once it is kept."""

    async def run() -> None:
        async with shop(Path(home)).host():
            for number in itertools.count():
                client_id = f"client-{number}"
                names = {"swarm_name": "shop", "policy_name": "polite"}
                await Policy.ban_client(client_id=client_id, **names)
                pipe.send(client_id)

    anyio.run(run)
