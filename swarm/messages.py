"""The messages of a conversation, as they are stored and as a history shows them.

This is not the wire format of any provider: each completion renders these into its own.

Small objects: a program holds as many messages as all its conversations have.
"""

import functools
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, TypeAdapter
from pydantic.dataclasses import dataclass

__all__ = ["Message", "Role", "ToolCall", "Usage", "no_usage", "read_message"]

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
    """Tokens that model calls took, and what they cost."""

    input_tokens: Annotated[int, Field(ge=0)] = 0
    output_tokens: Annotated[int, Field(ge=0)] = 0
    cost: Annotated[float, Field(ge=0)] = 0.0
    """US dollars for the tokens that have a price; only `known_cost` says what all of them cost."""
    priced_tokens: Annotated[int, Field(ge=0)] = 0
    """How many of the tokens `cost` is for."""

    @property
    def tokens(self) -> int:
        """All tokens, in and out."""
        return self.input_tokens + self.output_tokens

    @property
    def unpriced_tokens(self) -> int:
        """Tokens that nobody knows a price of, so that `cost` is without them."""
        return max(0, self.tokens - self.priced_tokens)

    @property
    def known_cost(self) -> float | None:
        """US dollars for all the tokens, or None where a part of them has no known price."""
        return None if self.unpriced_tokens else self.cost

    def __add__(self, other: "Usage") -> "Usage":
        if not self.input_tokens and not self.output_tokens:
            return other
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost=self.cost + other.cost,
            priced_tokens=self.priced_tokens + other.priced_tokens,
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


@functools.cache
def no_usage() -> Usage:
    """Return the usage of nothing, one for all; pydantic takes long to make its first object."""
    return Usage()


def read_message(fields: Mapping[str, object]) -> Message:
    """Return the message that a mapping describes.

    Raises:
        pydantic.ValidationError: It is no message.
    """
    return _adapter().validate_python(fields)


@functools.cache
def _adapter() -> TypeAdapter[Message]:
    return TypeAdapter(Message)
