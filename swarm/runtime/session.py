"""A session: one client's conversation with one swarm."""

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal

import anyio
from anyio.abc import TaskGroup
from pydantic import JsonValue
from pydantic_core import to_json

from swarm.errors import DeclarationError, SessionError, TurnInterruptedError
from swarm.events import (
    AgentChanged,
    AgentConfigured,
    Answered,
    Event,
    Failure,
    MessageAdded,
    Noted,
    SessionOpened,
    StreamEvent,
    TurnEnded,
    TurnStarted,
)
from swarm.messages import Message
from swarm.runtime.directory import add_live, remove_live
from swarm.runtime.history import History
from swarm.runtime.ids import check_client_id, session_id
from swarm.runtime.journal import Journal, StoredEvent
from swarm.runtime.plan import AgentPlan, SwarmPlan
from swarm.runtime.tools import output_text
from swarm.runtime.turn import Publish, Turn, current_turn

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
        self.turn: Turn | None = None
        self.journal = journal
        self.mode: SessionMode = "session"
        """Which verb opened it."""
        self.connector: Connector | None = None
        """Takes what is pushed to the client outside of answers; see `notify`."""
        self._seq = 0
        self._ticket = 0
        self._configured: dict[str, AgentConfigured] = {}
        self._compared: set[str] = set()
        """Agents that were compared with what the journal says they were."""
        self._is_open = False
        # Invariant: one turn at a time, in the order the messages came. Never held by tools.
        self._order = anyio.Lock(fast_acquire=True)
        self._scope: anyio.CancelScope | None = None
        """Of the running turn."""
        self._tasks: TaskGroup | None = None

    async def __aenter__(self) -> "Session":
        await self.open()
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        tasks, self._tasks = self._tasks, None
        try:
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
            stored = await self.journal.read(self.id, last=4 * self.plan.window)
            unfinished = self._replay(stored)
            if not stored:
                from importlib.metadata import version  # 15 ms that no import should cost

                self.record(
                    SessionOpened(
                        swarm_name=self.plan.spec.swarm_name,
                        client_id=self.client_id,
                        agent_name=self.agent_name,
                        version=version("wikiswarm"),
                    )
                )
            elif unfinished is not None:
                self._close_interrupted(unfinished)
            await self.flush()
        except BaseException:
            self.journal.release(self.id)
            remove_live(self)
            raise
        self._is_open = True

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
        finally:
            # Other processes may come once this is flushed, in this one a session may right away.
            self._ticket = self.journal.release(self.id)
            remove_live(self)
        await self.flush()

    async def complete(self, content: str, *, payload: JsonValue = None) -> str:
        """Send a message and return the answer, once it is stored.

        Messages of one session queue up and are answered in order.

        Raises:
            TurnError: No answer within the deadline, or a callback failed.
            ProviderError: The model failed.
            StoreError: The journal failed; the message is not accepted.
            SessionError: The session is closed, or this was called by a tool of its own turn.
        """
        return (await self._run_turn(content, payload, None)).text

    async def stream(
        self, content: str, *, payload: JsonValue = None
    ) -> AsyncGenerator[StreamEvent, None]:
        """Send a message and yield what happens; the last event is `Answered`.

        Leaving the loop early cancels the turn. Raises what `complete` raises.
        """
        if self._tasks is None:
            raise SessionError(f"session {self.id!r} is not open; use it in `async with`")
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
                    outcome.append(await self._run_turn(content, payload, publish))
            except Exception as error:
                outcome.append(error)  # raised again where the stream is read
            finally:
                send.close()
                finished.set()

        self._tasks.start_soon(work)
        try:
            async with aclosing(receive):
                async for event in receive:
                    yield event
        finally:
            scope.cancel()
            with anyio.CancelScope(shield=True):
                await finished.wait()
        if not outcome:
            raise TurnInterruptedError(
                "the session was closed", client_id=self.client_id, agent_name=self.agent_name
            )
        if isinstance(outcome[0], Exception):
            raise outcome[0]

    @property
    def agent(self) -> AgentPlan:
        """The active agent."""
        return self.plan.agents[self.agent_name]

    def record(self, event: Event) -> None:
        """Append an event to the conversation; `flush` makes it durable."""
        self._ticket = self.journal.append(self.id, self._seq + 1, event)
        self._seq += 1
        self.history.apply(event)

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

    def change_agent(self, change: AgentChanged) -> None:
        """Make another agent the active one."""
        self.record(change)
        self.agent_name = change.to_agent

    async def flush(self) -> None:
        """Return once everything recorded is durable."""
        await self.journal.flush(self.id, self._ticket)

    async def system_lines(self, plan: AgentPlan) -> tuple[str, ...]:
        """Return an agent's prompt and system lines, and note them when they changed."""
        spec = plan.spec
        if plan.system is not None and spec.agent_name in self._compared:
            return plan.system
        prompt = spec.prompt if isinstance(spec.prompt, str) else await _call(spec.prompt, self)
        static = tuple(line for line in (prompt, *spec.system_lines) if line)
        known = self._configured.get(spec.agent_name)
        is_new = spec.agent_name not in self._compared
        if known is None or is_new or tuple(known.system) != static:
            self._compared.add(spec.agent_name)
            configured = plan.configured(static)
            self._configured[spec.agent_name] = configured
            # As JSON: the journal gives lists for tuples.
            if known is None or configured.model_dump_json() != known.model_dump_json():
                self.record(configured)
        if spec.system_dynamic is None:
            return static
        dynamic = await _call(spec.system_dynamic, self)
        return (*static, *((dynamic,) if isinstance(dynamic, str) else dynamic))

    async def _run_turn(
        self, content: str, payload: JsonValue, publish: Publish | None
    ) -> Answered:
        if not self._is_open:
            raise SessionError(f"session {self.id!r} is not open; use it in `async with`")
        running = current_turn.get()
        if running is not None and running.session is self and not running.is_over:
            raise SessionError("a tool cannot wait for its own turn; use `execute` instead")
        message = _user_message(content, payload)
        async with self._order:
            if not self._is_open:
                raise SessionError(f"session {self.id!r} was closed before this message's turn")
            self.turn = Turn(self, message, publish)
            try:
                with anyio.CancelScope() as self._scope:
                    return await self.turn.run()
            finally:
                self.turn = self._scope = None
        raise TurnInterruptedError(
            "the session was closed", client_id=self.client_id, agent_name=self.agent_name
        )

    def _replay(self, stored: list[StoredEvent]) -> str | None:
        """Take in what the journal has; returns the run id of a turn that has no end."""
        unfinished: str | None = None
        for row in stored:
            event = row.event
            self.history.apply(event)
            if isinstance(event, AgentChanged):
                self.agent_name = event.to_agent
            elif isinstance(event, SessionOpened | TurnStarted | TurnEnded):
                self.agent_name = event.agent_name
            elif isinstance(event, AgentConfigured):
                self._configured[event.agent_name] = event
            if isinstance(event, TurnEnded):
                unfinished = None
            elif isinstance(event, TurnStarted | MessageAdded) and event.run_id is not None:
                unfinished = event.run_id
        self._seq = stored[-1].seq if stored else 0
        if self.agent_name not in self.plan.agents:
            self.agent_name = self.plan.spec.default_agent
        return unfinished

    def _close_interrupted(self, run_id: str) -> None:
        error = TurnInterruptedError(
            "the process ended in the middle of the turn",
            client_id=self.client_id,
            agent_name=self.agent_name,
        )
        failure = Failure(code=error.code, message="the process ended in the middle of the turn")
        self.record(
            TurnEnded(
                run_id=run_id, agent_name=self.agent_name, status="interrupted", failure=failure
            )
        )


def _user_message(content: str, payload: JsonValue) -> Message:
    try:
        message = Message(role="user", content=content, payload=payload)
        if not content.isascii():
            message = replace(message, content=output_text(content))
        if payload is not None:
            to_json(payload)
    except ValueError as wrong:  # pydantic's errors are all of this class
        reason = " ".join(str(wrong).split("\n")[1:3]) or str(wrong)
        raise DeclarationError(f"a message is text, and its payload JSON: {reason}") from None
    return message


async def _call(function: Any, session: Session) -> Any:
    value = function(session.client_id, session.agent_name)
    return await value if inspect.isawaitable(value) else value
