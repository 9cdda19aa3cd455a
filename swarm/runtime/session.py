"""A session: one client's conversation with one swarm."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import Literal

import anyio
from anyio.abc import TaskGroup
from pydantic import JsonValue

from swarm.errors import (
    SessionError,
    TurnInterruptedError,
    TurnTimeoutError,
)
from swarm.events import (
    AgentConfigured,
    Answered,
    Event,
    HistoryFlushed,
    InstructionAdded,
    MessageAdded,
    Noted,
    StreamEvent,
)
from swarm.functions import LONGEST_GOODBYE
from swarm.messages import Message, Usage, no_usage
from swarm.runtime.announce import Announcer
from swarm.runtime.directory import add_live, remove_live
from swarm.runtime.guard import Verdict
from swarm.runtime.history import History
from swarm.runtime.ids import check_client_id, session_id
from swarm.runtime.journal import Journal
from swarm.runtime.navigation import restore_agent
from swarm.runtime.plan import AgentPlan, SwarmPlan
from swarm.runtime.resume import resume
from swarm.runtime.round import PendingCall
from swarm.runtime.said import user_message
from swarm.runtime.turn import Publish, Turn
from swarm.runtime.turns import current_turn, turn_of

__all__ = ["Connector", "Session", "SessionMode"]

SessionMode = Literal["session", "connection", "complete", "scope"]
"""Which verb opened a session."""

Connector = Callable[[str, str], Awaitable[None]]
"""Takes a text and the name of the agent that says it, and brings it to the client."""

_STREAM_BUFFER = 256
"""Events that a stream holds for a slow reader before the turn waits for it."""


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
        self._tasks: TaskGroup | None = None

    async def __aenter__(self) -> "Session":
        await self.open()
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
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
        tasks, self._tasks = self._tasks, None
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
        return (await self._run_turn(user_message(content, payload), None)).text

    async def run_tool_turn(self, content: str) -> Answered:
        """Let the active agent answer a message of the program; see `execute`.

        Policies for input do not apply to it. Raises what `complete` raises.
        """
        message = user_message(content, None, mode="tool")
        return await self._run_turn(message, None)

    async def stream(
        self, content: str, *, payload: JsonValue = None
    ) -> AsyncGenerator[StreamEvent, None]:
        """Send a message and yield what happens; the last event is `Answered`.

        Leaving the loop early cancels the turn. Raises what `complete` raises.
        """
        if self._tasks is None:
            raise SessionError(f"session {self.id!r} is not open; use it in `async with`")
        message = user_message(content, payload)
        send, receive = anyio.create_memory_object_stream[StreamEvent](_STREAM_BUFFER)
        scope = anyio.CancelScope()
        finished = anyio.Event()
        outcome: list[Answered | Exception] = []

        async def publish(event: StreamEvent) -> None:
            try:
                send.send_nowait(event)  # a round of the event loop for each word would cost more
            except anyio.WouldBlock:
                await send.send(event)

        async def work() -> None:
            try:
                with scope:
                    outcome.append(await self._run_turn(message, publish))
            except Exception as error:
                outcome.append(error)  # raised again where the stream is read
            finally:
                send.close()
                finished.set()

        self._tasks.start_soon(work)
        try:
            async with aclosing(receive):
                try:
                    async for event in receive:
                        yield event
                finally:
                    # Before the buffer closes, on which the turn would fail.
                    scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await finished.wait()
        if not outcome:
            raise TurnInterruptedError(
                "the session was closed", client_id=self.client_id, agent_name=self.agent_name
            )
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        # Not through the buffer: a turn that has its answer waits for no reader.
        yield outcome[0]

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

    async def add_message(self, message: Message) -> None:
        """Put a message into the history: that of the running turn, or beside the turns.

        Raises:
            SessionError: The turn of the calling code is over.
            StoreError: It could not be stored.
        """
        turn = turn_of(self)
        run_id = turn.run_id if turn else None
        is_instruction = message.role in ("system", "developer")
        kind = InstructionAdded if is_instruction else MessageAdded
        self.record(kind(run_id=run_id, message=message))
        if turn is None:
            await self.flush()
        if self.told is not None:
            await self.told.committed(message)

    async def keep_message(self, content: str, *, payload: JsonValue = None) -> bool:
        """Put what the client says into the history, as policies let it in; no agent answers it.

        Returns:
            Whether it was kept; not when a policy refuses it.

        Raises:
            CallbackError: A function of a policy failed.
            StoreError: It could not be stored.
        """
        message = user_message(content, payload)
        if self.plan.guard is not None:
            message, refusal = await self._judge(message)
            if refusal is not None:
                return False
        await self.add_message(message)
        return True

    async def hide_history(self) -> None:
        """Hide what was said before from models.

        Raises:
            SessionError: The turn of the calling code is over.
            StoreError: It could not be stored.
        """
        turn = turn_of(self)
        run_id = turn.run_id if turn else None
        self.record(HistoryFlushed(run_id=run_id, agent_name=self.agent_name))
        if turn is None:
            await self.flush()
        if self.told is not None:
            await self.told.flushed()

    async def flush(self) -> None:
        """Return once everything recorded is durable."""
        await self.journal.flush(self.id, self._ticket)

    def _goodbye(self) -> anyio.CancelScope:
        """Return the scope of observers of the end: told also where the end is a cancellation."""
        longest = min(self.plan.spec.turn_timeout, LONGEST_GOODBYE)
        return anyio.move_on_after(longest, shield=True)

    async def _run_turn(self, message: Message, publish: Publish | None) -> Answered:
        if not self._is_open:
            raise SessionError(f"session {self.id!r} is not open; use it in `async with`")
        running = current_turn.get()
        if running is not None and running.session is self and not running.is_over:
            raise SessionError("a tool cannot wait for its own turn; use `execute` instead")
        async with self._order:
            if not self._is_open:
                raise SessionError(f"session {self.id!r} was closed before this message's turn")
            if self.plan.guard is not None and message.mode == "user":
                message, refusal = await self._judge(message)
                if refusal is not None:
                    return refusal
            self.turn = Turn(self, message, publish)
            try:
                with anyio.CancelScope() as self._scope:
                    return await self.turn.run()
            finally:
                self.turn = self._scope = None
        raise TurnInterruptedError(
            "the session was closed", client_id=self.client_id, agent_name=self.agent_name
        )

    async def _judge(self, message: Message) -> tuple[Message, Answered | None]:
        """Return a message as the policies let it in, or the answer in their name."""
        guard, limit = self.plan.guard, self.plan.spec.turn_timeout
        verdict: Verdict | None = None
        with anyio.move_on_after(limit):
            if guard is not None:
                verdict = await guard.check_input(message.content, self.client_id)
        if verdict is None:
            text, names = f"the policies gave no verdict within {limit:g} s", self._names
            raise TurnTimeoutError(text, **names)
        is_valid = verdict.policy_name is None
        if self.told is not None:
            self.told.judged("input", message.content, verdict.text, is_valid=is_valid)
        if is_valid:
            return replace(message, content=verdict.text), None
        # What was refused is kept nowhere.
        self.note("policy.refused", {"policy_name": verdict.policy_name, "direction": "input"})
        await self.flush()
        return message, Answered(verdict.text, self.agent_name, "", Usage())

    @property
    def _names(self) -> dict[str, str]:
        return {"client_id": self.client_id, "agent_name": self.agent_name}
