"""Ways to put one question to a completion, shared by the tests of this folder."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple, Protocol

import pytest

from swarm import CompletionRequest, CompletionResult, CompletionSpec, Host, Message
from swarm.completion import Completion, ToolDefinition

__all__ = ["LITELLM_WARNINGS", "MODES", "TOOL", "Answer", "OpenModel", "ask", "opener", "request"]

LITELLM_WARNINGS = pytest.mark.filterwarnings(
    "ignore:Accessing the 'model_:DeprecationWarning",
    "ignore:Items? .* on TypedDict class:UserWarning",
)
"""What the newest pydantic says about litellm's own code."""

MODES = ("whole", "streamed")

TOOL = ToolDefinition(
    name="stock_level",
    description="How many boxes are in stock.",
    parameters={"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]},
)


class Answer(NamedTuple):
    """What came back: the text as a user would see it, and the whole result."""

    pieces: list[str]
    result: CompletionResult

    @property
    def text(self) -> str:
        return self.result.message.content


class OpenModel(Protocol):
    async def __call__(
        self, model: str = ..., base_url: str | None = ..., **fields: Any
    ) -> Completion:
        """Open a completion by its declaration; `max_retries` is 0 unless given."""
        ...


def opener(host: Host) -> OpenModel:
    """Return how the tests open models in a host."""

    async def open_model(
        model: str = "openai/stub-model", base_url: str | None = None, **fields: Any
    ) -> Completion:
        fields = {"max_retries": 0, "timeout": 5, **fields}
        spec = CompletionSpec(completion_name="model", model=model, base_url=base_url, **fields)
        return await host.completion(spec)

    return open_model


def request(
    *messages: Message | str, tools: Sequence[ToolDefinition] = (), wants_confidence: bool = False
) -> CompletionRequest:
    """Return a request; plain texts are the user's."""
    found = [Message(role="user", content=m) if isinstance(m, str) else m for m in messages]
    return CompletionRequest(
        messages=found or [Message(role="user", content="Hello")],
        tools=tools,
        wants_confidence=wants_confidence,
    )


async def ask(
    completion: Completion, mode: str, question: CompletionRequest | None = None
) -> Answer:
    """Ask in one of `MODES`; the pieces of a stream must be its text."""
    question = question or request()
    if mode == "whole":
        result = await completion.complete(question)
        return Answer([result.message.content], result)
    pieces: list[str] = []
    stream: AsyncGenerator[str | CompletionResult, None] = completion.stream(question)
    async with aclosing(stream) as items:
        async for item in items:
            if isinstance(item, CompletionResult):
                assert item.message.content == "".join(pieces)
                return Answer(pieces, item)
            pieces.append(item)
    raise AssertionError("the stream had no result")
