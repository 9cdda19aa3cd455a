"""One turn: from a message to an answer, stored, or a typed error.

The loop asks the active agent's model, runs the tool calls it wants, feeds the outputs back and
ends with text. No lock is held while user code runs, so tools may call every verb.
"""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio

from swarm.completion import CompletionResult
from swarm.errors import (
    SessionError,
    StoreError,
    SwarmError,
    ToolOutputError,
    TurnError,
    TurnTimeoutError,
    suggest,
)
from swarm.events import (
    Answered,
    Event,
    Failure,
    HistoryFlushed,
    MessageAdded,
    StreamEvent,
    TurnEnded,
    TurnStarted,
    TurnStatus,
)
from swarm.messages import Message, Usage, no_usage
from swarm.runtime.asking import ask_model
from swarm.runtime.budget import Budget
from swarm.runtime.ids import new_run_id
from swarm.runtime.output import accept_text, guard_text, read_message
from swarm.runtime.plan import AgentPlan
from swarm.runtime.rescue import rescue
from swarm.runtime.round import PendingCall, run_calls
from swarm.runtime.summary import summarize
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
        self.budget = _budget(session)
        """What the turn may still spend; None where nothing limits it."""
        self._usage = no_usage()
        self._is_cancelled = False
        self._depth = 0
        self._settled: anyio.Event | None = None
        """Set once `execute` of tools has its answers."""
        self._scope: anyio.CancelScope | None = None
        self._started = time.monotonic()

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
                text = await self.generate()
                await self._settle()
            if self._is_cancelled:
                return await self._cancelled()
            if text is None:
                if self.budget is not None:
                    self.budget.check_time()
                raise TurnTimeoutError(f"no answer within {limit:g} s", **self.names)
            # Outside of the deadline: an answer that is stored was given.
            return await self._finish(text if self.answer is None else self.answer)
        except SwarmError as error:
            await self._fail(error)
            raise
        except Exception as error:
            failed = TurnError(f"{type(error).__name__}: {error}", **self.names)
            await self._fail(failed)
            raise failed from error
        except BaseException as error:
            is_cancelled = isinstance(error, anyio.get_cancelled_exc_class())
            reason = "cancelled" if is_cancelled else type(error).__name__
            # A session that closed without waiting any longer is no writer: who opens it next
            # writes this end.
            with suppress(SessionError):
                self._end("interrupted", Failure(code="turn_interrupted", message=reason))
            # The caller is gone, but the journal must not be left with half a turn.
            with anyio.move_on_after(5, shield=True):
                await self._flush_quietly()
            raise
        finally:
            current_turn.reset(token)

    async def generate(self, *, is_nested: bool = False) -> str:
        """Ask the active agent until it answers in text; returns that text."""
        session = self.session
        repairs, corrections = 0, list[Message]()
        while True:
            plan = await session.agent.for_client(session.client_id)
            if plan.spec.summarize:
                await summarize(self, plan)
            result = await ask_model(self, plan, corrections)
            corrections = []
            message = await read_message(self, plan, result.message)
            if message.tool_calls:
                self.record_answer(message, result)
                is_useful = await run_calls(self, plan, message)
                if not is_nested:
                    await self._settle()
                if self.failure is not None:
                    raise self.failure
                if self.answer is not None:
                    return self.answer
                if is_useful:
                    repairs = 0
                    continue
                reason = "no tool call of the answer could run"
            else:
                accepted = await accept_text(self, plan, message)
                if accepted.objection is None:
                    if accepted.text != message.content:
                        message = replace(message, content=accepted.text)
                    self.record_answer(message, result)
                    return accepted.text
                reason, corrections = accepted.objection, accepted.corrections
            repairs += 1
            rescued = await rescue(self, plan, repairs, reason)
            if rescued is not None:
                return rescued

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
            self.answer = await self.generate(is_nested=True)
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
        self._usage += usage
        if self.budget is not None:
            self.budget.add(usage)

    def enter_agent(self, plan: AgentPlan, *, is_counted: bool = True) -> None:
        """Note that another agent has the turn; its limits hold from now on, too."""
        if is_counted:
            self.route.append(plan.spec.agent_name)
        if self.budget is None and plan.spec.budget is not None:
            self.budget = _budget(self.session, self._usage)
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

    def record_answer(self, message: Message, result: CompletionResult) -> None:
        """Record what a model said."""
        self.add(
            MessageAdded(
                run_id=self.run_id, message=message, model=result.model, usage=result.usage
            )
        )

    @property
    def names(self) -> dict[str, Any]:
        """What errors of this turn name."""
        return {"client_id": self.session.client_id, "agent_name": self.session.agent_name}

    def _tighten(self) -> None:
        """Bring the turn's deadline forward to the first limit of time."""
        left = self.budget.seconds_left if self.budget is not None else None
        if left is not None and self._scope is not None:
            self._scope.deadline = min(self._scope.deadline, anyio.current_time() + left)

    async def _settle(self) -> None:
        """Wait for answers that tasks of tools are still getting through `execute`."""
        if self._depth and self._settled is not None:
            await self._settled.wait()
        if self.failure is not None:
            raise self.failure

    async def _finish(self, text: str) -> Answered:
        before = self.session.total
        self._end("answered", answer=text)
        try:
            await self.session.flush()
        except StoreError:
            # Nobody gets this answer, so the turn must not pass for answered later on.
            if self.session.withdraw():
                self.is_over, self.session.total = False, before
            raise
        if self.session.told is not None:
            # Nobody may wait for ever for an observer of an answer that was given.
            with anyio.move_on_after(self.session.plan.spec.turn_timeout):
                await self.session.told.answered(self.message, text)
        return Answered(text, self.session.agent_name, self.run_id, self._usage)

    async def _cancelled(self) -> Answered:
        self._end("interrupted", Failure(code="cancelled", message="the output was cancelled"))
        await self.session.flush()
        return Answered("", self.session.agent_name, self.run_id, self._usage)

    async def _fail(self, error: SwarmError) -> None:
        self._end("failed", Failure(code=error.code, message=str(error)))
        if not isinstance(error, StoreError):
            await self._flush_quietly()

    async def _flush_quietly(self) -> None:
        """Store the end of a turn that has failed already; its own error matters more."""
        try:
            await self.session.flush()
        except SwarmError:
            return

    def _end(
        self, status: TurnStatus, failure: Failure | None = None, answer: str | None = None
    ) -> None:
        if self.is_over:
            return
        self.is_over = True
        session = self.session
        session.total += self._usage
        told = self.session.told if failure is not None else None
        before = self.session.history.messages if told is not None else []
        self.session.record(
            TurnEnded(
                run_id=self.run_id,
                agent_name=self.session.agent_name,
                status=status,
                answer=answer,
                failure=failure,
                usage=self._usage,
                total=session.total,
                seconds=round(time.monotonic() - self._started, 6),
                is_placeholder=self.is_placeholder,
            )
        )
        if told is not None and failure is not None:
            left = {id(message) for message in self.session.history.messages}
            told.popped([message for message in before if id(message) not in left])
            told.failed(self.message, failure.code)


def _budget(session: "Session", spent: Usage | None = None) -> Budget | None:
    """Return the limits of the swarm and the active agent; None where there are none."""
    swarm, agent = session.plan.spec, session.agent.spec
    if swarm.budget is None and agent.budget is None:
        return None
    budget = Budget(swarm, session.total, client_id=session.client_id)
    if spent is not None:
        budget.add(spent)
    budget.enter(agent)
    return budget
