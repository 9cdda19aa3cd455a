"""A completion that a program's own function gives."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast

from pydantic import ValidationError

from swarm.completion import CompletionRequest, CompletionResult
from swarm.errors import ProviderOutputError
from swarm.functions import call_in_thread
from swarm.messages import Message, read_message
from swarm.specs import Callback

__all__ = ["CallbackCompletion"]


class CallbackCompletion:
    """Calls `function(request)`, plain or async.

    It may return the answer as text, as a `Message`, as a `CompletionResult`, or as a mapping
    with the fields of `Message`.
    """

    def __init__(self, function: Callback, name: str) -> None:
        self._function = function
        self._name = name

    @property
    def model(self) -> str:
        """How the journal names the function."""
        return self._name

    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Return the function's answer; see `Completion.complete`."""
        return self._result(await call_in_thread(self._function, request))

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield the text in one piece, then the answer; see `Completion.stream`."""
        result = await self.complete(request)
        if result.message.content:
            yield result.message.content
        yield result

    def _result(self, value: Any) -> CompletionResult:
        if isinstance(value, str):
            value = Message(role="assistant", content=value)
        elif isinstance(value, Mapping):
            fields = {"role": "assistant", **cast("Mapping[str, Any]", value)}
            try:
                value = read_message(fields)
            except ValidationError as wrong:
                raise ProviderOutputError(
                    f"the mapping it returned is no message: {wrong.error_count()} problems",
                    provider=self.model,
                ) from None
        if isinstance(value, Message):
            value = CompletionResult(value, self.model)
        if not isinstance(value, CompletionResult):
            kind = type(value).__name__
            raise ProviderOutputError(
                f"it returned {kind}; return text, a Message or a CompletionResult",
                provider=self.model,
            )
        if value.message.role != "assistant":
            raise ProviderOutputError(
                f"it returned a message of role {value.message.role!r}, not of the assistant",
                provider=self.model,
            )
        return value
