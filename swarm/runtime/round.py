"""The tool calls of one model answer: checked, run, and every one of them answered."""

import time
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

import anyio

from swarm.callbacks import ToolCallbacks
from swarm.context import ToolContext
from swarm.errors import NavigationError, SetupError, StopTools, ToolFailed, suggest
from swarm.events import ToolFinished, ToolStarted
from swarm.fields import Callback
from swarm.messages import Message, ToolCall
from swarm.runtime.calling import call as call_function
from swarm.runtime.calling import function_name, observe
from swarm.runtime.ids import new_tool_id
from swarm.runtime.navigation import change_agent
from swarm.runtime.plan import AgentPlan
from swarm.runtime.tools import ArgumentsError, BoundTool, output_text

if TYPE_CHECKING:
    from swarm.runtime.turn import Turn

__all__ = ["PendingCall", "run_calls", "with_unique_ids"]


@dataclass(slots=True, eq=False)
class PendingCall:
    """A tool call of a turn and whether it has its output."""

    tool_id: str
    tool_name: str
    agent_name: str
    output: str | None = None
    is_error: bool = False
    committed: anyio.Event | None = None
    """Set once it has; made by who waits for it."""


class _Outcome(Enum):
    """How a call ended, as far as the rest of the round cares."""

    RAN = auto()
    REFUSED = auto()
    """Not a call that could run: unknown tool, arguments that do not fit, over the budget."""
    STOPPED = auto()


class _Result(NamedTuple):
    outcome: _Outcome
    output: str
    """Used where the tool committed none itself."""
    is_error: bool
    error: BaseException | None = None
    """What the tool raised."""


def with_unique_ids(message: Message, agent_name: str, taken: dict[str, PendingCall]) -> Message:
    """Return a model's answer as this agent's, with an id of its own for each tool call."""
    seen: set[str] = set()
    calls: list[ToolCall] = []
    for call in message.tool_calls:
        if not call.id or call.id in seen or call.id in taken:
            call = replace(call, id=new_tool_id())
        seen.add(call.id)
        if not call.arguments.isascii():
            call = replace(call, arguments=output_text(call.arguments))
        calls.append(call)
    # Written out, since `replace` takes twice as long.
    return Message(
        role=message.role,
        content=output_text(message.content),
        agent_name=agent_name,
        mode=message.mode,
        tool_calls=tuple(calls),
        tool_call_id=message.tool_call_id,
        reasoning=message.reasoning and output_text(message.reasoning),
        payload=message.payload,
    )


async def run_calls(turn: "Turn", plan: AgentPlan, message: Message) -> bool:
    """Run the calls of a model's answer and commit an output for each.

    Returns:
        Whether at least one call was one that could run: a known tool, arguments that fit, and
        within the budget.
    """
    calls = message.tool_calls
    for call in calls:
        turn.calls[call.id] = PendingCall(call.id, call.name, plan.spec.agent_name)
    turn.is_stopped = False
    told = turn.session.told
    if told is not None:
        await told.tools_requested(calls)
    is_useful = await _run_all(turn, plan, message)
    if told is not None:
        await told.tools_ended(plan.spec.agent_name, calls)
    return is_useful


async def _run_all(turn: "Turn", plan: AgentPlan, message: Message) -> bool:
    calls = message.tool_calls
    if any(call.name in plan.tools and not plan.tools[call.name].read_only for call in calls):
        # After a crash the journal must know which calls may have had an effect.
        await turn.session.flush()
    if plan.spec.parallel_tool_calls and len(calls) > 1:
        results: list[bool] = []

        failures: list[Exception] = []

        async def run(call: ToolCall, is_last: bool) -> None:
            try:
                outcome = await _run_call(turn, plan, call, message, is_last=is_last)
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
    is_useful = False
    for index, call in enumerate(calls):
        if turn.is_stopped:
            turn.commit_output(call.id, "skipped: an earlier tool stopped the round", is_error=True)
            continue
        outcome = await _run_call(turn, plan, call, message, is_last=index == len(calls) - 1)
        is_useful = is_useful or outcome is not _Outcome.REFUSED
        turn.is_stopped = turn.is_stopped or outcome is _Outcome.STOPPED
    return is_useful


