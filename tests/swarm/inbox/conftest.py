"""What the tests of the inbox share: a program with a person in it, on each database."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
import anyio.to_thread
import pytest

from swarm.inbox import Inbox, InboxItem
from swarm.store import open_database
from tests.postgres import PostgresServer
from tests.swarm.program import Program

__all__ = ["Elsewhere", "wait_for", "wait_for_item"]

Elsewhere = Callable[[], AbstractAsyncContextManager[Inbox]]
"""Opens the inbox as another process would."""


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str | None:
    """The URL of an empty store; None for the file in the home."""
    if request.param == "sqlite":
        return None
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.fresh_url()


@pytest.fixture
def elsewhere(program: Program) -> Elsewhere:
    """The inbox on a connection of its own, which tells the program's host nothing."""

    @asynccontextmanager
    async def connect() -> AsyncGenerator[Inbox, None]:
        database = await anyio.to_thread.run_sync(open_database, program.home, program.store)
        try:
            yield Inbox(database)
        finally:
            database.close()

    return connect


async def wait_for(check: Callable[[], Awaitable[object]]) -> None:
    """Return once something holds."""
    with anyio.fail_after(10):
        while not await check():  # noqa: ASYNC110 - it may happen in another process
            await anyio.sleep(0.01)


async def wait_for_item(inbox: Inbox, **filters: str) -> InboxItem:
    """Return the newest item, once there is one."""
    found: list[InboxItem] = []

    async def look() -> bool:
        found[:] = await inbox.list(**filters)  # pyright: ignore[reportArgumentType] - names of fields
        return bool(found)

    await wait_for(look)
    return found[0]
