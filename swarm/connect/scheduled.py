"""`session.scheduled`: what comes while the model answers is answered as one."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from pydantic import JsonValue

from swarm.connect.clock import CLOCK, Clock
from swarm.connect.committing import Said, check_said, commit_said
from swarm.connect.opening import open_as, refuse_own_turn
from swarm.connect.tasks import BlockTasks
from swarm.errors import SessionError, TurnInterruptedError
from swarm.host import Host, use_host
from swarm.runtime.session import Session

__all__ = ["Ask", "Schedule", "ScheduledSession", "scheduled"]

Ask = Callable[[str, JsonValue], Awaitable[str]]
"""Takes a message and its payload, and returns the answer."""


@dataclass(slots=True, eq=False)
class _Batch:
    """Messages that are answered as one."""

    after: anyio.Event | None
    """Set when the batch before has ended."""
    said: list[Said] = field(default_factory=list[Said])
    waiting: int = 0
    """Callers that want the answer."""
    is_running: bool = False
    """It takes no more messages."""
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    """Of its turn."""
    done: anyio.Event = field(default_factory=anyio.Event)
    answer: str | None = None
    error: Exception | None = None


class Schedule:
    """Lets one message of a session run at a time, and collapses those that come meanwhile."""

    def __init__(
        self, session: Session, ask: Ask, tasks: BlockTasks, delay: float, clock: Clock
    ) -> None:
        self._session = session
        self._ask = ask
        self._tasks = tasks
        self._delay = delay
        self._clock = clock
        self._latest: _Batch | None = None

    async def ask(self, content: str, payload: JsonValue = None) -> str:
        """Return the answer to this message, or to the newest one that came while it waited."""
        if self._tasks.is_left:
            raise SessionError(f"session {self._session.id!r} is not open; use it in `async with`")
        said = check_said(content, payload)
        refuse_own_turn(self._session, "call `complete` of a scheduled session")
        batch = self._join()
        batch.said.append(said)
        batch.waiting += 1
        try:
            await batch.done.wait()
        finally:
            batch.waiting -= 1
            if not batch.is_running:
                # Cancelled before its turn, a message was never said. By identity: two may be
                # alike.
                batch.said[:] = [other for other in batch.said if other is not said]
            elif not batch.waiting:
                batch.scope.cancel()
        if batch.error is not None:
            raise batch.error
        if batch.answer is None:
            raise TurnInterruptedError(
                "the session was closed",
                client_id=self._session.client_id,
                agent_name=self._session.agent_name,
            )
        return batch.answer

    def _join(self) -> _Batch:
        """Return the batch that takes messages now."""
        latest = self._latest
        if latest is not None and not latest.is_running:
            return latest
        is_idle = latest is None or latest.done.is_set()
        batch = self._latest = _Batch(None if latest is None or is_idle else latest.done)
        batch.is_running = is_idle
        # A task for each, so that it runs in the context of who began it.
        self._tasks.group.start_soon(self._run, batch)
        return batch

    async def _run(self, batch: _Batch) -> None:
        try:
            if batch.after is not None:
                await batch.after.wait()
                await self._clock.sleep(self._delay)
            batch.is_running = True
            if batch.said:
                with batch.scope:
                    await self._answer(batch)
        finally:
            batch.is_running = True
            batch.done.set()

    async def _answer(self, batch: _Batch) -> None:
        *earlier, newest = batch.said
        try:
            for said in earlier:
                await commit_said(self._session, said)
            batch.answer = await self._ask(newest.content, newest.payload)
        except Exception as error:
            batch.error = error  # raised again by those who wait


class ScheduledSession:
    """A session whose messages collapse while one is being answered."""

    def __init__(self, session: Session, schedule: Schedule) -> None:
        self.session = session
        self._schedule = schedule

    async def complete(self, content: str, *, payload: JsonValue = None) -> str:
        """Send a message and return the answer to the newest one.

        The first message is answered at once. Those that come meanwhile wait together: all but
        the newest are only kept in the history, and all get the answer to the newest.

        Raises:
            TurnError: No answer within the deadline, a callback failed, or the session closed.
            ProviderError: The model failed.
            StoreError: The journal failed.
            SessionError: The session is closed, or this was called by a tool of its own turn.
        """
        return await self._schedule.ask(content, payload)


@asynccontextmanager
async def scheduled(
    client_id: str,
    swarm_name: str,
    delay: float = 1.0,
    *,
    host: Host | None = None,
    clock: Clock = CLOCK,
) -> AsyncGenerator[ScheduledSession, None]:
    """Open a session like `session` does; see `ScheduledSession.complete`.

    Args:
        client_id: Who speaks.
        swarm_name: The swarm.
        delay: Seconds that messages which had to wait are given for further ones to come.
        host: The host; the one that is open when absent.
        clock: What measures the delay.
    """
    async with (
        use_host(host) as used,
        open_as("session", client_id, swarm_name, used) as opened,
        BlockTasks() as tasks,
    ):

        async def ask(content: str, payload: JsonValue) -> str:
            return await opened.complete(content, payload=payload)

        yield ScheduledSession(opened, Schedule(opened, ask, tasks, delay, clock))
