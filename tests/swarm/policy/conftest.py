"""What the tests of policies share."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from swarm import Host, add_policy, use_catalog
from swarm.runtime.guard import Guard
from tests.swarm.program import Program

Function = Callable[..., Any]


class PolicyShop:
    """A program whose swarm lists every policy that a test declares, in order."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._names: list[str] = []

    def policy(self, name: str = "polite", **fields: Any) -> str:
        """Declare a policy."""
        self._names.append(name)
        with use_catalog(self.program.catalog):
            return add_policy(policy_name=name, **fields)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Host, None]:
        """Open a host of the program; every time a new one."""
        if "shop" not in self.program.catalog.swarms:
            if not self.program.catalog.agents.names:
                self.program.agent()
            self.program.swarm(policies=self._names)
        async with self.program.host() as host:
            yield host

    async def guard(self, host: Host) -> Guard:
        """Return the merged policies, as a turn of the swarm gets them."""
        guard = (await host.open_session("anna", "shop")).plan.guard
        assert guard is not None
        return guard


@pytest.fixture
def shop(program: Program) -> PolicyShop:
    """A shop with no policy declared yet."""
    return PolicyShop(program)


def giving(value: object) -> Function:
    """Return a function that takes anything and returns one value."""

    def give(*arguments: object) -> object:
        return value

    return give


def failing(*arguments: object) -> None:
    """Raise, whatever it is asked."""
    raise ValueError("the list is empty")


def noting(heard: list[tuple[object, ...]]) -> Function:
    """Return a function that writes down what it is told."""

    def note(*arguments: object) -> None:
        heard.append(arguments)

    return note
