"""The core of a server: greets programs, serves them, and keeps those that may come back."""

import contextvars
import functools
import logging
import secrets
from collections.abc import Callable, Set
from types import TracebackType
from typing import NamedTuple

import anyio
from anyio.abc import TaskGroup

from bindings.rpc.errors import ConnectionLostError, ResumeRefusedError
from bindings.rpc.handshake import PATIENCE, Greeting, greet, refuse, welcome
from bindings.rpc.peer import Channel, PeerLimits
from bindings.rpc.program import Program
from bindings.rpc.resume import ResumableChannel
from swarm import Host

__all__ = ["RESUME_WINDOW", "Core"]

RESUME_WINDOW = 60.0
"""Seconds that a connection which broke is kept."""
_log = logging.getLogger("wikiswarm.rpc")


class _Kept(NamedTuple):
    """A connection that may be resumed."""

    channel: ResumableChannel
    program: Program
    gone: anyio.Event


class Core:
    """Opened with `async with` inside an open host; serves any number of connections."""

    def __init__(
        self,
        host: Host,
        *,
        token: str | None = None,
        limits: PeerLimits = PeerLimits(),  # noqa: B008 - a tuple
        window: float = RESUME_WINDOW,
    ) -> None:
        """Describe it.

        Args:
            host: The open host, which all programs share.
            token: What programs have to know, where `serve` is not told that they do.
            limits: What each connection is held to.
            window: Seconds that a connection which broke is kept, where the transport allows it.
        """
        self.limits = limits
        self._host, self._token, self._window = host, token, window
        self._resumable: dict[str, _Kept] = {}
        self._group = anyio.create_task_group()
        self._tasks: TaskGroup | None = None
        self._context = contextvars.copy_context()

    async def __aenter__(self) -> "Core":
        self._tasks = await self._group.__aenter__()
        self._context = contextvars.copy_context()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        self._group.cancel_scope.cancel()
        return await self._group.__aexit__(kind, error, trace)

    async def serve(
        self,
        channel: Channel,
        *,
        is_trusted: bool = True,
        can_resume: bool = False,
        patience: float | None = PATIENCE,
        connected: Callable[[Program], None] | None = None,
    ) -> None:
        """Serve a connection until it ends.

        Args:
            channel: The connection.
            is_trusted: The program need not bring the token.
            can_resume: The program may come back over another connection.
            patience: Seconds until the program has to have said who it is; None for any time.
            connected: Is given the program after its handshake, where it cannot come back.
        """
        try:
            token = None if is_trusted else self._token
            greeting = await greet(channel, token, patience=patience)
            if greeting is None:
                return
            if greeting.params.resume is not None:
                await self._resume(channel, greeting)
            elif can_resume and greeting.params.capabilities.resume and self._window > 0:
                await self._begin(channel, greeting)
            else:
                connection_id = f"c-{secrets.token_hex(8)}"
                await welcome(channel, greeting, connection_id, self.limits)
                program = self._program(channel, greeting, connection_id)
                if connected is not None:
                    connected(program)
                await program.run()
        except ConnectionLostError as error:
            _log.info("a connection broke in its handshake: %s", error)
        finally:
            with anyio.move_on_after(1, shield=True):
                await channel.aclose()

    async def _begin(self, channel: Channel, greeting: Greeting) -> None:
        connection_id = f"c-{secrets.token_hex(8)}"
        await welcome(channel, greeting, connection_id, self.limits, window=self._window)
        resumable = ResumableChannel(channel, self._window)
        program = self._program(resumable, greeting, connection_id)
        program.on_shutdown = resumable.leave
        self._resumable[connection_id] = _Kept(resumable, program, anyio.Event())
        detached = resumable.detached
        # It may outlive this connection, and sees what the core was opened in.
        tasks = self._running
        self._context.copy().run(tasks.start_soon, self._run, program, connection_id)
        await detached.wait()

    def _program(self, channel: Channel, greeting: Greeting, connection_id: str) -> Program:
        hello = greeting.params
        made = Program(self._host, channel, hello, connection_id=connection_id, limits=self.limits)
        made.before_declaring = functools.partial(self._make_way, connection_id)
        return made

    async def _make_way(self, connection_id: str, names: Set[tuple[str, str]]) -> None:
        """End the other connections that are away and have one of these names.

        Most likely the program was killed and begins anew; it need not wait for its own window.
        """
        for known, kept in list(self._resumable.items()):
            is_other = known != connection_id and kept.channel.is_away
            if is_other and kept.program.declares(names):
                await kept.channel.aclose()
                await kept.gone.wait()

    async def _run(self, program: Program, connection_id: str) -> None:
        try:
            await program.run()
        except Exception:
            _log.exception("the connection %s ended by a defect", connection_id)
        finally:
            kept = self._resumable.pop(connection_id)
            with anyio.move_on_after(1, shield=True):
                await kept.channel.aclose()
            kept.gone.set()

    async def _resume(self, channel: Channel, greeting: Greeting) -> None:
        wanted = greeting.params.resume
        kept = None if wanted is None else self._resumable.get(wanted.connection_id)
        if wanted is None or kept is None or kept.channel.is_closed:
            gone = ResumeRefusedError("that connection is gone; begin a new one")
            await refuse(channel, greeting.request_id, gone)
            return
        resumable = kept.channel
        pause = await resumable.pause()
        await welcome(
            channel,
            greeting,
            wanted.connection_id,
            self.limits,
            window=self._window,
            received=pause.received,
        )
        await resumable.attach(channel, wanted.received, pause)
        await resumable.detached.wait()

    @property
    def _running(self) -> TaskGroup:
        if self._tasks is None:
            raise ConnectionLostError("the core is not open; use it in `async with`")
        return self._tasks
