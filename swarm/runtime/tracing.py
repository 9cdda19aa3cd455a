"""What a turn tells those that trace it: when it and its parts begin, and how they end.

Only the contract lives here. `swarm.telemetry` implements it, and the host puts it into the plan;
without one a turn pays for a look at None.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from swarm.completion import CompletionRequest, CompletionResult
from swarm.events import Answered
from swarm.messages import ToolCall

__all__ = ["Tracer", "TurnStart", "default_tracer", "set_default_tracer"]


@dataclass(frozen=True, slots=True)
class TurnStart:
    """A turn that begins."""

    session_id: str
    swarm_name: str
    agent_name: str
    """The agent that is active at its beginning."""
    model: str
    """The reference of that agent's model."""
    run_id: str
    content: str
    """What the user said."""


class Tracer(Protocol):
    """Traces turns, in any number of tasks at once.

    Each method returns a context manager that spans the work, and gives a function to be called
    with the result; work that raises never calls it. A tracer raises nothing of its own.
    """

    def turn(self, start: TurnStart, /) -> AbstractContextManager[Callable[[Answered], None]]:
        """Span a turn, from its first event to its answer."""
        ...

    def model_call(
        self,
        request: CompletionRequest,
        model: str,
        *,
        session_id: str | None = None,
        is_streamed: bool = False,
    ) -> AbstractContextManager[Callable[[CompletionResult], None]]:
        """Span one question to a model, with its retries.

        Args:
            request: The question.
            model: The reference of the model that is asked.
            session_id: The conversation, when there is one.
            is_streamed: The answer comes in pieces.
        """
        ...

    def tool_call(
        self, call: ToolCall, *, agent_name: str, session_id: str, description: str = ""
    ) -> AbstractContextManager[Callable[[str, bool], None]]:
        """Span one tool call; the function takes its output, and whether that is an error.

        Args:
            call: What the model asked for.
            agent_name: Whose tool it is.
            session_id: The conversation.
            description: What the model was told of the tool.
        """
        ...

    def hand_off(self, from_agent: str, to_agent: str) -> None:
        """Note that another agent has taken over, in the turn that is running."""
        ...


_default: Tracer | None = None


def default_tracer() -> Tracer | None:
    """Return the tracer of hosts that are given none."""
    return _default


def set_default_tracer(tracer: Tracer | None) -> None:
    """Trace with this in hosts that are made from now on and given no other."""
    global _default
    _default = tracer
