"""The messages of a conversation, as they are stored and as a history shows them.

This is not the wire format of any provider: each completion renders these into its own.

Small objects: a program holds as many messages as all its conversations have.
"""

import functools
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, TypeAdapter
from pydantic.dataclasses import dataclass

__all__ = ["Message", "Role", "ToolCall", "Usage", "read_message"]

_CONFIG = ConfigDict(extra="forbid", defer_build=True)

Role = Literal["system", "developer", "user", "assistant", "tool"]
"""Who speaks: `tool` is the output of a tool call, `developer` instructions to reasoning models."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class ToolCall:
    """One call that the model asks for."""

    id: str
    """Pairs the call with its output."""
    name: str
    arguments: str = "{}"
    """The JSON text as the model wrote it, checked only when the call runs."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Usage:
    """Tokens that model calls took."""

    input_tokens: Annotated[int, Field(ge=0)] = 0
    output_tokens: Annotated[int, Field(ge=0)] = 0

    def __add__(self, other: "Usage") -> "Usage":
        if not self.input_tokens and not self.output_tokens:
            return other
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Message:
    """One entry of a history; only ever appended, never changed."""

    role: Role
    content: str = ""
    agent_name: str | None = None
    """The agent that was active; other agents do not see its tool traffic."""
    mode: Literal["user", "tool"] = "user"
    """`tool` marks a user message that a tool wrote through `execute`."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    reasoning: str | None = None
    """What the model thought aloud; stored, never shown to a user or sent back."""
    payload: JsonValue = None
    """Data that the program attached to a user message; no model sees it."""


def read_message(fields: Mapping[str, object]) -> Message:
    """Return the message that a mapping describes.

    Raises:
        pydantic.ValidationError: It is no message.
    """
    return _adapter().validate_python(fields)


@functools.cache
def _adapter() -> TypeAdapter[Message]:
    return TypeAdapter(Message)
