"""What a program may read of a conversation: its messages, its agent, what it is doing."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import JsonValue

from swarm.errors import SessionError, UnknownNameError
from swarm.events import InstructionAdded, MessageAdded, TurnStarted
from swarm.messages import Message
from swarm.runtime.asking import agent_view
from swarm.runtime.directory import find_live, is_live
from swarm.runtime.session import SessionMode
from swarm.runtime.turns import current_turn, turn_of

__all__ = [
    "SessionContext",
    "get_agent_history",
    "get_agent_name",
    "get_assistant_history",
    "get_check_busy",
    "get_last_assistant_message",
    "get_last_system_message",
    "get_last_tool_message",
    "get_last_user_message",
    "get_navigation_route",
    "get_payload",
    "get_raw_history",
    "get_session_context",
    "get_session_mode",
    "get_tool_name_for_model",
    "get_user_history",
    "has_navigation",
    "has_session",
]

_ALL = 10_000_000
"""More events than a session has."""


@dataclass(frozen=True, slots=True)
class SessionContext:
    """Where a client's conversation stands."""

    client_id: str
    swarm_name: str
    agent_name: str
    """The active agent."""
    mode: SessionMode
    """Which verb opened the session."""
    run_id: str | None
    """The turn that runs, if any."""


async def get_agent_name(client_id: str) -> str:
    """Return the name of the active agent.

    Raises:
        SessionError: The client has no live session.
    """
    session = find_live(client_id)
    if session.told is not None:
        session.told.named()
    return session.agent_name


async def get_last_user_message(client_id: str) -> str:
    """Return the newest message that the user wrote; "" before the first one.

    Raises:
        SessionError: The client has no live session.
    """
    message = find_live(client_id).history.last_user_message()
    return message.content if message else ""


async def get_last_assistant_message(client_id: str) -> str:
    """Return the newest text of an agent; "" before the first one.

    Raises:
        SessionError: The client has no live session.
    """
    return _last(client_id, "assistant")


async def get_last_system_message(client_id: str) -> str:
    """Return the newest system message that was committed; "" before the first one.

    Raises:
        SessionError: The client has no live session.
    """
    return _last(client_id, "system")


async def get_last_tool_message(client_id: str) -> str:
    """Return the newest tool output; "" before the first one.

    Raises:
        SessionError: The client has no live session.
    """
    return _last(client_id, "tool")


async def get_agent_history(client_id: str, agent_name: str) -> list[Message]:
    """Return what an agent's model would be shown now: prompt, instructions, messages.

    Raises:
        SessionError: The client has no live session.
        UnknownNameError: The swarm has no such agent.
        CallbackError: A function of the prompt failed.
    """
    session = find_live(client_id)
    if agent_name not in session.plan.agents:
        raise UnknownNameError("agent", agent_name, list(session.plan.agents))
    return await agent_view(session, session.plan.agents[agent_name])


async def get_raw_history(client_id: str) -> list[Message]:
    """Return every message of the conversation, oldest first, those of failed turns included.

    Reads the journal, so it takes time with the length of the conversation.

    Raises:
        SessionError: The client has no live session.
        StoreError: The journal cannot be read.
    """
    session = find_live(client_id)
    kinds = ("turn_started", "message_added", "instruction_added")
    rows = await session.journal.read(session.id, last=_ALL, kinds=kinds)
    found = (TurnStarted, MessageAdded, InstructionAdded)
    return [row.event.message for row in rows if isinstance(row.event, found)]


async def get_user_history(client_id: str) -> list[Message]:
    """Return every message that the user wrote, oldest first; see `get_raw_history`."""
    return await _filtered(client_id, lambda m: m.role == "user" and m.mode == "user")


async def get_assistant_history(client_id: str) -> list[Message]:
    """Return every text of the agents, oldest first; see `get_raw_history`."""
    return await _filtered(client_id, lambda m: m.role == "assistant" and bool(m.content))


def has_session(client_id: str) -> bool:
    """Return whether a client has a live session in this process."""
    return is_live(client_id)


async def get_session_mode(client_id: str) -> SessionMode:
    """Return which verb opened the client's session.

    Raises:
        SessionError: The client has no live session.
    """
    return find_live(client_id).mode


async def get_session_context(client_id: str) -> SessionContext:
    """Return where the client's conversation stands.

    Raises:
        SessionError: The client has no live session.
    """
    session = find_live(client_id)
    return SessionContext(
        client_id=client_id,
        swarm_name=session.plan.spec.swarm_name,
        agent_name=session.agent_name,
        mode=session.mode,
        run_id=session.turn.run_id if session.turn else None,
    )


async def get_check_busy(client_id: str) -> bool:
    """Return whether a turn of the client is running.

    Raises:
        SessionError: The client has no live session.
    """
    return find_live(client_id).turn is not None


def get_payload() -> JsonValue:
    """Return the payload of the message that the calling code's turn answers; None without one.

    Raises:
        SessionError: The code belongs to no turn.
    """
    turn = current_turn.get()
    if turn is None:
        raise SessionError("get_payload: this code belongs to no turn")
    return turn.message.payload


async def get_navigation_route(client_id: str) -> list[str]:
    """Return the agents that had the running turn, in order; none outside of a turn.

    Raises:
        SessionError: The client has no live session.
    """
    turn = turn_of(find_live(client_id))
    return list(turn.route) if turn else []


async def has_navigation(client_id: str, agent_name: str) -> bool:
    """Return whether an agent had the running turn already.

    Raises:
        SessionError: The client has no live session.
    """
    return agent_name in await get_navigation_route(client_id)


async def get_tool_name_for_model(tool_name: str, client_id: str, agent_name: str) -> str:
    """Return the name under which an agent's model knows a declared tool now.

    Raises:
        SessionError: The client has no live session.
        UnknownNameError: The swarm has no such agent, or the agent no such tool now.
    """
    session = find_live(client_id)
    if agent_name not in session.plan.agents:
        raise UnknownNameError("agent", agent_name, list(session.plan.agents))
    plan = await session.plan.agents[agent_name].for_client(client_id)
    for name, tool in plan.tools.items():
        if name == tool_name or (tool.spec is not None and tool.spec.tool_name == tool_name):
            return name
    known = [tool.spec.tool_name if tool.spec else name for name, tool in plan.tools.items()]
    raise UnknownNameError("tool", tool_name, known)


def _last(client_id: str, role: str) -> str:
    message = find_live(client_id).history.last_message(role)
    return message.content if message else ""


async def _filtered(client_id: str, keep: Callable[[Message], bool]) -> list[Message]:
    return [message for message in await get_raw_history(client_id) if keep(message)]
