"""The ways into a conversation: `session`, and `run_sync` for programs that are not async."""

import inspect
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

import anyio

from swarm.errors import DeclarationError
from swarm.host import Host, use_host
from swarm.runtime import Session

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from swarm.connect import RateSession, ScheduledSession

__all__ = ["run_sync", "session"]

Result = TypeVar("Result")


class session:
    """Open or resume a conversation of a client with a swarm.

    ```python
    async with session("client-1", "shop") as chat:
        print(await chat.complete("Do you have something against a headache?"))
    ```

    Inside an open `Host` the session is one of it; without, it brings a host of its own for the
    current catalog and the default home.

    Raises:
        ValidationError: The declarations have problems.
        SetupError: The journal cannot be written, or a model lacks its key or extra.
        SessionError: The same conversation is open already.
    """

    def __init__(self, client_id: str, swarm_name: str, *, host: Host | None = None) -> None:
        self._names = (client_id, swarm_name)
        self._host = host
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Session:
        async with AsyncExitStack() as stack:
            host = await stack.enter_async_context(use_host(self._host))
            opened = await stack.enter_async_context(await host.open_session(*self._names))
            self._stack = stack.pop_all()
            return opened

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return await self._stack.__aexit__(kind, error, trace)

    @staticmethod
    def scheduled(
        client_id: str, swarm_name: str, delay: float = 1.0, *, host: Host | None = None
    ) -> "AbstractAsyncContextManager[ScheduledSession]":
        """Open a session whose messages collapse while one is answered.

        The first message is answered at once. Those that come meanwhile wait together, and for
        `delay` seconds more; then the newest is answered, the others are only kept in the history,
        and all their callers get that answer.
        """
        from swarm.connect.scheduled import scheduled

        return scheduled(client_id, swarm_name, delay, host=host)

    @staticmethod
    def rate(
        client_id: str, swarm_name: str, delay: float = 1.0, *, host: Host | None = None
    ) -> "AbstractAsyncContextManager[RateSession]":
        """Open a session that drops what comes again within `delay` seconds.

        A dropped message gets "" for an answer. The host counts by client id.
        """
        from swarm.connect.rate import rate

        return rate(client_id, swarm_name, delay, host=host)


def run_sync(function: Callable[..., Awaitable[Result]], *arguments: object) -> Result:
    """Run an async function to its end, for programs that are not async themselves.

    Raises:
        DeclarationError: It was called already: `run_sync(main)` is right, `run_sync(main())` not.
    """
    if inspect.iscoroutine(function):
        function.close()
        name = function.__name__
        raise DeclarationError(
            f"run_sync takes the function itself: run_sync({name}), not {name}()"
        )
    return anyio.run(function, *arguments)