async def _run_call(
    turn: "Turn", plan: AgentPlan, call: ToolCall, message: Message, *, is_last: bool
) -> _Outcome:
    await turn.publish(ToolStarted(call.name, call.id, call.arguments))
    started = time.monotonic()
    tracer = turn.session.plan.tracer
    if tracer is None:
        result = await _try_call(turn, plan, call, message, is_last=is_last)
    else:
        tool = plan.tools.get(call.name)
        with tracer.tool_call(
            call,
            agent_name=plan.spec.agent_name,
            session_id=turn.session.id,
            description=tool.definition.description if tool else "",
        ) as done:
            result = await _try_call(turn, plan, call, message, is_last=is_last)
            committed = turn.calls[call.id].output
            done(result.output if committed is None else committed, result.is_error)
    pending = turn.calls[call.id]
    if pending.output is None:
        seconds = round(time.monotonic() - started, 6)
        turn.commit_output(call.id, result.output, is_error=result.is_error, seconds=seconds)
    elif result.is_error:
        # The output stands; that the tool failed afterwards must not get lost.
        turn.session.note("tool.late_error", {"tool_id": call.id, "error": result.output})
    text = pending.output or ""
    await turn.publish(ToolFinished(call.name, call.id, text, pending.is_error))
    if (told := turn.session.told) is not None:
        is_error = pending.is_error or result.is_error
        await told.tool_output(plan.spec.agent_name, call.id, text, is_error=is_error)
    return result.outcome


async def _try_call(
    turn: "Turn", plan: AgentPlan, call: ToolCall, message: Message, *, is_last: bool
) -> _Result:
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
        tool_calls=message.tool_calls,
        call_reason=message.content,
    )
    spec = tool.spec
    if spec is not None and spec.validate_params is not None:
        reason = await _refusal(spec.validate_params, spec.callbacks, context)
        if reason is not None:
            return _refused(reason)
    callbacks = spec.callbacks if spec is not None else None
    if callbacks is None:
        return await _guarded(turn, tool, context)
    await observe(callbacks.on_before_call, context)
    result = await _guarded(turn, tool, context)
    if result.error is not None:
        await observe(callbacks.on_call_error, context, result.error)
    else:
        await observe(callbacks.on_after_call, context)
    return result


async def _guarded(turn: "Turn", tool: BoundTool, context: ToolContext) -> _Result:
    """Run a tool; what it raises becomes an output that the model reads."""
    try:
        return await _invoke(turn, tool, context)
    except StopTools as stop:
        return _Result(_Outcome.STOPPED, str(stop) or "done", False)
    except ToolFailed as failed:
        return _Result(_Outcome.RAN, f"error: {failed}", True, failed)
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
        return _Result(_Outcome.RAN, f"error: {type(error).__name__}: {error}", True, error)
    except (Exception, SystemExit) as error:
        # A tool is user code: whatever it raises is for the model to read, never a dead turn.
        return _Result(_Outcome.RAN, f"error: {type(error).__name__}: {error}", True, error)


async def _invoke(turn: "Turn", tool: BoundTool, context: ToolContext) -> _Result:
    pending = turn.calls[context.tool_id]
    if tool.navigate_to is not None:
        output = output_text(await tool.invoke(context))
        await change_agent(turn.session, tool.navigate_to)
        return _Result(_Outcome.RAN, output, False)
    with anyio.move_on_after(tool.timeout):
        try:
            value = await tool.invoke(context)
        except anyio.get_cancelled_exc_class():
            context.cancellation.is_requested = True
            raise
        has_moved_on = turn.answer is not None or turn.session.agent_name != context.agent_name
        may_follow = value is None and tool.may_commit and not has_moved_on
        if may_follow and pending.output is None:
            # It may have left the commit to a task of its own.
            pending.committed = anyio.Event()
            await pending.committed.wait()
        return _Result(_Outcome.RAN, output_text(value), False)
    return _Result(_Outcome.RAN, f"error: no output within {tool.timeout:g} s", True)


async def _refusal(
    function: Callback, callbacks: ToolCallbacks | None, context: ToolContext
) -> str | None:
    """Return why a tool's own check refuses the arguments, or None."""
    if callbacks is not None:
        await observe(callbacks.on_validate, context)
    try:
        verdict = await call_function(function, dict(context.arguments), context)
    except (Exception, SystemExit) as error:
        name = function_name(function)
        return f"the arguments cannot be checked: validate_params ({name}) failed: {error}"
    if verdict is None or verdict is True:
        return None
    said = verdict if isinstance(verdict, str) and verdict else "they are not valid"
    return f"the arguments were refused: {said}"


def _refused(reason: str) -> _Result:
    return _Result(_Outcome.REFUSED, f"error: {reason}", True)
