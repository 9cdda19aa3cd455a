"""One tool call: checked, agreed to, run; whatever happens, it has an output."""

from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

import anyio
from pydantic import JsonValue

from swarm.callbacks import ToolCallbacks
from swarm.context import ToolContext
from swarm.errors import NavigationError, SetupError, StopTools, ToolFailed, TurnError, suggest
from swarm.fields import Callback
from swarm.functions import call as call_function
from swarm.functions import describe, is_cancelled, observe, reason_of
from swarm.messages import Message, ToolCall
from swarm.runtime.approval import ask_people, finish_approved
from swarm.runtime.navigation import change_agent
from swarm.runtime.plan import AgentPlan
from swarm.runtime.tools import ArgumentsError, BoundTool, output_text

if TYPE_CHECKING:
    from swarm.runtime.turn import Turn

__all__ = ["Outcome", "ToolResult", "run_tool", "try_call"]


class Outcome(Enum):
    """How a call ended, as far as the rest of the round cares."""

    RAN = auto()
    REFUSED = auto()
    """Not a call that could run: unknown tool, arguments that do not fit, over the budget."""
    STOPPED = auto()


class ToolResult(NamedTuple):
    """What came of a call."""

    outcome: Outcome
    output: str
    """Used where the tool committed none itself."""
    is_error: bool
    error: BaseException | None = None
    """What the tool raised."""


async def try_call(
    turn: "Turn", plan: AgentPlan, call: ToolCall, message: Message, *, is_last: bool
) -> ToolResult:
    """Check a call and run it.

    Raises:
        CallbackError: `needs_approval` failed.
        SetupError: The machine lacks something; no model can mend that.
    """
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
        given = tool.with_defaults(arguments)
        reason = await _refusal(spec.validate_params, spec.callbacks, context, given)
        if reason is not None:
            return _refused(reason)
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
    return ToolResult(Outcome.RAN, approval.told_to_model, is_refused)


async def run_tool(turn: "Turn", tool: BoundTool, context: ToolContext) -> ToolResult:
    """Run a call that was checked, and tell the tool's observers.

    Whatever the tool raises becomes its output.

    Raises:
        SetupError: The machine lacks something; no model can mend that.
    """
    callbacks = tool.spec.callbacks if tool.spec is not None else None
    if callbacks is None:
        return await _guarded(turn, tool, context)
    place = f"tool {context.tool_name!r}"
    await observe(callbacks.on_before_call, context, place=place)
    result = await _guarded(turn, tool, context)
    if result.error is not None:
        await observe(callbacks.on_call_error, context, result.error, place=place)
    else:
        await observe(callbacks.on_after_call, context, place=place)
    return result


async def _guarded(turn: "Turn", tool: BoundTool, context: ToolContext) -> ToolResult:
    """Run a tool; what it raises becomes an output that the model reads."""
    try:
        return await _invoke(turn, tool, context)
    except StopTools as stop:
        return ToolResult(Outcome.STOPPED, str(stop) or "done", False)
    except ToolFailed as failed:
        return ToolResult(Outcome.RAN, f"error: {failed}", True, failed)
    except NavigationError as wrong:
        return _refused(wrong.text)
    except SetupError:
        # No model can install an extra or set a key.
        raise
    except anyio.get_cancelled_exc_class() as error:
        if is_cancelled():
            raise
        # Nobody cancelled the turn: something that the tool waited for was.
        return ToolResult(Outcome.RAN, f"error: {_told(error)}", True, error)
    except (Exception, SystemExit) as error:
        # A tool is user code: whatever it raises is for the model to read, never a dead turn.
        return ToolResult(Outcome.RAN, f"error: {_told(error)}", True, error)


def _told(error: BaseException) -> str:
    """Return what a model reads of an error."""
    name = type(error).__name__
    if isinstance(error, TurnError):
        return f"{name}: {error.text}"
    try:
        return f"{name}: {error}"
    except Exception:  # an error whose text fails is user code as well
        return name


async def _invoke(turn: "Turn", tool: BoundTool, context: ToolContext) -> ToolResult:
    pending = turn.calls[context.tool_id]
    if tool.navigate_to is not None:
        output = output_text(await tool.invoke(context))
        await change_agent(turn.session, tool.navigate_to)
        return ToolResult(Outcome.RAN, output, False)
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
        return ToolResult(Outcome.RAN, output_text(value), False)
    return ToolResult(Outcome.RAN, f"error: no output within {tool.timeout:g} s", True)


async def _refusal(
    function: Callback,
    callbacks: ToolCallbacks | None,
    context: ToolContext,
    arguments: dict[str, JsonValue],
) -> str | None:
    """Return why a tool's own check refuses the arguments, or None."""
    place = f"tool {context.tool_name!r}"
    if callbacks is not None:
        await observe(callbacks.on_validate, context, place=place)
    try:
        verdict = await call_function(function, arguments, context)
    except (Exception, SystemExit) as error:
        what = describe(function, "validate_params", place)
        return f"the arguments cannot be checked: {what} failed: {reason_of(error)}"
    if verdict is None or verdict is True:
        return None
    said = verdict if isinstance(verdict, str) and verdict else "they are not valid"
    return f"the arguments were refused: {said}"


def _refused(reason: str) -> ToolResult:
    return ToolResult(Outcome.REFUSED, f"error: {reason}", True)
