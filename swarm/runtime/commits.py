"""The commit verbs: messages that a program puts into a conversation itself.

In a turn they belong to it, and are dropped with it when it fails; what a system or developer
message says, and a flush, hold for the rest of the conversation all the same. Outside of a turn
they are durable on return. A verb that takes the name of an agent does nothing once another agent
has taken over; its twin with `_force` does not ask.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, cast

from pydantic import JsonValue

from swarm.errors import DeclarationError, ToolOutputError
from swarm.messages import Message, Role, ToolCall
from swarm.runtime.additions import add_message, hide_history
from swarm.runtime.directory import find_live
from swarm.runtime.ids import new_tool_id
from swarm.runtime.round import PendingCall
from swarm.runtime.session import Session
from swarm.runtime.tools import cut_text, output_text
from swarm.runtime.turns import current_turn, running_turn, turn_of

__all__ = [
    "ToolRequest",
    "commit_assistant_message",
    "commit_assistant_message_force",
    "commit_developer_message",
    "commit_developer_message_force",
    "commit_flush",
    "commit_flush_force",
    "commit_system_message",
    "commit_system_message_force",
    "commit_tool_output",
    "commit_tool_output_force",
    "commit_tool_request",
    "commit_tool_request_force",
    "commit_user_message",
    "commit_user_message_force",
]

ToolRequest = ToolCall | Mapping[str, Any]
"""A tool call, or its name and arguments in our shape or in that of the OpenAI API."""

_MOST_REQUESTED = 1000
"""Calls requested outside of a turn that may wait for their outputs."""


async def commit_user_message(
    content: str,
    mode: Literal["user", "tool"],
    client_id: str,
    agent_name: str,
    payload: JsonValue = None,
) -> None:
    """Put a user's message into the history; no agent answers it.

    Args:
        content: The message.
        mode: `user` for what the user said, `tool` for what the program says in the user's role.
        client_id: Whose conversation.
        agent_name: The agent that it is for.
        payload: Data that no model sees.

    Raises:
        SessionError: The client has no live session, or the turn of this code is over.
        StoreError: It could not be stored.
    """
    if (session := _active(client_id, agent_name)) is not None:
        await _commit(session, "user", content, mode=mode, payload=payload)


async def commit_user_message_force(
    content: str, mode: Literal["user", "tool"], client_id: str, payload: JsonValue = None
) -> None:
    """Put a user's message into the history, whichever agent is active."""
    await _commit(find_live(client_id), "user", content, mode=mode, payload=payload)


async def commit_assistant_message(content: str, client_id: str, agent_name: str) -> None:
    """Put a message of the agent into the history; it is not the answer of a turn.

    Raises:
        SessionError: The client has no live session, or the turn of this code is over.
        StoreError: It could not be stored.
    """
    if (session := _active(client_id, agent_name)) is not None:
        await _commit(session, "assistant", content)


async def commit_assistant_message_force(content: str, client_id: str) -> None:
    """Put a message of whichever agent is active into the history."""
    await _commit(find_live(client_id), "assistant", content)


async def commit_system_message(content: str, client_id: str, agent_name: str) -> None:
    """Tell the agent something for the rest of the conversation, after its prompt.

    Raises:
        SessionError: The client has no live session, or the turn of this code is over.
        StoreError: It could not be stored.
    """
    if (session := _active(client_id, agent_name)) is not None:
        await _commit(session, "system", content)


async def commit_system_message_force(content: str, client_id: str) -> None:
    """Tell whichever agent is active something for the rest of the conversation."""
    await _commit(find_live(client_id), "system", content)


async def commit_developer_message(content: str, client_id: str, agent_name: str) -> None:
    """Tell the agent something in the role `developer`; see `commit_system_message`."""
    if (session := _active(client_id, agent_name)) is not None:
        await _commit(session, "developer", content)


async def commit_developer_message_force(content: str, client_id: str) -> None:
    """Tell whichever agent is active something in the role `developer`."""
    await _commit(find_live(client_id), "developer", content)


async def commit_flush(client_id: str, agent_name: str) -> None:
    """Hide what was said before, and what was committed, from models; the journal keeps it.

    Raises:
        SessionError: The client has no live session, or the turn of this code is over.
        StoreError: It could not be stored.
    """
    if (session := _active(client_id, agent_name)) is not None:
        await hide_history(session)


async def commit_flush_force(client_id: str) -> None:
    """Hide what was said before from models, whichever agent is active."""
    await hide_history(find_live(client_id))


