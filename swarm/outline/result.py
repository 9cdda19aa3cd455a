"""What goes into an attempt at an outline, and what comes out of all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import JsonValue

from swarm.messages import Message, Usage

__all__ = ["OutlineContext", "OutlineResult"]

Data = TypeVar("Data")


@dataclass(frozen=True, slots=True)
class OutlineContext:
    """One attempt, as `get_outline_history` and callbacks see it."""

    outline_name: str
    result_id: str
    attempt: int
    """From 1."""
    params: tuple[object, ...]
    """What `json` was called with after the name."""
    format: Mapping[str, JsonValue]
    """The JSON Schema."""
    history: tuple[Message, ...] = ()
    """The documents that were refused so far, each followed by the reason. They are sent after the
    messages of `get_outline_history`, so these need not repeat them."""


@dataclass(frozen=True, slots=True)
class OutlineResult(Generic[Data]):
    """A document, or why there is none."""

    outline_name: str
    result_id: str
    is_valid: bool
    attempt: int
    """How many attempts it took."""
    params: tuple[object, ...]
    history: tuple[Message, ...]
    """All that was said in the last attempt, its answer included."""
    model: str
    """The reference of the model that answered last."""
    data: Data | None = None
    """The document: a mapping, or an instance where `format` is a pydantic model; None when it is
    not valid."""
    error: str | None = None
    """Why the last document is not valid."""
    usage: Usage = field(default_factory=Usage)
    """The tokens of all attempts."""
    seconds: float = 0.0
