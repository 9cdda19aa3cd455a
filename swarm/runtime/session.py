"""A session: one client's conversation with one swarm."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from types import TracebackType
from typing import Literal

import anyio
from anyio.abc import TaskGroup
from pydantic import JsonValue

from swarm.errors import (
    SessionError,
    TurnInterruptedError,
)
from swarm.events import (
    AgentConfigured,
    Answered,
    Event,
    Noted,
    StreamEvent,
)
from swarm.functions import LONGEST_GOODBYE
from swarm.messages import Message, no_usage
from swarm.runtime.announce import Announcer
from swarm.runtime.directory import add_live, remove_live
from swarm.runtime.history import History
from swarm.runtime.ids import check_client_id, session_id
from swarm.runtime.journal import Journal
from swarm.runtime.navigation import restore_agent
from swarm.runtime.plan import AgentPlan, SwarmPlan
from swarm.runtime.resume import resume
from swarm.runtime.round import PendingCall
from swarm.runtime.said import judge_message, user_message
from swarm.runtime.streaming import stream_turn
from swarm.runtime.turn import Publish, Turn
from swarm.runtime.turns import current_turn

__all__ = ["Connector", "Session", "SessionMode"]

SessionMode = Literal["session", "connection", "complete", "scope"]
"""Which verb opened a session."""

Connector = Callable[[str, str], Awaitable[None]]
"""Takes a text and the name of the agent that says it, and brings it to the client."""


class Session:
    """One conversation; opened by `swarm.session`, used as an async context manager."""

    def __init__(self, client_id: str, plan: SwarmPlan, journal: Journal) -> None:
        self.client_id = check_client_id(client_id)
        self.plan = plan
        self.id = session_id(plan.spec.swarm_name, client_id)
        self.history = History(keep=plan.window)
        self.agent_name = plan.spec.default_agent
        self.stack: tuple[str, ...] = ()
        """The agents to go back to, the newest last."""
        self.handing_over: anyio.Lock | None = None
        """Held by a hand-off whose functions are being told; see `swarm.runtime.navigation`."""
        self.turn: Turn | None = None
        self.total = no_usage()
        """What the conversation took up to the last turn."""
        self.requested: dict[str, PendingCall] = {}
        """Tool calls that were requested outside of a turn."""
        self.journal = journal
        self.mode: SessionMode = "session"
        """Which verb opened it."""
        self.connector: Connector | None = None
        """Takes what is pushed to the client outside of answers; see `notify`."""
        self._seq = 0
        self._ticket = 0
        self.configured: dict[str, AgentConfigured] = {}
        """What the journal says of each agent."""
        self.compared: set[str] = set()
        """Agents that were compared with that since the session opened."""
        self._is_open = False
        self._may_record = False
        """The lease is held, and the next number is known."""
        # Invariant: one turn at a time, in the order the messages came. Never held by tools.
        self._order = anyio.Lock(fast_acquire=True)
        self._scope: anyio.CancelScope | None = None
        """Of the running turn."""
        self.tasks: TaskGroup | None = None
        """Of what runs beside the calling code; None unless it is used in `async with`."""

    async def __aenter__(self) -> "Session":
        await self.open()
        self.tasks = anyio.create_task_group()
        await self.tasks.__aenter__()
        if self.plan.people is not None:
            try:
                await self.plan.people.attach(self)
            except BaseException:
                await self.__aexit__(None, None, None)
                raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        tasks, self.tasks = self.tasks, None
        try:
            if self.plan.people is not None:
                await self.plan.people.detach(self)
            if tasks is not None:
                tasks.cancel_scope.cancel()
                # The body's own error passes by: it is not the tasks' and needs no group.
                await tasks.__aexit__(None, None, None)
        finally:
            await self.aclose()

    async def open(self) -> None:
        """Resume the conversation from the journal, or begin it.

        Raises:
            SessionError: The client has this conversation open already, here or elsewhere.
            StoreError: The journal cannot be read or written.
        """
        add_live(self)
        try:
            await self.journal.acquire(self.id)
            await resume(self)
            await restore_agent(self)
            await self.flush()
        except BaseException:
            self._may_record = False
            self.journal.release(self.id)
            remove_live(self)
            raise
        self._is_open = True
        try:
            if self.told is not None:
                with anyio.move_on_after(self.plan.spec.turn_timeout):
                    await self.told.opened()
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """End the use of this session; a running turn is interrupted, the history stays."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            if self._scope is not None:
                self._scope.cancel()
                # The turn writes its end; nothing of it may come after the next writer's events.
                with anyio.move_on_after(10, shield=True):
                    async with self._order:
                        pass
            if self.plan.memory is not None:
                # Before the next session of the client begins to use the same.
                with self._goodbye():
                    await self.plan.memory.dispose(self.plan.spec.swarm_name, self.client_id)
        finally:
            self._may_record = False
            # Other processes may come once this is flushed, in this one a session may right away.
            self._ticket = self.journal.release(self.id)
            remove_live(self)
        try:
            await self.flush()
        finally:
            if self.told is not None:
                with self._goodbye():
                    await self.told.closed()

    async def complete(self, content: str, *, payload: JsonValue = None) -> str:
        """Send a message and return the answer, once it is stored.

        Messages of one session queue up and are answered in order.

        Raises:
            TurnError: No answer within the deadline, or a callback failed.
            ProviderError: The model failed.
            StoreError: The journal failed; the message is not accepted.
            SessionError: The session is closed, or this was called by a tool of its own turn.
        """
        return (await self.run_turn(user_message(content, payload), None)).text

    async def run_tool_turn(self, content: str) -> Answered:
        """Let the active agent answer a message of the program; see `execute`.

        Policies for input do not apply to it. Raises what `complete` raises.
        """
        message = user_message(content, None, mode="tool")
        return await self.run_turn(message, None)

    def stream(
        self, content: str, *, payload: JsonValue = None
    ) -> AsyncGenerator[StreamEvent, None]:
        """Send a message and yield what happens; the last event is `Answered`.

        Leaving the loop early cancels the turn. Raises what `complete` raises.
        """
        return stream_turn(self, content, payload)

    @property
    def told(self) -> Announcer | None:
        """Tells the observers and listeners; None when there are none."""
        plan = self.plan
        return Announcer(self) if plan.has_observers or plan.catalog.bus.is_watched else None

    @property
    def agent(self) -> AgentPlan:
        """The active agent."""
        return self.plan.agents[self.agent_name]

    def continue_after(self, seq: int) -> None:
        """Go on after the newest event that the journal has; 0 when it has none."""
        self._seq, self._may_record = seq, True

    def record(self, event: Event) -> None:
        """Append an event to the conversation; `flush` makes it durable.

        Raises:
            SessionError: The session is not open yet, or was closed: others may write to the
                conversation, and the journal would take this for a second writer.
            StoreError: The journal takes no more.
        """
        if not self._may_record:
            raise SessionError(f"session {self.id!r} is not open; nothing of it can be kept")
        self._ticket = self.journal.append(self.id, self._seq + 1, event)
        self._seq += 1
        self.history.apply(event)
        if (told := self.told) is not None:
            told.pushed(event)

    def withdraw(self) -> bool:
        """Take back the newest event, which could not be stored; the history is left alone."""
        if not self.journal.withdraw(self.id, self._seq):
            return False
        self._seq -= 1
        return True

    def note(self, topic: str, data: dict[str, JsonValue]) -> None:
        """Record something beside the conversation, for reports and training data."""
        run_id = self.turn.run_id if self.turn else None
        self.record(Noted(run_id=run_id, topic=topic, data=data))

    async def flush(self) -> None:
        """Return once everything recorded is durable."""
        await self.journal.flush(self.id, self._ticket)

    def _goodbye(self) -> anyio.CancelScope:
        """Return the scope of observers of the end: told also where the end is a cancellation."""
        longest = min(self.plan.spec.turn_timeout, LONGEST_GOODBYE)
        return anyio.move_on_after(longest, shield=True)

    async def run_turn(self, message: Message, publish: Publish | None) -> Answered:
        """Run the turn of a message when it is its turn; raises what `complete` raises."""
        if not self._is_open:
            raise SessionError(f"session {self.id!r} is not open; use it in `async with`")
        running = current_turn.get()
        if running is not None and running.session is self and not running.is_over:
            raise SessionError("a tool cannot wait for its own turn; use `execute` instead")
        async with self._order:
            if not self._is_open:
                raise SessionError(f"session {self.id!r} was closed before this message's turn")
            if self.plan.guard is not None and message.mode == "user":
                message, refusal = await judge_message(self, message)
                if refusal is not None:
                    return refusal
            self.turn = Turn(self, message, publish)
            try:
                with anyio.CancelScope() as self._scope:
                    return await self.turn.run()
            finally:
                self.turn = self._scope = None
        raise TurnInterruptedError("the session was closed", **self.names)

    @property
    def names(self) -> dict[str, str]:
        """What errors of this conversation name."""
        return {"client_id": self.client_id, "agent_name": self.agent_name}
