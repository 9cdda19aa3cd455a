"""The messages of a conversation, as they are stored and as a history shows them.

This is not the wire format of any provider: each completion renders these into its own.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

__all__ = ["Message", "Role", "ToolCall", "Usage"]

Role = Literal["system", "developer", "user", "assistant", "tool"]
"""Who speaks: `tool` is the output of a tool call, `developer` instructions to reasoning models."""


class ToolCall(BaseModel):
    """One call that the model asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    id: str
    """Pairs the call with its output."""
    name: str
    arguments: str = "{}"
    """The JSON text as the model wrote it, checked only when the call runs."""


class Usage(BaseModel):
    """Tokens that model calls took."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    input_tokens: Annotated[int, Field(ge=0)] = 0
    output_tokens: Annotated[int, Field(ge=0)] = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
        )


class Message(BaseModel):
    """One entry of a history; only ever appended, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

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
