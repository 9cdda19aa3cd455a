"""The one retry loop: attempts and fallbacks inside one total deadline.

Providers and their SDKs retry nothing themselves. A stream can be tried again until its first
piece of text has left; after that a failure is final.
"""

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

_PASSING = (ProviderDownError, ProviderBusyError, ProviderOutputError)
"""What another attempt may not meet again."""

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
        deadline = anyio.current_time() + self._timeout
        return await self._ask(lambda candidate: candidate.complete(request), deadline)

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

        items, item = await self._ask(first, deadline)
        async with aclosing(items):
            yield item
            while not isinstance(item, CompletionResult):
                # A cancel scope must not be open across a yield.
                with anyio.CancelScope(deadline=deadline) as scope:
                    try:
                        item = await anext(items)
                    except StopAsyncIteration:
                        text = "a stream without an answer at its end"
                        raise ProviderOutputError(text, provider=self.model) from None
                if scope.cancelled_caught:
                    raise self._too_late()
                yield item

    async def ask(self, call: Callable[[Completion], Awaitable[Result]]) -> Result:
        """Return what a call of the models gives, tried again in the same way as an answer.

        Raises:
            ProviderError: No attempt inside the deadline was successful.
        """
        return await self._ask(call, anyio.current_time() + self._timeout)

    async def _ask(
        self, call: Callable[[Completion], Awaitable[Result]], deadline: float
    ) -> Result:
        """Ask one candidate after the other.

        A model that hangs must leave time for its fallbacks, so each candidate may use an equal
        share of what is left; the last one has it all.
        """
        failure: ProviderError | None = None
        for place, candidate in enumerate(self._candidates):
            now = anyio.current_time()
            until = now + (deadline - now) / (len(self._candidates) - place)
            try:
                with anyio.CancelScope(deadline=until):
                    for attempt in range(self._max_retries + 1):
                        try:
                            return await call(candidate)
                        except _PASSING as error:
                            pause = _pause(attempt, error.retry_after)
                            # Waiting past the deadline would only hide why it failed.
                            is_last = attempt == self._max_retries
                            if is_last or anyio.current_time() + pause >= until:
                                raise
                        await anyio.sleep(pause)
                failure = self._too_late()
            except ProviderError as error:
                failure = error
        raise failure or RuntimeError("a completion without candidates")

    def _too_late(self) -> ProviderTimeoutError:
        return ProviderTimeoutError(f"no answer within {self._timeout:g} s", provider=self.model)


def _pause(attempt: int, retry_after: float | None) -> float:
    if retry_after is not None:
        return retry_after
    import random  # it brings hashlib, which no import should pay for

    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt) * random.uniform(0.5, 1.0)
