"""What a tool may know about the call it is serving."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from swarm.messages import ToolCall

__all__ = ["Cancellation", "ToolContext"]


@dataclass(slots=True)
class Cancellation:
    """Tells a function in a thread of its own, which nobody can stop, that it is not needed."""

    is_requested: bool = False


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Passed to a tool whose function has a parameter annotated with this class."""

    tool_id: str
    """Names the call; `commit_tool_output` takes it."""
    tool_name: str
    client_id: str
    agent_name: str
    arguments: Mapping[str, JsonValue]
    """The checked arguments."""
    is_last: bool
    """No other call of the same model answer comes after this one."""
    tool_calls: tuple[ToolCall, ...] = ()
    """All calls of the same model answer."""
    call_reason: str = ""
    """What the model said beside the calls."""
    cancellation: Cancellation = field(default_factory=Cancellation)
    """Set when the turn ends, or the time for the call, before the function does."""
