"""Models that refuse to be held to a JSON Schema are asked again without it.

A server may know no `response_format`, or not every keyword of a schema; both are a refusal of
the whole request. Who asked for a document checks it anyway, so a plain answer is better.
"""

import dataclasses
from collections.abc import AsyncGenerator
from contextlib import aclosing

from swarm.completion import Completion, CompletionRequest, CompletionResult, ResponseFormat
from swarm.errors import ProviderRefusedError

__all__ = ["FormatFallback"]

_UNKNOWN_FIELD = (400, 422)
"""What servers answer to a request with something that they do not know."""
_MOST_REMEMBERED = 256


class FormatFallback:
    """A completion that does without what its model refuses, and remembers it per format."""

    def __init__(self, completion: Completion) -> None:
        self._completion = completion
        self._refused: dict[str, int] = {}
        """How many shapes of a format were refused, by the format."""

    @property
    def model(self) -> str:
        """The model's reference."""
        return self._completion.model

    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Return the whole answer; see `Completion.complete`."""
        if request.response_format is None:
            return await self._completion.complete(request)
        shapes = _shapes(request.response_format)
        for step in range(self._known(request.response_format), len(shapes)):
            try:
                asked = dataclasses.replace(request, response_format=shapes[step])
                result = await self._completion.complete(asked)
            except ProviderRefusedError as refused:
                if refused.status not in _UNKNOWN_FIELD or step == len(shapes) - 1:
                    raise
            else:
                self._remember(request.response_format, step)
                return result
        raise AssertionError("the last shape returns or raises")

    def stream(self, request: CompletionRequest) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield text, then the whole answer; see `Completion.stream`."""
        if request.response_format is None:
            return self._completion.stream(request)
        return self._stream(request, request.response_format)

    async def _stream(
        self, request: CompletionRequest, wanted: ResponseFormat
    ) -> AsyncGenerator[str | CompletionResult, None]:
        shapes = _shapes(wanted)
        for step in range(self._known(wanted), len(shapes)):
            asked = dataclasses.replace(request, response_format=shapes[step])
            is_first = True
            async with aclosing(self._completion.stream(asked)) as items:
                try:
                    async for item in items:
                        if is_first:
                            self._remember(wanted, step)
                            is_first = False
                        yield item
                    return
                except ProviderRefusedError as refused:
                    is_last = step == len(shapes) - 1
                    if refused.status not in _UNKNOWN_FIELD or is_last or not is_first:
                        raise

    def _known(self, wanted: ResponseFormat) -> int:
        return self._refused.get(repr(wanted), 0)

    def _remember(self, wanted: ResponseFormat, step: int) -> None:
        """Keep what was refused, now that a request without it was answered."""
        if step:
            if len(self._refused) >= _MOST_REMEMBERED:
                self._refused.clear()
            self._refused[repr(wanted)] = step


def _shapes(wanted: ResponseFormat) -> list[ResponseFormat | None]:
    """Return what to ask for, in order: the format, the format less strictly, plain text."""
    less = [dataclasses.replace(wanted, strict=False)] if wanted.strict else []
    return [wanted, *less, None]
