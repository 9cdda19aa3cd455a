"""What a turn asks of the packages above: may this be said, may this be done.

Only the contracts live here. `swarm.policy` and `swarm.inbox` implement them, and the host puts
them into the plan; a session without a host has neither.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from pydantic import JsonValue

from swarm.context import ToolContext
from swarm.messages import ToolCall

if TYPE_CHECKING:
    from swarm.runtime.session import Session
    from swarm.specs import ToolSpec

__all__ = ["Approval", "Approvals", "Guard", "People", "Verdict"]


class Verdict(NamedTuple):
    """What policies say of a text."""

    text: str
    """The text as it may go on, or what is said in its place."""
    policy_name: str | None = None
    """The policy that refused it; None when it may go on."""


class Guard(Protocol):
    """The policies of a swarm, merged in their order."""

    async def check_input(self, text: str, client_id: str) -> Verdict:
        """Judge what a client says, before anything of it is kept.

        Raises:
            CallbackError: A function of a policy raised; names it.
        """
        ...

    async def check_output(self, text: str, client_id: str) -> Verdict:
        """Judge an answer, before it is kept or shown.

        Raises:
            CallbackError: A function of a policy raised; names it.
        """
        ...


class Approval(NamedTuple):
    """What a person said of a tool call."""

    status: Literal["approved", "rejected", "waiting"]
    """`waiting`: nobody has said anything yet; the call is kept and may run later."""
    approval_id: str
    reason: str = ""

    @property
    def told_to_model(self) -> str:
        """The output of a call that did not run."""
        if self.status == "rejected":
            return f"error: a person refused this call: {self.reason or 'no reason was given'}"
        return (
            f"This call waits for a person's approval ({self.approval_id})."
            " Tell the user that it was not done yet."
        )


class Approvals(Protocol):
    """Asks people about tool calls."""

    async def ask(
        self,
        session: "Session",
        spec: "ToolSpec",
        call: ToolCall,
        arguments: Mapping[str, JsonValue],
        context: ToolContext,
    ) -> Approval:
        """Keep a call durably, wait at most `spec.approval_wait` seconds, and say what came of it.

        A call that is `approved` counts as begun from then on; `finish` ends it.

        Raises:
            StoreError: It could not be kept.
        """
        ...

    async def finish(self, approval_id: str, output: str | None, *, is_error: bool) -> None:
        """Keep what an approved call gave; None when it was cancelled and nobody knows.

        Raises:
            StoreError: It could not be kept; the outcome counts as unknown.
        """
        ...


class People(Protocol):
    """Brings to a conversation what people said after its turns."""

    async def attach(self, session: "Session") -> None:
        """Do what was decided while the session was closed, and go on listening."""
        ...

    async def detach(self, session: "Session") -> None:
        """Stop listening; a call that runs gets a moment to end."""
        ...
