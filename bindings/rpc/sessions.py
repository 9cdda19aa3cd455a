"""The sessions that a program has open; they close with its connection."""

import contextvars
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import TaskGroup
from pydantic import JsonValue

import swarm
from bindings.rpc.callbacks import Callbacks, Invocation
from bindings.rpc.peer import Peer
from bindings.rpc.values import encode_value
from bindings.rpc.wire import SessionChangedParams, SessionCompleteParams, SessionOpenParams
from swarm import Host, Session
from swarm.connect.opening import open_as
from swarm.errors import SessionError
from swarm.events import Answered
from swarm.runtime.directory import live_sessions
from swarm.runtime.ids import check_client_id

__all__ = ["Sessions"]

_Ask = Callable[[str, JsonValue], Awaitable[str]]
_log = logging.getLogger("wikiswarm.rpc")


class _Open:
    """A session, held open by a task of its own."""

    def __init__(self, params: SessionOpenParams) -> None:
        self.params = params
        self.ready, self.closing, self.closed = anyio.Event(), anyio.Event(), anyio.Event()
        self.ask: _Ask | None = None
        self.session: Session | None = None
        self.error: Exception | None = None


class Sessions:
    """By client and swarm."""

    def __init__(self, host: Host, peer: Peer, callbacks: Callbacks, tasks: TaskGroup) -> None:
        self._host, self._peer, self._callbacks, self._tasks = host, peer, callbacks, tasks
        self._open: dict[tuple[str, str], _Open] = {}
        self._told: dict[tuple[str, str], SessionChangedParams] = {}
        self._context = contextvars.copy_context()

    async def open(self, params: SessionOpenParams) -> SessionChangedParams:
        """Open a session and say how it is.

        Raises:
            SessionError: The program has it open already, or another one has.
        """
        key = (check_client_id(params.client_id), params.swarm_name)
        known = self._open.get(key)
        is_held = known is not None and known.ready.is_set() and known.params.mode != "complete"
        if is_held and not self._state(key).is_open:
            await self.dispose(*key)  # something else has closed it
        if key in self._open:
            raise SessionError(
                f"client {key[0]!r} has a session with swarm {key[1]!r} open already"
            )
        entry = self._open[key] = _Open(params)
        # Not in the context of who asked, which may be a tool of another session's turn.
        self._context.copy().run(self._tasks.start_soon, self._hold, key, entry)
        try:
            await entry.ready.wait()
        except BaseException:
            entry.closing.set()
            raise
        if entry.error is not None:
            raise entry.error
        return self._state(key)

    async def complete(self, params: SessionCompleteParams) -> str:
        """Send a message and return the answer.

        Raises:
            SessionError: The program has no such session open.
        """
        entry = self._open.get((params.client_id, params.swarm_name))
        if entry is None or entry.ask is None:
            raise SessionError(
                f"client {params.client_id!r} has no open session with swarm"
                f" {params.swarm_name!r}; open one with session/open"
            )
        if params.progress_token is None or entry.session is None:
            return await entry.ask(params.content, params.payload)
        async for event in entry.session.stream(params.content, payload=params.payload):
            if isinstance(event, Answered):
                return event.text
            value = {"type": _event_type(event), **encode_value(event)}
            await self._peer.notify("$/progress", {"token": params.progress_token, "value": value})
        return ""

    async def dispose(self, client_id: str, swarm_name: str) -> bool:
        """Close a session; return whether there was one."""
        entry = self._open.get((client_id, swarm_name))
        if entry is None:
            return False
        entry.closing.set()
        await entry.closed.wait()
        return True

    async def dispose_all(self) -> None:
        """Close every session."""
        entries = list(self._open.values())
        for entry in entries:
            entry.closing.set()
        for entry in entries:
            await entry.closed.wait()

    async def tell(self, client_id: str) -> None:
        """Tell the program how a client's sessions are, where that has changed."""
        live = {
            session.plan.spec.swarm_name
            for session in live_sessions(client_id)
            if session.journal is self._host.journal
        }
        known = {swarm_name for client, swarm_name in self._told if client == client_id}
        for swarm_name in sorted(live | known):
            key = (client_id, swarm_name)
            state = self._state(key)
            if self._told.get(key) != state:
                if state.is_open:
                    self._told[key] = state
                else:
                    self._told.pop(key, None)
                await self._peer.notify(
                    "session/changed", state.model_dump(mode="json", by_alias=True)
                )

    def _state(self, key: tuple[str, str]) -> SessionChangedParams:
        client_id, swarm_name = key
        entry = self._open.get(key)
        for session in live_sessions(client_id):
            if session.plan.spec.swarm_name == swarm_name and session.journal is self._host.journal:
                return SessionChangedParams(
                    client_id=client_id,
                    swarm_name=swarm_name,
                    is_open=True,
                    agent_name=session.agent_name,
                    route=list(session.turn.route) if session.turn else [],
                    mode=session.mode,
                )
        return SessionChangedParams(
            client_id=client_id,
            swarm_name=swarm_name,
            is_open=False,
            agent_name="",
            route=[],
            mode=entry.params.mode if entry else "session",
        )

    async def _hold(self, key: tuple[str, str], entry: _Open) -> None:
        try:
            async with self._enter(entry) as ask:
                entry.ask = ask
                entry.ready.set()
                await entry.closing.wait()
        except Exception as error:
            if entry.ready.is_set():
                _log.exception("the session of client %r with %r did not close well", *key)
            entry.error = error
        finally:
            if self._open.get(key) is entry:
                del self._open[key]
            entry.ready.set()
            entry.closed.set()
        if not self._peer.is_lost:
            await self.tell(key[0])

    @asynccontextmanager
    async def _enter(self, entry: _Open) -> AsyncGenerator[_Ask, None]:
        params, host = entry.params, self._host
        names = (params.client_id, params.swarm_name)
        delay: dict[str, Any] = {} if params.delay is None else {"delay": params.delay}
        if params.mode == "complete":
            host.catalog.swarms.get(params.swarm_name)

            async def complete(content: str, payload: JsonValue) -> str:
                return await swarm.complete(content, *names, payload, host=host)

            yield complete
        elif params.mode == "connection":
            make: Any = swarm.make_connection
            if params.flow is not None:
                make = getattr(swarm.make_connection, params.flow)
            async with make(self._connector(params), *names, **delay, host=host) as send:
                yield send
        elif params.mode in ("scheduled", "rate"):
            opener: Any = getattr(swarm.session, params.mode)
            async with opener(*names, **delay, host=host) as opened:
                yield _plain(opened.complete)
        else:
            async with open_as(params.mode, *names, host) as session:
                entry.session = session
                yield _plain(session.complete)

    def _connector(self, params: SessionOpenParams) -> Any:
        if params.connector is None:
            raise SessionError("a connection needs a `connector`")
        return self._callbacks.function(params.connector.callback, Invocation(60.0))


def _event_type(event: object) -> str:
    """Return the `type` of an event of a stream: `textDelta`."""
    name = type(event).__name__
    return name[0].lower() + name[1:]


def _plain(ask: Callable[..., Awaitable[str]]) -> _Ask:
    async def complete(content: str, payload: JsonValue) -> str:
        return await ask(content, payload=payload)

    return complete
