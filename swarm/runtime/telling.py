"""What happens in a session, told to the bus.

Callers look at `session.plan.catalog.bus.is_watched` before they make what they tell, so that a
session that nobody watches pays for that look only.
"""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from swarm.bus import BusEvent, BusName
from swarm.messages import Message, ToolCall

if TYPE_CHECKING:
    from swarm.runtime.session import Session

__all__ = ["call_fields", "tell", "tell_commit", "tell_message"]


def tell(
    session: "Session",
    bus: BusName,
    kind: str,
    input: Mapping[str, Any] | None = None,
    output: Mapping[str, Any] | None = None,
    *,
    agent_name: str | None = None,
) -> None:
    """Publish something that happened in a session.

    Args:
        session: Whose.
        bus: The bus.
        kind: One of the bus's types.
        input: What went in, by name.
        output: What came out, by name.
        agent_name: The agent that it happened to; the active one when absent.
    """
    plan = session.plan
    context = {
        "agent_name": agent_name or session.agent_name,
        "swarm_name": plan.spec.swarm_name,
    }
    plan.catalog.bus.publish(
        BusEvent(bus, kind, session.client_id, input or {}, output or {}, context)
    )


def tell_commit(
    session: "Session", kind: str, input: Mapping[str, Any], *, agent_name: str | None = None
) -> None:
    """Publish something that was committed: it happens to the agent and to the session."""
    tell(session, "agent-bus", kind, input, agent_name=agent_name)
    tell(session, "session-bus", kind, input, agent_name=agent_name)


def call_fields(call: ToolCall) -> dict[str, str]:
    """Return a tool call as an event holds it."""
    return {"id": call.id, "name": call.name, "arguments": call.arguments}


def tell_message(session: "Session", message: Message, *, is_added: bool) -> None:
    """Publish that a message joined the history, or left it."""
    fields = dataclasses.asdict(message)
    said = {key: value for key, value in fields.items() if value not in (None, ())}
    name = message.agent_name
    if is_added:
        tell(session, "history-bus", "push", said, agent_name=name)
    else:
        tell(session, "history-bus", "pop", None, said, agent_name=name)
