"""What lies in the inbox: a question to a person, or a tool call that a person has to agree to."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from swarm.messages import Role, ToolCall

__all__ = [
    "OPEN",
    "InboxItem",
    "InboxKind",
    "InboxStatus",
    "NewItem",
    "Payload",
    "Reply",
    "ShownMessage",
]

InboxKind = Literal["question", "approval"]
"""`question` waits for a text, `approval` for a yes or a no."""

InboxStatus = Literal[
    "waiting", "answered", "approved", "rejected", "running", "done", "unknown", "expired"
]
"""Where an item is.

`waiting` for a person; `answered`, `approved` or `rejected` by one; `running`, a call that was
begun; `done`, the reply is in the conversation or the call has run; `unknown`, the process ended
in the middle of the call, and a person has to look; `expired`, the call cannot run any more.
"""

OPEN: tuple[InboxStatus, ...] = ("waiting", "unknown")
"""The states in which a person can decide."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class ShownMessage(_Record):
    """A message of the conversation, as a person sees it."""

    role: Role
    content: str
    agent_name: str | None = None


class Payload(_Record):
    """What a person needs to see."""

    text: str
    """The newest message of the user."""
    view: tuple[ShownMessage, ...] = ()
    """The messages before and with it, oldest first."""
    call: ToolCall | None = None
    """The call that needs approval."""
    description: str = ""
    """What the tool of the call does."""


class Reply(_Record):
    """What a person said, and what came of it."""

    text: str | None = None
    """The answer to a question."""
    reason: str = ""
    """Why a call was approved, rejected or has expired."""
    output: str | None = None
    """What the call gave."""
    is_error: bool = False
    """The output says that the call failed."""
    was_begun: bool = False
    """The call was begun, and may have had an effect."""
    taken_by: str | None = None
    """The run that got the answer while it waited."""


class NewItem(_Record):
    """An item to be posted."""

    key: str
    """Names what is asked; posting it again finds the item that is there."""
    kind: InboxKind
    session_id: str
    swarm_name: str
    client_id: str
    agent_name: str
    run_id: str
    payload: Payload


class InboxItem(_Record):
    """One item of the inbox."""

    id: str
    """Short enough to type; the beginning of it will do."""
    kind: InboxKind
    status: InboxStatus
    session_id: str
    swarm_name: str
    client_id: str
    agent_name: str
    run_id: str
    """The turn that asked."""
    payload: Payload
    reply: Reply | None = None
    created_at: float
    """Seconds since the epoch."""
    decided_at: float | None = None
    decided_by: str | None = None
    settled_at: float | None = None
    """When the conversation came to know of the decision; nothing is left to do then."""

    @property
    def call_text(self) -> str:
        """The call as a person reads it; "" for a question."""
        call = self.payload.call
        return f"{call.name}({call.arguments})" if call else ""
