"""The one retry loop: attempts and fallbacks inside one total deadline.

Providers and their SDKs retry nothing themselves. A stream can be tried again until its first
piece of text has left; after that a failure is final.
"""

import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

import anyio

from swarm.completion import Completion, CompletionRequest, CompletionResult
from swarm.errors import (
    ProviderBusyError,
    ProviderDownError,
    ProviderError,
    ProviderOutputError,
    ProviderTimeoutError,
)

__all__ = ["ResilientCompletion"]

Result = TypeVar("Result")

_FIRST_PAUSE = 0.25
"""Seconds before the second attempt; doubled for each further one, with jitter."""
_LONGEST_PAUSE = 8.0


class ResilientCompletion:
    """A completion that tries again, and then asks the next model."""

    def __init__(
        self, candidates: Sequence[Completion], *, max_retries: int, timeout: float
    ) -> None:
        self._candidates = candidates
        self._max_retries = max_retries
        self._timeout = timeout

    @property
    def model(self) -> str:
        """The reference of the first model."""
        return self._candidates[0].model

    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Return the first answer that comes; see `Completion.complete`."""
        with anyio.move_on_after(self._timeout):
            return await self._attempt(lambda candidate: candidate.complete(request))
        raise self._too_late()

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield text, then the whole answer; see `Completion.stream`."""
        deadline = anyio.current_time() + self._timeout

        async def first(
            candidate: Completion,
        ) -> tuple[AsyncGenerator[str | CompletionResult, None], str | CompletionResult]:
            items = candidate.stream(request)
            try:
                return items, await anext(items)
            except StopAsyncIteration:
                raise ProviderOutputError("an empty stream", provider=candidate.model) from None
            except BaseException:
                await items.aclose()
                raise

        with anyio.CancelScope(deadline=deadline) as scope:
            items, item = await self._attempt(first)
        if scope.cancelled_caught:
            raise self._too_late()
        async with aclosing(items):
            yield item
            while not isinstance(item, CompletionResult):
                # A cancel scope must not be open across a yield.
                with anyio.CancelScope(deadline=deadline) as scope:
                    item = await anext(items)
                if scope.cancelled_caught:
                    raise self._too_late()
                yield item

    async def _attempt(self, call: Callable[[Completion], Awaitable[Result]]) -> Result:
        failure: ProviderError | None = None
        for candidate in self._candidates:
            for attempt in range(self._max_retries + 1):
                try:
                    return await call(candidate)
                except (ProviderDownError, ProviderBusyError, ProviderOutputError) as error:
                    failure = error
                    if attempt < self._max_retries:
                        await anyio.sleep(_pause(attempt, error.retry_after))
                except ProviderError as error:
                    failure = error
                    break
        raise failure or RuntimeError("a completion without candidates")

    def _too_late(self) -> ProviderTimeoutError:
        return ProviderTimeoutError(f"no answer within {self._timeout:g} s", provider=self.model)


def _pause(attempt: int, retry_after: float | None) -> float:
    if retry_after is not None:
        return retry_after
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt) * random.uniform(0.5, 1.0)
