"""One turn: from a user's message to an answer, stored, or a typed error.

The loop asks the active agent's model, runs the tool calls it wants, feeds the outputs back and
ends with text. No lock is held while user code runs, so tools may call every verb.
"""

import functools
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import anyio

from swarm.completion import CompletionRequest, CompletionResult
from swarm.errors import (
    NavigationError,
    ProviderOutputError,
    SessionError,
    StoreError,
    SwarmError,
    ToolOutputError,
    TurnError,
    TurnTimeoutError,
    suggest,
)
from swarm.events import (
    AgentChanged,
    Answered,
    Event,
    Failure,
    HandedOff,
    MessageAdded,
    StreamEvent,
    TextDelta,
    TurnEnded,
    TurnStarted,
    TurnStatus,
)
from swarm.messages import Message, Usage
from swarm.runtime.ids import new_run_id
from swarm.runtime.plan import AgentPlan
from swarm.runtime.round import PendingCall, run_calls, with_unique_ids
from swarm.runtime.tools import cut_text, output_text

if TYPE_CHECKING:
    from swarm.runtime.session import Session

__all__ = ["Publish", "Turn", "current_turn"]

Publish = Callable[[StreamEvent], Awaitable[None]]
"""Shows an event to whoever streams the turn; waits when the reader is slow."""

_MAX_NESTED = 20
"""How deep `execute` may be called inside tools that `execute` made run."""

current_turn: ContextVar["Turn | None"] = ContextVar("wikiswarm_turn", default=None)
"""The turn whose code is running."""


