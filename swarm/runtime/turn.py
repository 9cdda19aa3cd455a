"""One turn: from a message to an answer, stored, or a typed error.

What the model is asked is in `answering`, how it ends in `ending`; here is what a turn is made
of, and what its tools may do to it. No lock is held while user code runs, so tools may call
every verb.
"""

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import anyio

from swarm.errors import (
    SessionError,
    SwarmError,
    ToolOutputError,
    TurnError,
    TurnTimeoutError,
    suggest,
)
from swarm.events import (
    Answered,
    Event,
    HistoryFlushed,
    MessageAdded,
    StreamEvent,
    TurnStarted,
)
from swarm.messages import Message, Usage, no_usage
from swarm.runtime.answering import generate
from swarm.runtime.budget import open_budget
from swarm.runtime.ending import end_answered, end_cancelled, end_failed, end_interrupted
from swarm.runtime.ids import new_run_id
from swarm.runtime.output import guard_text
from swarm.runtime.plan import AgentPlan
from swarm.runtime.round import PendingCall
from swarm.runtime.tools import cut_text, output_text
from swarm.runtime.tracing import TurnStart
from swarm.runtime.turns import current_turn

if TYPE_CHECKING:
    from swarm.runtime.session import Session

__all__ = ["Publish", "Turn"]

Publish = Callable[[StreamEvent], Awaitable[None]]
"""Shows an event to whoever streams the turn; waits when the reader is slow."""

_MAX_NESTED = 20
"""How deep `execute` may be called inside tools that `execute` made run."""


