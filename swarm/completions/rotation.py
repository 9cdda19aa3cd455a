"""One model through several keys, which take turns; keys that cannot serve are left out.

A key is set aside when the provider refuses it, rests when the provider is busy with it, and is
done when its budget is spent. The next key is asked in the same attempt.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import NamedTuple, TypeVar

from swarm.completion import Completion, CompletionRequest, CompletionResult
from swarm.completions.errors import KeyBudgetError
from swarm.completions.prices import Price
from swarm.completions.rota import Rota
from swarm.completions.spending import Account, Spending, with_usage
from swarm.completions.streaming import begin, following
from swarm.errors import ProviderBusyError, ProviderError, ProviderRefusedError
from swarm.specs import BudgetSpec

__all__ = ["Key", "RotatingCompletion"]

Result = TypeVar("Result")

_log = logging.getLogger("wikiswarm")

_ABOUT_THE_KEY = (None, 401, 403)
"""Statuses of a refusal; functions raise refusals without one."""


class Key(NamedTuple):
    """A model as it is reached with one key."""

    name: str
    """How messages call the key: its variable, never the key."""
    completion: Completion


class RotatingCompletion:
    """A completion whose calls take turns over keys; see `Completion`."""

    def __init__(
        self,
        keys: Sequence[Key],
        *,
        rota: Rota | None = None,
        budget: BudgetSpec | None = None,
        spending: Spending | None = None,
        price: Price | None = None,
    ) -> None:
        """Put the keys in order.

        Args:
            keys: At least one.
            rota: Whose turn it is.
            budget: What may be spent with each key; its `session_` limits count.
            spending: What was spent so far, shared by all that use the same keys.
            price: What the model costs.
        """
        self._keys = tuple(keys)
        self._rota = rota or Rota(len(keys))
        self._budget = budget
        self._spending = spending or Spending()
        self._price = price

    @property
    def model(self) -> str:
        """The model's reference."""
        return self._keys[0].completion.model

    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Return the whole answer; see `Completion.complete`."""
        place, result = await self._ask(lambda completion: completion.complete(request))
        try:
            return self._counted(place, request, result)
        finally:
            self._end(place)

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield text, then the whole answer; see `Completion.stream`."""
        place, (items, item) = await self._ask(lambda completion: begin(completion, request))
        try:
            async with aclosing(items):
                while not isinstance(item, CompletionResult):
                    yield item
                    item = await following(items, self.model)
                yield self._counted(place, request, item)
        finally:
            self._end(place)

    async def _ask(self, call: Callable[[Completion], Awaitable[Result]]) -> tuple[int, Result]:
        """Ask with one key after the other; the call of the one that answered still runs."""
        tried: set[int] = set()
        failure: ProviderError | None = None
        while (place := await self._take(tried)) is not None:
            tried.add(place)
            try:
                result = await call(self._keys[place].completion)
            except BaseException as error:
                self._end(place)
                if not isinstance(error, ProviderError) or not self._note(place, error):
                    raise
                failure = error
            else:
                self._rota.answered(place)
                return place, result
        raise self._none_left(failure)

    async def _take(self, tried: set[int]) -> int | None:
        """Return the key whose turn it is, or None; its call counts as running."""
        places = range(len(self._keys))
        without = set(tried)
        if tried:
            without.update(place for place in places if self._rota.is_refused(place))
        if self._budget is None:
            return self._rota.take(without)
        while True:
            without.update(place for place in places if self._over(place) is not None)
            full = {p for p in places if self._account(p).must_wait(self._budget)}
            place = self._rota.take(without | full)
            if place is not None:
                self._account(place).running += 1
                return place
            if not full - without:
                return None
            await self._spending.wait()

    def _note(self, place: int, error: ProviderError) -> bool:
        """Remember what an error says of a key; returns whether another key may be asked."""
        if isinstance(error, ProviderBusyError):
            if len(self._keys) > 1:
                self._rota.busy(place, error.retry_after)
            return True
        # Any other refusal is about the request, and each key would hear the same.
        if not isinstance(error, ProviderRefusedError) or error.status not in _ABOUT_THE_KEY:
            return False
        if len(self._keys) > 1 and self._rota.refused(place):
            status = f" (HTTP {error.status})" if error.status else ""
            name = self._keys[place].name
            _log.warning("%s: %s was refused%s and is set aside", self.model, name, status)
        return True

    def _none_left(self, failure: ProviderError | None) -> ProviderError:
        """Return why there is no key to ask with."""
        if failure is not None and len(self._keys) == 1:
            return failure
        rests: list[float] = []
        states: list[str] = []
        for place, key in enumerate(self._keys):
            if self._rota.is_refused(place):
                states.append(f"{key.name} was refused")
            elif (spent := self._over(place)) is not None:
                states.append(f"{key.name} has spent {spent}")
            elif (rest := self._rota.rest(place)) > 0:
                rests.append(rest)
                states.append(f"{key.name} rests for {rest:.1f} s")
        said = "; ".join(states)
        if rests:
            wait = min(rests)
            text = f"no key is free, the first is in {wait:.1f} s ({said})"
            return ProviderBusyError(text, provider=self.model, status=429, retry_after=wait)
        return failure or KeyBudgetError(f"no key may be used ({said})", provider=self.model)

    def _account(self, place: int) -> Account:
        return self._spending.account(self._keys[place].name)

    def _over(self, place: int) -> str | None:
        return None if self._budget is None else self._account(place).over(self._budget)

    def _end(self, place: int) -> None:
        if self._budget is not None:
            self._spending.end(self._account(place))

    def _counted(
        self, place: int, request: CompletionRequest, result: CompletionResult
    ) -> CompletionResult:
        """Return an answer once it is counted against the key."""
        if self._budget is not None:
            # What a provider does not count must not be free.
            known = with_usage(request, result)
            usage = (known if self._price is None else self._price.charge(known)).usage
            self._account(place).add(usage)
        return result
