"""What the tests of a client's memory share."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from swarm import Host, use_catalog
from swarm.memory import add_compute, add_embedding, add_state, add_storage
from tests.swarm.program import Program

Declare = Callable[..., None]
Function = Callable[..., Any]
Open = Callable[[], AbstractAsyncContextManager[Host]]


def giving(value: object) -> Function:
    """Return a function that takes anything and returns one value."""

    def give(*arguments: object) -> object:
        return value

    return give


@pytest.fixture
def declare(program: Program) -> Declare:
    """Declare memory by its key: `declare(state_name="cart", default=0)`."""
    adders: dict[str, Callable[..., str]] = {
        "state_name": add_state,
        "storage_name": add_storage,
        "embedding_name": add_embedding,
        "compute_name": add_compute,
    }

    def add(**fields: Any) -> None:
        (key,) = set(adders) & set(fields)
        with use_catalog(program.catalog):
            adders[key](**fields)

    return add


@pytest.fixture
def opened(program: Program) -> Open:
    """Open a host of the program's home; every time a new one."""

    @asynccontextmanager
    async def open_host() -> AsyncGenerator[Host, None]:
        async with program.host() as host:
            yield host

    return open_host
