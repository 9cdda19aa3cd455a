"""The two steps of reading a stream that somebody else yields."""

from collections.abc import AsyncGenerator
from typing import TypeAlias

from swarm.completion import Completion, CompletionRequest, CompletionResult
from swarm.errors import ProviderOutputError

__all__ = ["Items", "begin", "following"]

Items: TypeAlias = AsyncGenerator[str | CompletionResult, None]
"""What `Completion.stream` yields."""


async def begin(
    completion: Completion, request: CompletionRequest
) -> tuple[Items, str | CompletionResult]:
    """Return a stream, and the first that it yields.

    Raises:
        ProviderError: The provider failed before there was anything.
    """
    items = completion.stream(request)
    try:
        return items, await anext(items)
    except StopAsyncIteration:
        raise ProviderOutputError("an empty stream", provider=completion.model) from None
    except BaseException:
        await items.aclose()
        raise


async def following(items: Items, model: str) -> str | CompletionResult:
    """Return what a stream yields next.

    Raises:
        ProviderError: The provider failed, or the stream ends without an answer.
    """
    try:
        return await anext(items)
    except StopAsyncIteration:
        text = "a stream without an answer at its end"
        raise ProviderOutputError(text, provider=model) from None
