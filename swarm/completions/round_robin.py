"""A callback whose calls take turns over several clients or keys: `round_robin`."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from swarm.completion import CompletionRequest, CompletionResult
from swarm.completions.callback import CallbackCompletion
from swarm.completions.rotation import Key, RotatingCompletion
from swarm.errors import DeclarationError

__all__ = ["RoundRobin", "round_robin"]

Token = TypeVar("Token")


def round_robin(tokens: Sequence[Token], factory: Callable[[Token], Any]) -> "RoundRobin":
    """Return a function for `get_completion` that takes turns over keys, clients or addresses.

    One that raises `ProviderRefusedError` with status 401, 403 or none is set aside, one that
    raises `ProviderBusyError` rests for its `retry_after`; the next is asked at once.

    ```python
    add_completion(completion_name="model", get_completion=round_robin(keys, make_client))
    ```

    Args:
        tokens: What to take turns over. It is never shown: messages say `number 2 of 3`.
        factory: Called once with each; returns a function that takes a `CompletionRequest` and
            answers as `get_completion` may, plain or async.

    Raises:
        DeclarationError: There are no tokens, or the factory returned what cannot be called.
    """
    if not tokens:
        raise DeclarationError("round_robin needs at least one token")
    name: str = getattr(factory, "__name__", type(factory).__name__)
    keys: list[Key] = []
    for number, token in enumerate(tokens, start=1):
        function = factory(token)
        place = f"number {number} of {len(tokens)}"
        if not callable(function):
            kind = type(function).__name__
            raise DeclarationError(f"{name} returned {kind} for {place}, which cannot be called")
        keys.append(Key(place, CallbackCompletion(function, f"python:{name}")))
    return RoundRobin(name, RotatingCompletion(keys))


class RoundRobin:
    """What `round_robin` returns; call it with a request."""

    def __init__(self, name: str, completion: RotatingCompletion) -> None:
        self.__name__ = name
        self._completion = completion

    async def __call__(self, request: CompletionRequest) -> CompletionResult:
        """Return the answer of the one whose turn it is.

        Raises:
            ProviderError: None of them could answer.
        """
        return await self._completion.complete(request)
