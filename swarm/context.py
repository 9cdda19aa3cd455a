"""What a tool may know about the call it is serving."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

__all__ = ["ToolContext"]


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
