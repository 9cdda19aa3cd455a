"""What happens in a session: the events of the journal, and the events of a stream.

Journal events are plain JSON with a `kind`, appended and never changed; history, runs, training
segments and costs are all derived from them. Stream events are what a caller watches live; they
are not stored.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from swarm.messages import Message, Usage

__all__ = [
    "AgentChanged",
    "AgentConfigured",
    "Answered",
    "Event",
    "Failure",
    "HandedOff",
    "HistoryFlushed",
    "HistorySummarized",
    "InstructionAdded",
    "MessageAdded",
    "Noted",
    "SessionOpened",
    "StreamEvent",
    "TextDelta",
    "ToolFinished",
    "ToolStarted",
    "TurnEnded",
    "TurnStarted",
    "TurnStatus",
    "decode_event",
]

TurnStatus = Literal["answered", "failed", "interrupted"]
"""How a turn ended; `interrupted` is a turn whose caller or process went away."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Failure(_Record):
    """Why a turn has no answer."""

    code: str
    """The stable code of the error class."""
    message: str


class SessionOpened(_Record):
    """A conversation began."""

    kind: Literal["session_opened"] = "session_opened"
    swarm_name: str
    client_id: str
    agent_name: str
    """The swarm's default agent at that time."""
    version: str
    """The version of wikiswarm that wrote the session."""
    project: str | None = None
    """The tenant that it belongs to; sessions of before there were projects have none."""


class AgentConfigured(_Record):
    """What an agent was when it spoke: written at its first turn and whenever it changed."""

    kind: Literal["agent_configured"] = "agent_configured"
    agent_name: str
    model: str
    system: Sequence[str]
    """The prompt and the static system lines, in order."""
    tools: Sequence[Mapping[str, JsonValue]]
    """The tools that were offered, as `{"name", "description", "parameters"}`."""


class TurnStarted(_Record):
    """A user's message was accepted."""

    kind: Literal["turn_started"] = "turn_started"
    run_id: str
    agent_name: str
    message: Message


class MessageAdded(_Record):
    """A message joined the history, inside a turn or outside of one."""

    kind: Literal["message_added"] = "message_added"
    run_id: str | None = None
    message: Message
    model: str | None = None
    """The model that wrote an assistant message."""
    usage: Usage | None = None
    seconds: float | None = None
    """How long the model call or the tool took."""
    is_error: bool = False
    """A tool output that reports a failure to the model."""


class InstructionAdded(_Record):
    """A system or developer message was committed; its agent sees it from now on."""

    kind: Literal["instruction_added"] = "instruction_added"
    run_id: str | None = None
    message: Message


class HistoryFlushed(_Record):
    """What was said before is hidden from models from now on; it stays in the journal."""

    kind: Literal["history_flushed"] = "history_flushed"
    run_id: str | None = None
    agent_name: str


class HistorySummarized(_Record):
    """An agent's model summed up turns that no longer fit into its window."""

    kind: Literal["history_summarized"] = "history_summarized"
    agent_name: str
    text: str
    """The whole summary, with what earlier ones said."""
    last_run_id: str
    """The newest turn that it covers."""
    usage: Usage | None = None


class AgentChanged(_Record):
    """The conversation was handed to another agent."""

    kind: Literal["agent_changed"] = "agent_changed"
    run_id: str | None = None
    from_agent: str
    to_agent: str
    stack: tuple[str, ...] = ()
    """The agents to go back to, the newest last."""


class Noted(_Record):
    """Something an upper room recorded beside the conversation, such as a wiki's answer."""

    kind: Literal["noted"] = "noted"
    run_id: str | None = None
    topic: str
    data: Mapping[str, JsonValue]


class TurnEnded(_Record):
    """A turn is over; exactly one for each `TurnStarted`."""

    kind: Literal["turn_ended"] = "turn_ended"
    run_id: str
    agent_name: str
    """The agent that gave the answer."""
    status: TurnStatus
    answer: str | None = None
    failure: Failure | None = None
    usage: Usage = Field(default_factory=Usage)
    total: Usage | None = None
    """What the conversation took up to here, with this turn; None where it was not counted."""
    seconds: float = 0.0
    is_placeholder: bool = False
    """The model gave nothing usable, so the answer is the agent's placeholder."""


Event = Annotated[
    SessionOpened
    | AgentConfigured
    | TurnStarted
    | MessageAdded
    | InstructionAdded
    | HistoryFlushed
    | HistorySummarized
    | AgentChanged
    | Noted
    | TurnEnded,
    Field(discriminator="kind"),
]
"""Everything that a journal can hold."""


@functools.cache
def _adapter() -> TypeAdapter[Event]:
    """Build the validator when a journal is first read, not at import."""
    return TypeAdapter(Event)


def decode_event(payload: str | bytes) -> Event:
    """Return the event that a journal row holds.

    Raises:
        pydantic.ValidationError: The row is not an event of this or an earlier version.
    """
    return _adapter().validate_json(payload)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the text that the model is writing."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool call is about to run."""

    tool_name: str
    tool_id: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool call has its output."""

    tool_name: str
    tool_id: str
    output: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class HandedOff:
    """Another agent took over."""

    from_agent: str
    to_agent: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The turn's answer, stored; always the last event of a stream that did not raise."""

    text: str
    agent_name: str
    run_id: str
    usage: Usage


StreamEvent = TextDelta | ToolStarted | ToolFinished | HandedOff | Answered
"""What `Session.stream` yields."""
