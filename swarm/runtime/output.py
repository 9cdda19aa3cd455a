"""What a model said, on its way to an answer: mapped, validated, transformed, judged."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from swarm.errors import CallbackError
from swarm.events import TextDelta
from swarm.fields import Callback
from swarm.functions import checked_call, describe
from swarm.messages import Message, ToolCall
from swarm.runtime.plan import AgentPlan
from swarm.runtime.round import with_unique_ids

if TYPE_CHECKING:
    from swarm.runtime.session import Session
    from swarm.runtime.turn import Turn

__all__ = ["Accepted", "accept_text", "guard_text", "read_message"]


class Accepted(NamedTuple):
    """What became of a text."""

    text: str
    """The answer, when there is no objection."""
    objection: str | None = None
    """Why it is no answer."""
    corrections: list[Message] = []  # noqa: RUF012 - of a tuple, and never changed
    """What the model is told, once."""


async def read_message(turn: "Turn", plan: AgentPlan, message: Message) -> Message:
    """Return a model's answer as this agent's, after `map_message` and `map_tool_calls`.

    Raises:
        CallbackError: One of the two failed, or returned something else.
    """
    spec = plan.spec
    if spec.map_message is not None:
        mapped = await _use(turn, "map_message", spec.map_message, message)
        if not isinstance(mapped, Message) or mapped.role != "assistant":
            raise _wrong(turn, "map_message", spec.map_message, "an assistant's Message")
        message = mapped
    message = with_unique_ids(message, spec.agent_name, turn.calls)
    if spec.map_tool_calls is not None and message.tool_calls:
        names = (turn.session.client_id, spec.agent_name)
        found = await _use(turn, "map_tool_calls", spec.map_tool_calls, message.tool_calls, *names)
        given = tuple(cast("Iterable[object]", found)) if isinstance(found, Iterable) else (found,)
        calls = tuple(call for call in given if isinstance(call, ToolCall))
        if len(calls) < len(given):
            raise _wrong(turn, "map_tool_calls", spec.map_tool_calls, "ToolCalls")
        message = replace(message, tool_calls=calls)
        message = with_unique_ids(message, spec.agent_name, turn.calls)
    return message


async def accept_text(turn: "Turn", plan: AgentPlan, message: Message) -> Accepted:
    """Return the answer that a text makes, or what the model is told about it.

    Raises:
        CallbackError: `validate_output`, `transform` or a policy failed.
    """
    spec, text = plan.spec, message.content
    if not text.strip():
        asked = "Your last answer was empty. Answer the user, or call a tool."
        return Accepted("", "the answer was empty", [_from_runtime(asked)])
    if spec.validate_output is not None:
        reason = await _use(turn, "validate_output", spec.validate_output, text)
        if reason is not None and reason is not True:
            said = reason if isinstance(reason, str) and reason else "it is not valid"
            asked = f"Your last answer was refused: {said}. Answer again."
            return Accepted("", said, [message, _from_runtime(asked)])
    if spec.transform is not None:
        text = await _use(turn, "transform", spec.transform, text)
        if not isinstance(text, str):
            raise _wrong(turn, "transform", spec.transform, "text")
    text = await guard_text(turn.session, text)
    if turn.publish_event is not None and turn.session.plan.holds_words_back(plan):
        await turn.session.flush()
        await turn.publish(TextDelta(text))
    return Accepted(text)


async def guard_text(session: "Session", text: str) -> str:
    """Return an answer as the swarm's policies let it go out.

    Raises:
        CallbackError: A function of a policy failed.
    """
    guard = session.plan.guard
    if guard is None:
        return text
    verdict = await guard.check_output(text, session.client_id)
    is_valid = verdict.policy_name is None
    if session.told is not None:
        session.told.judged("output", text, verdict.text, is_valid=is_valid)
    if not is_valid:
        session.note("policy.refused", {"policy_name": verdict.policy_name, "direction": "output"})
    return verdict.text


def _from_runtime(content: str) -> Message:
    return Message(role="user", content=content, mode="tool")


async def _use(turn: "Turn", role: str, function: Callback, *arguments: object) -> Any:
    """Return what a function of the turn's agent returns."""
    place, failure = _place(turn), partial(CallbackError, **turn.names)
    return await checked_call(function, *arguments, role=role, place=place, failure=failure)


def _wrong(turn: "Turn", role: str, function: object, expected: str) -> CallbackError:
    what = describe(function, role, _place(turn))
    return CallbackError(what, f"it must return {expected}", **turn.names)


def _place(turn: "Turn") -> str:
    return f"agent {turn.names['agent_name']!r}"
