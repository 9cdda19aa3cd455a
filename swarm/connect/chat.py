"""`Chat`: conversations by client id, opened when somebody speaks and closed when nobody does."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple

import anyio
from anyio.abc import TaskStatus
from pydantic import JsonValue

from swarm.connect.calling import tell
from swarm.connect.clock import CLOCK, Clock
from swarm.connect.opening import find_sessions, open_as, refuse_own_turn, use_host
from swarm.connect.places import take_place
from swarm.connect.tasks import BlockTasks, log_failure
from swarm.errors import SessionError
from swarm.host import Host
from swarm.runtime.ids import check_client_id
from swarm.runtime.session import Session

__all__ = ["Chat"]

_LONGEST_CLOSE = 30.0
"""Seconds for closing all conversations when the block is left."""


class _Names(NamedTuple):
    client_id: str
    swarm_name: str


@dataclass(slots=True, eq=False)
class _Entry:
    """An open conversation."""

    session: Session
    heard: float
    """When the client last said or got something."""
    busy: int = 0
    """Messages that are being answered."""
    closing: anyio.Event = field(default_factory=anyio.Event)
    closed: anyio.Event = field(default_factory=anyio.Event)
    error: Exception | None = None
    """Why closing failed."""


class Chat:
    """Sessions that open by themselves and close after a while of silence.

    ```python
    async with Chat() as chat:
        print(await chat.send_message("client-1", "Hello", "shop"))
    ```

    All sessions are closed when the block is left; the histories stay.
    """

    def __init__(
        self,
        host: Host | None = None,
        *,
        idle_timeout: float = 900.0,
        check_every: float = 60.0,
        clock: Clock = CLOCK,
    ) -> None:
        """Describe it; nothing is opened yet.

        Args:
            host: The host; the one that is open when absent, or one of its own.
            idle_timeout: Seconds of silence after which a session is closed.
            check_every: Seconds between two looks at that.
            clock: What measures them.
        """
        self._given_host = host
        self._idle_timeout, self._check_every, self._clock = idle_timeout, check_every, clock
        self._entries: dict[_Names, _Entry] = {}
        self._listeners: dict[str, list[Callable[[str, str], Any]]] = {}
        self._stack = AsyncExitStack()
        self._host: Host | None = None
        self._tasks: BlockTasks | None = None

    async def __aenter__(self) -> "Chat":
        async with AsyncExitStack() as stack:
            self._host = await stack.enter_async_context(use_host(self._given_host))
            self._tasks = await stack.enter_async_context(BlockTasks())
            self._tasks.group.start_soon(self._watch)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        self._host = None
        with anyio.move_on_after(_LONGEST_CLOSE, shield=True):
            async with anyio.create_task_group() as group:
                for names in list(self._entries):
                    group.start_soon(self._end_quietly, names)
        return await self._stack.__aexit__(kind, error, trace)

    async def begin_chat(self, client_id: str, swarm_name: str) -> None:
        """Open a client's session; nothing changes when it is open.

        Raises:
            InvalidIdError: No client can be called that.
            UnknownNameError: No such swarm.
            SessionError: The chat is closed, or the conversation is open elsewhere.
            SetupError: A model lacks its key or extra, or the journal failed.
        """
        await self._begin(_Names(check_client_id(client_id), swarm_name))

    async def send_message(
        self, client_id: str, message: str, swarm_name: str, payload: JsonValue = None
    ) -> str:
        """Send a message, in a session that is opened if need be, and return the answer.

        Raises:
            InvalidIdError: No client can be called that.
            TurnError: No answer within the deadline, or a callback failed.
            ProviderError: The model failed.
            SessionError: The conversation is open elsewhere, or a tool of it called this.
            SetupError: A model lacks its key or extra, or the journal failed.
        """
        entry = await self._begin(_Names(check_client_id(client_id), swarm_name))
        entry.busy += 1
        try:
            return await entry.session.complete(message, payload=payload)
        finally:
            entry.busy -= 1
            entry.heard = self._clock.now()

    async def dispose(self, client_id: str, swarm_name: str) -> bool:
        """Close a client's session; a running turn is interrupted, the history stays.

        Returns:
            Whether it was open.

        Raises:
            InvalidIdError: No client can be called that.
            SessionError: This was called by a tool of the session's own turn.
            StoreError: The journal failed.
        """
        return await self._end(_Names(check_client_id(client_id), swarm_name))

    def listen_dispose(
        self, client_id: str, listener: Callable[[str, str], Any]
    ) -> Callable[[], None]:
        """Be told when a session of a client was closed, for whatever reason.

        Args:
            client_id: Whose.
            listener: A function `(client_id, swarm_name)`.

        Returns:
            A function that ends this.
        """
        self._listeners.setdefault(check_client_id(client_id), []).append(listener)

        def stop() -> None:
            others = [one for one in self._listeners.get(client_id, []) if one is not listener]
            self._listeners[client_id] = others
            if not others:
                del self._listeners[client_id]

        return stop

    async def _begin(self, names: _Names) -> _Entry:
        async with self._place(names):
            entry = self._entries.get(names)
            if entry is not None and not _is_gone(entry):
                entry.heard = self._clock.now()
                return entry
            if entry is not None:
                await self._close(names, entry)
            if self._host is None or self._tasks is None:
                raise SessionError("the chat is not open; use it in `async with`")
            opened: _Entry = await self._tasks.group.start(self._own, names, self._host)
        if entry is not None:
            await self._tell(names)
        return opened

    async def _own(self, names: _Names, host: Host, *, task_status: TaskStatus[_Entry]) -> None:
        """Hold a session open; a session is closed by the task that opened it."""
        entry: _Entry | None = None
        try:
            async with open_as("session", *names, host) as session:
                entry = self._entries[names] = _Entry(session, self._clock.now())
                task_status.started(entry)
                await entry.closing.wait()
        except Exception as error:
            if entry is None:
                raise  # to who waits for the start
            entry.error = error
        finally:
            if entry is not None:
                entry.closed.set()

    async def _end(self, names: _Names, *, if_idle: bool = False) -> bool:
        entry = self._entries.get(names)
        if entry is not None:
            refuse_own_turn(entry.session, "dispose its own chat")
        async with self._place(names):
            entry = self._entries.get(names)
            if entry is None or (if_idle and not self._is_idle(entry)):
                return False
            await self._close(names, entry)
        await self._tell(names)
        if entry.error is not None:
            raise entry.error
        return True

    async def _end_quietly(self, names: _Names, *, if_idle: bool = False) -> None:
        try:
            await self._end(names, if_idle=if_idle)
        except Exception as error:
            log_failure(f"chat of client {names.client_id!r}", error)

    async def _close(self, names: _Names, entry: _Entry) -> None:
        del self._entries[names]
        entry.closing.set()
        await entry.closed.wait()

    async def _tell(self, names: _Names) -> None:
        for listener in list(self._listeners.get(names.client_id, ())):
            await tell(listener, *names, place="chat: listen_dispose")

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(self._check_every)
            for names, entry in list(self._entries.items()):
                if self._is_idle(entry) and self._tasks is not None:
                    # Apart: one that takes long to close, or its listener, holds up no other.
                    end = partial(self._end_quietly, names, if_idle=True)
                    self._tasks.group.start_soon(end)

    def _is_idle(self, entry: _Entry) -> bool:
        if _is_gone(entry):
            return True
        return not entry.busy and self._clock.now() - entry.heard >= self._idle_timeout

    def _place(self, names: _Names) -> Any:
        return take_place((id(self), *names), names.swarm_name)


def _is_gone(entry: _Entry) -> bool:
    """Whether somebody else closed the session."""
    session = entry.session
    return session not in find_sessions(session.client_id, session.plan.spec.swarm_name)
