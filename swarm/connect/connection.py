"""`make_connection`: answers are pushed to a function of the program, and returned as well."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, Protocol

import anyio
from pydantic import JsonValue

from swarm.connect.clock import CLOCK, Clock
from swarm.connect.errors import ConnectorError
from swarm.connect.opening import open_as
from swarm.connect.rate import rates_of
from swarm.connect.scheduled import Ask, Schedule
from swarm.connect.tasks import BlockTasks
from swarm.functions import checked_call, describe
from swarm.host import Host, use_host
from swarm.runtime.session import Session

__all__ = ["OutgoingMessage", "Push", "Send", "make_connection"]

_LONGEST_PUSH = 60.0
"""Seconds for one call of a connector."""


class OutgoingMessage(NamedTuple):
    """What a connector gets."""

    data: str
    """The text."""
    agent_name: str
    """The agent that says it."""
    client_id: str
    """For whom it is."""


Push = Callable[[OutgoingMessage], Awaitable[Any]] | Callable[[OutgoingMessage], Any]
"""A connector: brings a message to the client; plain or async."""


class Send(Protocol):
    """What a connection gives."""

    async def __call__(self, content: str, payload: JsonValue = None) -> str:
        """Send a message; the answer is pushed to the connector and returned.

        An empty answer is returned only.

        Raises:
            ConnectorError: The connector failed; the answer is in the history and in `data`.
            TurnError: No answer within the deadline, or a callback failed.
            ProviderError: The model failed.
            StoreError: The journal failed; the message is not accepted.
            SessionError: The session is closed, or this was called by a tool of its own turn.
        """
        ...


class make_connection:
    """A session whose texts are pushed to a connector, as an async context manager.

    ```python
    async with make_connection(push, "client-1", "shop") as send:
        await send("Do you have something against a headache?")
    ```

    `push` gets each answer as an `OutgoingMessage`, and what `notify` sends. `on_connect` of the
    swarm's callbacks is told.

    Raises:
        ValidationError: The declarations have problems.
        SetupError: The journal cannot be written, or a model lacks its key or extra.
        SessionError: The same conversation is open already.
    """

    def __init__(
        self, connector: Push, client_id: str, swarm_name: str, *, host: Host | None = None
    ) -> None:
        self._arguments = (connector, client_id, swarm_name, host)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Send:
        async with AsyncExitStack() as stack:
            opened = await stack.enter_async_context(_connected(*self._arguments))
            self._stack = stack.pop_all()
        return _as_send(opened.ask)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return await self._stack.__aexit__(kind, error, trace)

    @staticmethod
    def scheduled(
        connector: Push,
        client_id: str,
        swarm_name: str,
        delay: float = 1.0,
        *,
        host: Host | None = None,
        clock: Clock = CLOCK,
    ) -> AbstractAsyncContextManager[Send]:
        """Make a connection whose messages collapse while one is answered.

        The one answer that several messages get is pushed once. See `session.scheduled`.
        """
        return _scheduled(connector, client_id, swarm_name, host, delay, clock)

    @staticmethod
    def rate(
        connector: Push,
        client_id: str,
        swarm_name: str,
        delay: float = 10.0,
        *,
        host: Host | None = None,
        clock: Clock = CLOCK,
    ) -> AbstractAsyncContextManager[Send]:
        """Make a connection that drops what comes again too soon; see `session.rate`."""
        return _rate(connector, client_id, swarm_name, host, delay, clock)


class _Connected(NamedTuple):
    session: Session
    host: Host
    ask: Ask
    """Answers a message and pushes the answer."""


@asynccontextmanager
async def _connected(
    connector: Push, client_id: str, swarm_name: str, host: Host | None
) -> AsyncGenerator[_Connected, None]:
    async def push(text: str, agent_name: str) -> None:
        await _push(connector, OutgoingMessage(text, agent_name, client_id))

    async with (
        use_host(host) as used,
        open_as("connection", client_id, swarm_name, used, push) as session,
    ):

        async def ask(content: str, payload: JsonValue) -> str:
            answer = await session.complete(content, payload=payload)
            # Read before anything else runs, since the next turn may hand over.
            agent_name = session.agent_name
            if answer:
                await push(answer, agent_name)
            return answer

        if session.told is not None:
            await session.told.connected()
        yield _Connected(session, used, ask)


@asynccontextmanager
async def _scheduled(
    connector: Push, client_id: str, swarm_name: str, host: Host | None, delay: float, clock: Clock
) -> AsyncGenerator[Send, None]:
    async with (
        _connected(connector, client_id, swarm_name, host) as opened,
        BlockTasks() as tasks,
    ):
        yield Schedule(opened.session, opened.ask, tasks, delay, clock).ask


@asynccontextmanager
async def _rate(
    connector: Push, client_id: str, swarm_name: str, host: Host | None, delay: float, clock: Clock
) -> AsyncGenerator[Send, None]:
    async with _connected(connector, client_id, swarm_name, host) as opened:
        rates = await rates_of(opened.host)

        async def ask(content: str, payload: JsonValue) -> str:
            is_admitted = rates.admit(client_id, delay, clock.now())
            return await opened.ask(content, payload) if is_admitted else ""

        yield _as_send(ask)


def _as_send(ask: Ask) -> Send:
    async def send(content: str, payload: JsonValue = None) -> str:
        return await ask(content, payload)

    return send


async def _push(connector: Push, message: OutgoingMessage) -> None:
    role, place = "connector", f"client {message.client_id!r}"
    failure = partial(
        ConnectorError,
        data=message.data,
        client_id=message.client_id,
        agent_name=message.agent_name,
    )
    with anyio.move_on_after(_LONGEST_PUSH):
        await checked_call(connector, message, role=role, place=place, failure=failure, passes=())
        return
    raise failure(describe(connector, role, place), f"no end within {_LONGEST_PUSH:g} s")
