"""The tool calls of one model answer: checked, run, and every one of them answered."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

import anyio

from swarm.context import ToolContext
from swarm.errors import NavigationError, SetupError, StopTools, ToolFailed, suggest
from swarm.events import ToolFinished, ToolStarted
from swarm.messages import Message, ToolCall
from swarm.runtime.approval import ask_people, finish_approved
from swarm.runtime.ids import new_tool_id
from swarm.runtime.plan import AgentPlan
from swarm.runtime.tools import ArgumentsError, BoundTool, output_text

if TYPE_CHECKING:
    from swarm.runtime.turn import Turn

__all__ = ["PendingCall", "ToolResult", "run_calls", "run_tool", "with_unique_ids"]


@dataclass(slots=True, eq=False)
class PendingCall:
    """A tool call of a turn and whether it has its output."""

    tool_id: str
    tool_name: str
    agent_name: str
    output: str | None = None
    is_error: bool = False
    committed: anyio.Event = field(default_factory=anyio.Event)


class _Outcome(Enum):
    """How a call ended, as far as the rest of the round cares."""

    RAN = auto()
    REFUSED = auto()
    """Not a call that could run: unknown tool, arguments that do not fit, over the budget."""
    STOPPED = auto()


class ToolResult(NamedTuple):
    """What came of a call."""

    outcome: _Outcome
    output: str
    """Used where the tool committed none itself."""
    is_error: bool


def with_unique_ids(message: Message, agent_name: str, taken: dict[str, PendingCall]) -> Message:
    """Return a model's answer as this agent's, with an id of its own for each tool call."""
    seen: set[str] = set()
    calls: list[ToolCall] = []
    for call in message.tool_calls:
        if not call.id or call.id in seen or call.id in taken:
            call = call.model_copy(update={"id": new_tool_id()})
        seen.add(call.id)
        if not call.arguments.isascii():
            call = call.model_copy(update={"arguments": output_text(call.arguments)})
        calls.append(call)
    changes = {
        "agent_name": agent_name,
        "tool_calls": tuple(calls),
        "content": output_text(message.content),
        "reasoning": message.reasoning and output_text(message.reasoning),
    }
    return message.model_copy(update=changes)


async def run_calls(turn: "Turn", plan: AgentPlan, calls: Sequence[ToolCall]) -> bool:
    """Run calls and commit an output for each.

    Returns:
        Whether at least one call was one that could run: a known tool, arguments that fit, and
        within the budget.
    """
    for call in calls:
        turn.calls[call.id] = PendingCall(call.id, call.name, plan.spec.agent_name)
    if any(call.name in plan.tools and not plan.tools[call.name].read_only for call in calls):
        # After a crash the journal must know which calls may have had an effect.
        await turn.session.flush()
    if plan.spec.parallel_tool_calls and len(calls) > 1:
        results: list[bool] = []

        failures: list[Exception] = []

        async def run(call: ToolCall, is_last: bool) -> None:
            try:
                outcome = await _run_call(turn, plan, call, is_last=is_last)
                results.append(outcome is not _Outcome.REFUSED)
            except Exception as error:
                failures.append(error)
                group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            for index, call in enumerate(calls):
                group.start_soon(run, call, index == len(calls) - 1)
        if failures:
            # Not left to the group, which would wrap it: callers catch it by its class.
            raise failures[0]
        return any(results)
    is_useful, is_stopped = False, False
    for index, call in enumerate(calls):
        if is_stopped:
            turn.commit_output(call.id, "skipped: an earlier tool stopped the round", is_error=True)
            continue
        outcome = await _run_call(turn, plan, call, is_last=index == len(calls) - 1)
        is_useful = is_useful or outcome is not _Outcome.REFUSED
        is_stopped = outcome is _Outcome.STOPPED
    return is_useful


async def _run_call(turn: "Turn", plan: AgentPlan, call: ToolCall, *, is_last: bool) -> _Outcome:
    await turn.publish(ToolStarted(call.name, call.id, call.arguments))
    started = time.monotonic()
    result = await _try_call(turn, plan, call, is_last=is_last)
    pending = turn.calls[call.id]
    if pending.output is None:
        seconds = round(time.monotonic() - started, 6)
        turn.commit_output(call.id, result.output, is_error=result.is_error, seconds=seconds)
    elif result.is_error:
        # The output stands; that the tool failed afterwards must not get lost.
        turn.session.note("tool.late_error", {"tool_id": call.id, "error": result.output})
    text = pending.output or ""
    await turn.publish(ToolFinished(call.name, call.id, text, pending.is_error))
    return result.outcome


async def _try_call(turn: "Turn", plan: AgentPlan, call: ToolCall, *, is_last: bool) -> ToolResult:
    turn.call_count += 1
    tool = plan.tools.get(call.name)
    if turn.call_count > plan.spec.max_tool_calls:
        limit = plan.spec.max_tool_calls
        return _refused(f"the limit of {limit} tool calls in one turn is reached; answer now")
    if tool is None:
        known = list(plan.tools)
        hint = suggest(call.name, known) or f"tools: {', '.join(known) or 'none'}"
        return _refused(f"there is no tool named {call.name!r}; {hint}")
    try:
        arguments = tool.read_arguments(call.arguments)
    except ArgumentsError as wrong:
        return _refused(str(wrong))
    except Exception as error:
        # A validator of the program, or a schema that refers to nothing.
        return _refused(f"the arguments cannot be checked: {type(error).__name__}: {error}")
    context = ToolContext(
        tool_id=call.id,
        tool_name=call.name,
        client_id=turn.session.client_id,
        agent_name=plan.spec.agent_name,
        arguments=arguments,
        is_last=is_last,
    )
    return await _run_with_approval(turn, tool, call, context)


async def _run_with_approval(
    turn: "Turn", tool: BoundTool, call: ToolCall, context: ToolContext
) -> ToolResult:
    approval = await ask_people(turn.session, tool, call, context)
    if approval is None:
        return await run_tool(turn, tool, context)
    if approval.status == "approved":
        async with finish_approved(turn.session, approval) as finish:
            result = await run_tool(turn, tool, context)
            finish(turn.calls[call.id].output or result.output, result.is_error)
        return result
    is_refused = approval.status == "rejected"
    return ToolResult(_Outcome.RAN, approval.told_to_model, is_refused)


async def run_tool(turn: "Turn", tool: BoundTool, context: ToolContext) -> ToolResult:
    """Run a call that was checked; whatever the tool raises becomes its output.

    Raises:
        SetupError: The machine lacks something; no model can mend that.
    """
    try:
        return await _invoke(turn, tool, context)
    except StopTools as stop:
        return ToolResult(_Outcome.STOPPED, str(stop) or "done", False)
    except ToolFailed as failed:
        return ToolResult(_Outcome.RAN, f"error: {failed}", True)
    except NavigationError as wrong:
        return _refused(str(wrong))
    except SetupError:
        # No model can install an extra or set a key.
        raise
    except anyio.get_cancelled_exc_class() as error:
        import asyncio  # noqa: TID251 - only asyncio tells who was cancelled

        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Nobody cancelled the turn: something that the tool waited for was.
        return ToolResult(_Outcome.RAN, f"error: {type(error).__name__}: {error}", True)
    except (Exception, SystemExit) as error:
        # A tool is user code: whatever it raises is for the model to read, never a dead turn.
        return ToolResult(_Outcome.RAN, f"error: {type(error).__name__}: {error}", True)


async def _invoke(turn: "Turn", tool: BoundTool, context: ToolContext) -> ToolResult:
    pending = turn.calls[context.tool_id]
    if tool.navigate_to is not None:
        output = output_text(await tool.invoke(context))
        await turn.change_agent(tool.navigate_to)
        return ToolResult(_Outcome.RAN, output, False)
    with anyio.move_on_after(tool.timeout):
        value = await tool.invoke(context)
        has_moved_on = turn.answer is not None or turn.session.agent_name != context.agent_name
        if value is None and tool.may_commit and not has_moved_on:
            # It may have left the commit to a task of its own.
            await pending.committed.wait()
        return ToolResult(_Outcome.RAN, output_text(value), False)
    return ToolResult(_Outcome.RAN, f"error: no output within {tool.timeout:g} s", True)


def _refused(reason: str) -> ToolResult:
    return ToolResult(_Outcome.REFUSED, f"error: {reason}", True)
