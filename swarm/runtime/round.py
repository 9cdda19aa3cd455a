"""The tool calls of one model answer: checked, run, and every one of them answered."""

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import anyio

from swarm.events import ToolFinished, ToolStarted
from swarm.messages import Message, ToolCall
from swarm.runtime.ids import new_tool_id
from swarm.runtime.plan import AgentPlan
from swarm.runtime.tool_call import Outcome, try_call
from swarm.runtime.tools import output_text

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
                results.append(outcome is not Outcome.REFUSED)
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
        is_useful = is_useful or outcome is not Outcome.REFUSED
        turn.is_stopped = turn.is_stopped or outcome is Outcome.STOPPED
    return is_useful


async def _run_call(
    turn: "Turn", plan: AgentPlan, call: ToolCall, message: Message, *, is_last: bool
) -> Outcome:
    await turn.publish(ToolStarted(call.name, call.id, call.arguments))
    started = time.monotonic()
    tracer = turn.session.plan.tracer
    if tracer is None:
        result = await try_call(turn, plan, call, message, is_last=is_last)
    else:
        tool = plan.tools.get(call.name)
        with tracer.tool_call(
            call,
            agent_name=plan.spec.agent_name,
            session_id=turn.session.id,
            description=tool.definition.description if tool else "",
        ) as done:
            result = await try_call(turn, plan, call, message, is_last=is_last)
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
