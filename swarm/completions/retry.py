"""The one retry loop: attempts and fallbacks inside one total deadline.

Providers and their SDKs retry nothing themselves. A stream can be tried again until its first
piece of text has left; after that a failure is final. What a declaration says of every call, its
flags, its places, its price and who is told, is done here too.
"""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

import anyio

from swarm.completion import Completion, CompletionRequest, CompletionResult
from swarm.completions.breaker import Breaker
from swarm.completions.errors import CircuitOpenError
from swarm.completions.prices import Price
from swarm.completions.spending import with_usage
from swarm.completions.streaming import Items, begin, following
from swarm.errors import (
    ProviderBusyError,
    ProviderDownError,
    ProviderError,
    ProviderOutputError,
    ProviderRefusedError,
    ProviderTimeoutError,
)
from swarm.messages import Message

__all__ = ["Candidate", "Observe", "ResilientCompletion"]

Result = TypeVar("Result")

_PASSING = (ProviderDownError, ProviderBusyError, ProviderOutputError)
"""What another attempt may not meet again."""

Observe = Callable[[CompletionRequest, CompletionResult], Awaitable[None]]
"""Is told of each answer, and never raises."""

_FIRST_PAUSE = 0.25
"""Seconds before the second attempt; doubled for each further one, with jitter."""
_LONGEST_PAUSE = 8.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may be asked."""

    completion: Completion
    breaker: Breaker | None = None
    """Shared by everything that asks the same model; None where there is none."""
    price: Price | None = None
    """None where nobody knows it."""


class ResilientCompletion:
    """A completion that tries again, and then asks the next model."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        *,
        max_retries: int,
        timeout: float,
        flags: Sequence[str] = (),
        max_concurrent: int | None = None,
        observe: Observe | None = None,
    ) -> None:
        """Put a completion together.

        Args:
            candidates: The models, in the order in which they are asked.
            max_retries: Further attempts at each model.
            timeout: Seconds for one call with all its attempts.
            flags: Lines that stand at the end of the system prompt.
            max_concurrent: Calls at the same time; further ones wait in order, each at most
                `timeout` seconds.
            observe: Is told of each answer.
        """
        self.candidates = tuple(candidates)
        self._max_retries = max_retries
        self._timeout = timeout
        self._flags = "\n".join(flags)
        self._max_concurrent = max_concurrent
        # Invariant: at most so many calls at once. Who waits longest is let in first.
        self._places = (
            None if max_concurrent is None else anyio.Semaphore(max_concurrent, fast_acquire=True)
        )
        self._observe = observe

    @property
    def model(self) -> str:
        """The reference of the first model."""
        return self.candidates[0].completion.model

    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Return the first answer that comes; see `Completion.complete`."""
        if self._places is None:
            return await self._complete(request)
        async with self._place(self._places):
            return await self._complete(request)

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield text, then the whole answer; see `Completion.stream`."""
        places = self._places
        async with contextlib.nullcontext() if places is None else self._place(places):
            deadline = anyio.current_time() + self._timeout
            if self._flags:
                request = _with_flags(request, self._flags)
            candidate, (items, item) = await self._ask(lambda c: begin(c, request), deadline)
            async with aclosing(items):
                while not isinstance(item, CompletionResult):
                    yield item
                    item = await self._next(candidate, items, deadline)
                yield await self._finish(candidate, request, item)

    async def _complete(self, request: CompletionRequest) -> CompletionResult:
        deadline = anyio.current_time() + self._timeout
        if self._flags:
            request = _with_flags(request, self._flags)
        candidate, result = await self._ask(lambda c: c.complete(request), deadline)
        return await self._finish(candidate, request, result)

    async def _next(
        self, candidate: Candidate, items: Items, deadline: float
    ) -> str | CompletionResult:
        """Return what a stream yields next."""
        try:
            # A cancel scope must not be open across a yield.
            with anyio.CancelScope(deadline=deadline):
                return await following(items, candidate.completion.model)
            raise self._too_late(candidate.completion)
        except (ProviderDownError, ProviderTimeoutError):
            if candidate.breaker is not None:
                candidate.breaker.failed()
            raise

    async def ask(self, call: Callable[[Completion], Awaitable[Result]]) -> Result:
        """Return what a call of the models gives, tried again in the same way as an answer.

        Raises:
            ProviderError: No attempt inside the deadline was successful.
        """
        _, result = await self._ask(call, anyio.current_time() + self._timeout)
        return result

    async def _ask(
        self, call: Callable[[Completion], Awaitable[Result]], deadline: float
    ) -> tuple[Candidate, Result]:
        """Ask one candidate after the other.

        A model that hangs must leave time for its fallbacks, so each candidate may use an equal
        share of what is left; the last one has it all.
        """
        failure: ProviderError | None = None
        for place, candidate in enumerate(self.candidates):
            breaker, is_probe = candidate.breaker, False
            if breaker is not None:
                try:
                    is_probe = breaker.admit()
                except CircuitOpenError as error:
                    # Why a model before it failed says more.
                    failure = failure or error
                    continue
            now = anyio.current_time()
            until = now + (deadline - now) / (len(self.candidates) - place)
            try:
                with anyio.CancelScope(deadline=until):
                    for attempt in range(self._max_retries + 1):
                        try:
                            return candidate, await call(candidate.completion)
                        except ProviderError as error:
                            pause = self._pause_after(error, attempt, breaker, until)
                        await anyio.sleep(pause)
                failure = self._too_late(candidate.completion)
                if breaker is not None:
                    breaker.failed()
            except ProviderError as error:
                failure = error
            finally:
                if breaker is not None:
                    breaker.left(is_probe)
        raise failure or RuntimeError("a completion without candidates")

    def _pause_after(
        self, error: ProviderError, attempt: int, breaker: Breaker | None, until: float
    ) -> float:
        """Return the seconds to wait before another attempt, or raise what there is no help for."""
        if breaker is not None:
            _judge(breaker, error)
        if not isinstance(error, _PASSING) or attempt == self._max_retries:
            raise error
        pause = _pause(attempt, error.retry_after)
        # Waiting past the deadline would only hide why it failed.
        if anyio.current_time() + pause >= until or (breaker is not None and breaker.is_open):
            raise error
        return pause

    async def _finish(
        self, candidate: Candidate, request: CompletionRequest, result: CompletionResult
    ) -> CompletionResult:
        """Return an answer with its cost, once everybody has been told of it."""
        if candidate.breaker is not None:
            candidate.breaker.answered()
        if request.wants_usage:
            result = with_usage(request, result)
        if candidate.price is not None:
            result = candidate.price.charge(result)
        if self._observe is not None:
            await self._observe(request, result)
        return result

    @asynccontextmanager
    async def _place(self, places: anyio.Semaphore) -> AsyncGenerator[None]:
        """Wait for one of the places of `max_concurrent`."""
        is_in = False
        with anyio.CancelScope(deadline=anyio.current_time() + self._timeout):
            await places.acquire()
            is_in = True
        if not is_in:
            text = f"{self._max_concurrent} calls (`max_concurrent`) left no place"
            raise ProviderTimeoutError(f"{text} within {self._timeout:g} s", provider=self.model)
        try:
            yield
        finally:
            places.release()

    def _too_late(self, completion: Completion) -> ProviderTimeoutError:
        text = f"no answer within {self._timeout:g} s"
        return ProviderTimeoutError(text, provider=completion.model)


def _judge(breaker: Breaker, error: ProviderError) -> None:
    """Tell a breaker what an error says of the model; being busy says nothing."""
    if isinstance(error, ProviderDownError | ProviderTimeoutError):
        breaker.failed()
    elif isinstance(error, ProviderRefusedError | ProviderOutputError):
        breaker.answered()


def _with_flags(request: CompletionRequest, flags: str) -> CompletionRequest:
    """Put lines at the end of the system prompt, which is the messages of the system that lead."""
    messages = list(request.messages)
    count = 0
    while count < len(messages) and messages[count].role == "system":
        count += 1
    if count == 0:
        messages.insert(0, Message(role="system", content=flags))
    else:
        last = messages[count - 1]
        content = f"{last.content}\n{flags}" if last.content else flags
        messages[count - 1] = replace(last, content=content)
    return replace(request, messages=messages)


def _pause(attempt: int, retry_after: float | None) -> float:
    import random  # it brings hashlib, which no import should pay for

    if retry_after is not None:
        # Never earlier, and not everybody at the same moment.
        return retry_after + random.uniform(0.0, min(1.0, retry_after / 10))
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt) * random.uniform(0.5, 1.0)
