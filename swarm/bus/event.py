"""What a bus carries: one event, and the names of the buses with their types."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from swarm.bus.errors import TopicError

__all__ = ["EVENT_TYPES", "BusEvent", "BusName", "check_topic"]

BusName = Literal[
    "agent-bus",
    "compute-bus",
    "execution-bus",
    "history-bus",
    "policy-bus",
    "session-bus",
    "state-bus",
    "storage-bus",
    "swarm-bus",
]
"""A bus of the runtime; every other name is a topic of a program."""

_COMMITS = (
    "commit-user-message",
    "commit-system-message",
    "commit-developer-message",
    "commit-assistant-message",
    "commit-tool-output",
    "commit-tool-request",
    "commit-flush",
    "commit-stop-tools",
)

EVENT_TYPES: Mapping[BusName, tuple[str, ...]] = MappingProxyType(
    {
        "agent-bus": (
            "run",
            "emit-output",
            *_COMMITS,
            "commit-cancel-output",
            "commit-agent-change",
        ),
        "history-bus": ("push", "pop"),
        "session-bus": ("connect", "execute", "run", "emit", *_COMMITS),
        "swarm-bus": (
            "get-agent-name",
            "set-agent-name",
            "get-agent",
            "set-agent-ref",
            "wait-for-output",
            "cancel-output",
        ),
        "state-bus": ("get-state", "set-state", "clear-state"),
        "storage-bus": ("take", "upsert", "remove", "get", "list", "clear"),
        "compute-bus": ("emit-output",),
        "policy-bus": ("validate-input", "validate-output", "ban-client", "unban-client"),
        "execution-bus": ("commit-execution-begin", "commit-execution-end"),
    }
)
"""The buses, each with the types of its events; docs/events.md says when they come."""


@dataclass(frozen=True, slots=True)
class BusEvent:
    """Something that happened to a client."""

    bus: str
    """The bus, or the topic of a program."""
    type: str
    """What happened; `custom` on a topic of a program."""
    client_id: str
    """Whose session; empty for what is shared by everybody, such as a shared state."""
    input: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What went in, by name; listeners must not change it."""
    output: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What came out, by name; listeners must not change it."""
    context: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where: `swarm_name`, `agent_name`, `state_name` and their like, as far as they apply."""
    at: float = field(default_factory=time.time)
    """Seconds since the epoch."""

    @property
    def payload(self) -> Any:
        """What a program sent with an event on a topic of its own."""
        return self.input.get("payload")


def check_topic(topic: str) -> str:
    """Return a topic that a program may use.

    Raises:
        TopicError: It is empty, or the name of a bus.
    """
    if topic in EVENT_TYPES:
        verb = f"listen_{topic.removesuffix('-bus')}_event"
        raise TopicError(topic, "is a bus of the runtime", f"listen to it with {verb}")
    if not topic:
        raise TopicError(topic, "is empty", "name what happened, such as 'order-paid'")
    return topic