class Turn:
    """The state of one turn."""

    def __init__(self, session: "Session", message: Message, publish: Publish | None) -> None:
        self.session = session
        self.message = message
        self.publish_event = publish
        self.run_id = new_run_id()
        self.calls: dict[str, PendingCall] = {}
        self.call_count = 0
        self.route = [session.agent_name]
        """The agents that had this turn, in order."""
        self.answer: str | None = None
        """What `execute` or `emit` answered; the newest one counts."""
        self.failure: SwarmError | None = None
        """A model failure inside `execute`; it fails the turn even where a tool swallowed it."""
        self.is_over = False
        self.is_stopped = False
        """Tool calls of this round that have not started are skipped."""
        self.is_placeholder = False
        self.budget = open_budget(session)
        """What the turn may still spend; None where nothing limits it."""
        self.usage = no_usage()
        """What the turn took up to now."""
        self.started = time.monotonic()
        self._is_cancelled = False
        self._depth = 0
        self._settled: anyio.Event | None = None
        """Set once `execute` of tools has its answers."""
        self._scope: anyio.CancelScope | None = None

    async def run(self) -> Answered:
        """Run the turn to its end.

        Raises:
            TurnError: No answer: the deadline passed, or a callback failed.
            ProviderError: The model failed.
            StoreError: The journal failed.
        """
        tracer = self.session.plan.tracer
        if tracer is None:
            return await self._run()
        agent = self.session.agent
        start = TurnStart(
            session_id=self.session.id,
            swarm_name=self.session.plan.spec.swarm_name,
            agent_name=agent.spec.agent_name,
            model=agent.completion.model,
            run_id=self.run_id,
            content=self.message.content,
        )
        with tracer.turn(start) as done:
            answered = await self._run()
            done(answered)
            return answered

    async def _run(self) -> Answered:
        session = self.session
        session.record(
            TurnStarted(run_id=self.run_id, agent_name=session.agent_name, message=self.message)
        )
        token = current_turn.set(self)
        limit = session.plan.spec.turn_timeout
        text: str | None = None
        try:
            with anyio.move_on_after(limit) as self._scope:
                self._tighten()
                if session.told is not None:
                    await session.told.executing(self.message.content, self.message.mode)
                text = await generate(self)
                await self.settle()
            if self._is_cancelled:
                return await end_cancelled(self)
            if text is None:
                if self.budget is not None:
                    self.budget.check_time()
                raise TurnTimeoutError(f"no answer within {limit:g} s", **self.names)
            # Outside of the deadline: an answer that is stored was given.
            return await end_answered(self, text if self.answer is None else self.answer)
        except SwarmError as error:
            await end_failed(self, error)
            raise
        except Exception as error:
            failed = TurnError(f"{type(error).__name__}: {error}", **self.names)
            await end_failed(self, failed)
            raise failed from error
        except BaseException as error:
            await end_interrupted(self, error)
            raise
        finally:
            current_turn.reset(token)

    async def execute(self, content: str) -> str:
        """Answer a message that a tool writes; the answer becomes the turn's."""
        if self._depth >= _MAX_NESTED:
            raise TurnError(f"execute is nested more than {_MAX_NESTED} deep", **self.names)
        message = Message(
            role="user",
            content=output_text(content),
            mode="tool",
            agent_name=self.session.agent_name,
        )
        self.add(MessageAdded(run_id=self.run_id, message=message))
        if self._depth == 0:
            self._settled = anyio.Event()
        self._depth += 1
        try:
            if (told := self.session.told) is not None:
                await told.executing(message.content, "tool")
                told.nested("begin", message.content)
            self.answer = await generate(self, is_nested=True)
            if told is not None:
                told.nested("end", message.content)
        except SwarmError as error:
            self.failure = error
            raise
        finally:
            self._depth -= 1
            if self._depth == 0 and self._settled is not None:
                self._settled.set()
        return self.answer

    async def emit(self, content: str) -> None:
        """Make a text the turn's answer, and keep it in the history as one."""
        text = await guard_text(self.session, output_text(content))
        message = Message(role="assistant", content=text, agent_name=self.session.agent_name)
        self.add(MessageAdded(run_id=self.run_id, message=message))
        self.answer = text

    def spend(self, usage: Usage) -> None:
        """Count what a model call took, or something else in the turn."""
        self.usage += usage
        if self.budget is not None:
            self.budget.add(usage)

    def enter_agent(self, plan: AgentPlan, *, is_counted: bool = True) -> None:
        """Note that another agent has the turn; its limits hold from now on, too."""
        if is_counted:
            self.route.append(plan.spec.agent_name)
        if self.budget is None and plan.spec.budget is not None:
            self.budget = open_budget(self.session, self.usage)
        elif self.budget is not None:
            self.budget.enter(plan.spec)
        self._tighten()

    def cancel(self) -> None:
        """End the turn without an answer; what comes later is dropped."""
        self._is_cancelled = True
        if self._scope is not None:
            self._scope.cancel()

    def hide_history(self) -> None:
        """Hide what was said before from models."""
        self.add(HistoryFlushed(run_id=self.run_id, agent_name=self.session.agent_name))

    def commit_output(
        self, tool_id: str, content: str, *, is_error: bool = False, seconds: float | None = None
    ) -> None:
        """Give a tool call its output.

        Raises:
            ToolOutputError: No such call in this turn, or it has its output.
        """
        call = self.calls.get(tool_id)
        if call is None:
            hint = suggest(tool_id, list(self.calls))
            text = f"no tool call {tool_id!r} in this turn" + (f"; {hint}" if hint else "")
            raise ToolOutputError(text, **self.names)
        if call.output is not None:
            raise ToolOutputError(f"tool call {tool_id!r} has its output already", **self.names)
        text = cut_text(output_text(content))
        message = Message(
            role="tool", content=text, tool_call_id=tool_id, agent_name=call.agent_name
        )
        self.add(
            MessageAdded(run_id=self.run_id, message=message, seconds=seconds, is_error=is_error)
        )
        call.output, call.is_error = text, is_error
        if call.committed is not None:
            call.committed.set()

    async def publish(self, event: StreamEvent) -> None:
        """Show an event to whoever streams this turn."""
        if self.publish_event is not None:
            await self.publish_event(event)

    def add(self, event: Event) -> None:
        """Record an event of this turn.

        Raises:
            SessionError: The turn is over; a task of a tool outlived it.
        """
        if self.is_over:
            raise SessionError(f"the turn {self.run_id} is over")
        self.session.record(event)

    @property
    def names(self) -> dict[str, Any]:
        """What errors of this turn name."""
        return {"client_id": self.session.client_id, "agent_name": self.session.agent_name}

    def _tighten(self) -> None:
        """Bring the turn's deadline forward to the first limit of time."""
        left = self.budget.seconds_left if self.budget is not None else None
        if left is not None and self._scope is not None:
            self._scope.deadline = min(self._scope.deadline, anyio.current_time() + left)

    async def settle(self) -> None:
        """Wait for answers that tasks of tools are still getting through `execute`."""
        if self._depth and self._settled is not None:
            await self._settled.wait()
        if self.failure is not None:
            raise self.failure
