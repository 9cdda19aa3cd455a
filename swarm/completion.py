"""What a completion is: a request with messages and tools in, one assistant message out.

Only the contract lives here; `swarm.completions` has the implementations, and a program may
bring its own.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import JsonValue

from swarm.messages import Message, Usage

__all__ = [
    "Completion",
    "CompletionRequest",
    "CompletionResult",
    "ResponseFormat",
    "ToolDefinition",
]


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool as it is offered to a model."""

    name: str
    description: str
    parameters: Mapping[str, JsonValue]
    """JSON Schema of type object."""
    examples: Sequence[str] = ()
    """Messages the tool is right for; only the `offline` completion reads them."""


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """A JSON document in place of free text, for providers that can hold a model to a schema."""

    name: str
    """What the document is: the name of an outline."""
    schema: Mapping[str, JsonValue]
    """JSON Schema of type object."""
    strict: bool = False
    """The schema names every field and requires all of them, as OpenAI's strict mode needs it."""


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """One question to a model."""

    messages: Sequence[Message]
    tools: Sequence[ToolDefinition] = ()
    client_id: str | None = None
    agent_name: str | None = None
    wants_confidence: bool = False
    """Ask for token log-probabilities where the provider has them."""
    response_format: ResponseFormat | None = None
    """Ask for a JSON document; not every provider can, so the answer is still to be checked."""
    wants_usage: bool = False
    """Estimate the tokens where the provider does not count them, so that limits hold."""


@dataclass(frozen=True, slots=True)
class CompletionResult:
    """The model's answer."""

    message: Message
    """Role assistant: text, tool calls, or both."""
    model: str
    """The reference of the model that answered, such as `openai/gpt-5`."""
    usage: Usage = field(default_factory=Usage)
    confidence: float | None = None
    """Geometric mean of the token probabilities, in (0, 1]; None when the provider gives none."""
    finish_reason: str | None = None
    weakest: float | None = None
    """The same mean over the least sure four tokens in a row."""


class Completion(Protocol):
    """Something that answers; safe to use from many tasks at once."""

    @property
    def model(self) -> str:
        """The model's reference."""
        ...

    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Return the whole answer.

        Raises:
            ProviderError: The provider failed.
        """
        ...

    def stream(self, request: CompletionRequest) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield pieces of text as they come, then the whole answer as the last item.

        Raises:
            ProviderError: The provider failed, before or after the first piece.
        """
        ...