class Turn:
    """The state of one turn."""

    def __init__(self, session: "Session", message: Message, publish: Publish | None) -> None:
        self.session = session
        self.message = message
        self.publish_event = publish
        self.run_id = new_run_id()
        self.calls: dict[str, PendingCall] = {}
        self.call_count = 0
        self.answer: str | None = None
        """What `execute` or `emit` answered; the newest one counts."""
        self.failure: SwarmError | None = None
        """A model failure inside `execute`; it fails the turn even where a tool swallowed it."""
        self.is_over = False
        self._handoffs = 0
        self._depth = 0
        self._settled: anyio.Event | None = None
        """Set once `execute` of tools has its answers."""
        self._usage = _no_usage()
        self._is_placeholder = False
        self._started = time.monotonic()

    async def run(self) -> Answered:
        """Run the turn to its end.

        Raises:
            TurnError: No answer: the deadline passed, or a callback failed.
            ProviderError: The model failed.
            StoreError: The journal failed.
        """
        session = self.session
        session.record(
            TurnStarted(run_id=self.run_id, agent_name=session.agent_name, message=self.message)
        )
        token = current_turn.set(self)
        limit = session.plan.spec.turn_timeout
        text: str | None = None
        try:
            with anyio.move_on_after(limit):
                text = await self.generate()
                await self._settle()
            if text is None:
                raise TurnTimeoutError(f"no answer within {limit:g} s", **self._names)
            # Outside of the deadline: an answer that is stored was given.
            return await self._finish(text if self.answer is None else self.answer)
        except SwarmError as error:
            await self._fail(error)
            raise
        except Exception as error:
            failed = TurnError(f"{type(error).__name__}: {error}", **self._names)
            await self._fail(failed)
            raise failed from error
        except BaseException as error:
            is_cancelled = isinstance(error, anyio.get_cancelled_exc_class())
            reason = "cancelled" if is_cancelled else type(error).__name__
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
            result = await self._ask(plan, corrections)
            corrections.clear()
            message = with_unique_ids(result.message, plan.spec.agent_name, self.calls)
            if not message.tool_calls and message.content.strip():
                self._record(message, result)
                return message.content
            if message.tool_calls:
                self._record(message, result)
                is_useful = await run_calls(self, plan, message.tool_calls)
                if not is_nested:
                    await self._settle()
                if self.failure is not None:
                    raise self.failure
                if self.answer is not None:
                    return self.answer
                if is_useful:
                    repairs = 0
                    continue
            else:
                reason = "Your last answer was empty. Answer the user, or call a tool."
                corrections.append(Message(role="user", content=reason, mode="tool"))
            repairs += 1
            if repairs > plan.spec.max_repairs:
                self._is_placeholder = True
                text = plan.spec.placeholder
                placeholder = Message(
                    role="assistant", content=text, agent_name=plan.spec.agent_name
                )
                self._add(MessageAdded(run_id=self.run_id, message=placeholder, is_error=True))
                return text

    async def execute(self, content: str) -> str:
        """Answer a message that a tool writes; the answer becomes the turn's."""
        if self._depth >= _MAX_NESTED:
            raise TurnError(f"execute is nested more than {_MAX_NESTED} deep", **self._names)
        message = Message(
            role="user",
            content=output_text(content),
            mode="tool",
            agent_name=self.session.agent_name,
        )
        self._add(MessageAdded(run_id=self.run_id, message=message))
        if self._depth == 0:
            self._settled = anyio.Event()
        self._depth += 1
        try:
            self.answer = await self.generate(is_nested=True)
        except SwarmError as error:
            self.failure = error
            raise
        finally:
            self._depth -= 1
            if self._depth == 0 and self._settled is not None:
                self._settled.set()
        return self.answer

    def emit(self, content: str) -> None:
        """Make a text the turn's answer, and keep it in the history as one."""
        text = output_text(content)
        message = Message(role="assistant", content=text, agent_name=self.session.agent_name)
        self._add(MessageAdded(run_id=self.run_id, message=message))
        self.answer = text

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
            raise ToolOutputError(text, **self._names)
        if call.output is not None:
            raise ToolOutputError(f"tool call {tool_id!r} has its output already", **self._names)
        text = cut_text(output_text(content))
        message = Message(
            role="tool", content=text, tool_call_id=tool_id, agent_name=call.agent_name
        )
        self._add(
            MessageAdded(run_id=self.run_id, message=message, seconds=seconds, is_error=is_error)
        )
        call.output, call.is_error = text, is_error
        if call.committed is not None:
            call.committed.set()

    async def change_agent(self, agent_name: str) -> None:
        """Hand the conversation to another agent of the swarm.

        Raises:
            NavigationError: It is not in the swarm, is active already, or there were too many.
        """
        session = self.session
        if agent_name not in session.plan.agents:
            hint = suggest(agent_name, list(session.plan.agents))
            text = f"agent {agent_name!r} is not in swarm {session.plan.spec.swarm_name!r}"
            raise NavigationError(text + (f"; {hint}" if hint else ""), **self._names)
        if agent_name == session.agent_name:
            raise NavigationError(f"agent {agent_name!r} is active already", **self._names)
        limit = session.plan.spec.max_handoffs
        if self._handoffs >= limit:
            raise NavigationError(f"more than {limit} hand-offs in one turn", **self._names)
        self._handoffs += 1
        previous = session.agent_name
        session.change_agent(
            AgentChanged(run_id=self.run_id, from_agent=previous, to_agent=agent_name)
        )
        await self.publish(HandedOff(previous, agent_name))

    async def publish(self, event: StreamEvent) -> None:
        """Show an event to whoever streams this turn."""
        if self.publish_event is not None:
            await self.publish_event(event)

    async def _settle(self) -> None:
        """Wait for answers that tasks of tools are still getting through `execute`."""
        if self._depth and self._settled is not None:
            await self._settled.wait()
        if self.failure is not None:
            raise self.failure

    def _add(self, event: Event) -> None:
        """Record an event of this turn.

        Raises:
            SessionError: The turn is over; a task of a tool outlived it.
        """
        if self.is_over:
            raise SessionError(f"the turn {self.run_id} is over")
        self.session.record(event)

    @property
    def _names(self) -> dict[str, Any]:
        return {"client_id": self.session.client_id, "agent_name": self.session.agent_name}

    async def _ask(self, plan: AgentPlan, corrections: list[Message]) -> CompletionResult:
        session = self.session
        system = await session.system_lines(plan)
        lines = [Message(role="system", content="\n".join(system))] if system else []
        view = session.history.view(plan.spec.agent_name, keep=plan.spec.keep_messages)
        request = CompletionRequest(
            messages=[*lines, *view, *corrections],
            tools=plan.definitions,
            client_id=session.client_id,
            agent_name=plan.spec.agent_name,
        )
        if self.publish_event is None:
            result = await plan.completion.complete(request)
        else:
            result = await self._stream(plan, request)
        self._usage += result.usage
        return result

    async def _stream(self, plan: AgentPlan, request: CompletionRequest) -> CompletionResult:
        is_durable = False
        async with aclosing(plan.completion.stream(request)) as items:
            async for item in items:
                if isinstance(item, CompletionResult):
                    return item
                if not is_durable:
                    # Whoever sees the first word may rely on the question being kept.
                    await self.session.flush()
                    is_durable = True
                await self.publish(TextDelta(item))
        raise ProviderOutputError(
            "the stream ended without an answer", provider=plan.completion.model
        )

    def _record(self, message: Message, result: CompletionResult) -> None:
        self._add(
            MessageAdded(
                run_id=self.run_id, message=message, model=result.model, usage=result.usage
            )
        )

    async def _finish(self, text: str) -> Answered:
        self._end("answered", answer=text)
        try:
            await self.session.flush()
        except StoreError:
            # Nobody gets this answer, so the turn must not pass for answered later on.
            self.is_over = not self.session.withdraw()
            raise
        answered = Answered(text, self.session.agent_name, self.run_id, self._usage)
        await self.publish(answered)
        return answered

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
        self.session.record(
            TurnEnded(
                run_id=self.run_id,
                agent_name=self.session.agent_name,
                status=status,
                answer=answer,
                failure=failure,
                usage=self._usage,
                seconds=round(time.monotonic() - self._started, 6),
                is_placeholder=self._is_placeholder,
            )
        )


@functools.cache
def _no_usage() -> Usage:
    """Return one for all turns; made at the first, since pydantic is slow to make its first."""
    return Usage()