async def commit_tool_request(
    request: ToolRequest | Sequence[ToolRequest], client_id: str, agent_name: str
) -> list[str]:
    """Put the wish for tool calls into the history as if the model had asked; nothing runs.

    `commit_tool_output` gives each its output; a call without one is not shown to the model.

    Returns:
        The ids of the calls; none when another agent has taken over.

    Raises:
        DeclarationError: It is no tool call.
        SessionError: The client has no live session, or the turn of this code is over.
        StoreError: It could not be stored.
    """
    session = _active(client_id, agent_name)
    return [] if session is None else await _request(session, request)


async def commit_tool_request_force(
    request: ToolRequest | Sequence[ToolRequest], client_id: str
) -> list[str]:
    """Put the wish for tool calls into the history, whichever agent is active."""
    return await _request(find_live(client_id), request)


async def commit_tool_output(tool_id: str, content: str, client_id: str, agent_name: str) -> None:
    """Give a tool call its output, in place of the function's return value.

    Works from a task that the tool left running, too, as long as the turn lasts. Outside of a
    turn it is for calls that `commit_tool_request` made there.

    Raises:
        ToolOutputError: No such call in this turn, or it has its output.
        SessionError: No turn is running.
    """
    if (session := _active(client_id, agent_name)) is not None:
        await _output(session, tool_id, content)


async def commit_tool_output_force(tool_id: str, content: str, client_id: str) -> None:
    """Give a tool call its output, whichever agent is active."""
    await _output(find_live(client_id), tool_id, content)


def _active(client_id: str, agent_name: str) -> Session | None:
    session = find_live(client_id)
    return session if session.agent_name == agent_name else None


async def _commit(
    session: Session,
    role: Role,
    content: str,
    *,
    mode: Literal["user", "tool"] = "user",
    payload: JsonValue = None,
) -> None:
    message = Message(
        role=role,
        content=output_text(content),
        agent_name=None if role == "user" and mode == "user" else session.agent_name,
        mode=mode,
        payload=payload,
    )
    await add_message(session, message)


async def _request(session: Session, request: ToolRequest | Sequence[ToolRequest]) -> list[str]:
    given = [request] if isinstance(request, ToolCall | Mapping) else list(request)
    turn = turn_of(session)
    calls = tuple(_tool_call(item) for item in given)
    pending = {c.id: PendingCall(c.id, c.name, session.agent_name) for c in calls}
    if turn is not None:
        turn.calls.update(pending)
    else:
        session.requested = dict([*session.requested.items(), *pending.items()][-_MOST_REQUESTED:])
    message = Message(role="assistant", agent_name=session.agent_name, tool_calls=calls)
    await add_message(session, message)
    if session.told is not None:
        await session.told.tools_requested(calls)
    return [call.id for call in calls]


async def _output(session: Session, tool_id: str, content: str) -> None:
    own = current_turn.get()
    call = session.requested.get(tool_id)
    is_outside = call is not None and (own is None or own.session is not session)
    if call is None or not is_outside:
        turn = running_turn(session, "commit_tool_output")
        turn.commit_output(tool_id, content)
        return
    if call.output is not None:
        names = {"client_id": session.client_id, "agent_name": session.agent_name}
        raise ToolOutputError(f"tool call {tool_id!r} has its output already", **names)
    text = cut_text(output_text(content))
    call.output = ""  # the history has the text; here it would stay as long as the session
    message = Message(role="tool", content=text, tool_call_id=tool_id, agent_name=call.agent_name)
    await add_message(session, message)
    if session.told is not None:
        await session.told.tool_output(call.agent_name, tool_id, text, is_error=False)


def _tool_call(request: object) -> ToolCall:
    if isinstance(request, ToolCall):
        return request if request.id else replace(request, id=new_tool_id())
    if not isinstance(request, Mapping):
        raise DeclarationError(f"a tool request is a ToolCall or a mapping, not {request!r}")
    fields = dict(cast("Mapping[str, Any]", request))
    inner = fields.get("function")
    if isinstance(inner, Mapping):
        fields = {"id": fields.get("id"), **cast("Mapping[str, Any]", inner)}
    arguments = fields.get("arguments", fields.get("params", {}))
    if not isinstance(arguments, str):
        import orjson

        arguments = orjson.dumps(arguments, default=str).decode()
    try:
        return ToolCall(
            id=str(fields.get("id") or new_tool_id()),
            name=str(fields["name"]),
            arguments=arguments,
        )
    except KeyError:
        raise DeclarationError("a tool request needs the `name` of a tool") from None
