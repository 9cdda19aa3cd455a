"""Models of every provider that litellm knows: `litellm/PROVIDER/MODEL`."""

from collections.abc import AsyncGenerator
from typing import Any

from swarm.completion import CompletionRequest, CompletionResult
from swarm.completions.openai_wire import (
    ToolCallDeltas,
    confidence_of,
    read_calls,
    read_usage,
    wire_request,
    wire_tool,
)
from swarm.errors import (
    ProviderBusyError,
    ProviderDownError,
    ProviderError,
    ProviderOutputError,
    ProviderRefusedError,
    require,
)
from swarm.extension import Services
from swarm.messages import Message
from swarm.reference import ModelReference
from swarm.specs import CompletionSpec

__all__ = ["LiteLLMCompletion", "open_litellm"]


def open_litellm(
    reference: ModelReference, spec: CompletionSpec, services: Services
) -> "LiteLLMCompletion":
    """Return the completion of a reference such as `litellm/anthropic/claude-sonnet-4`.

    litellm finds its providers' keys in the environment; `api_key_env` names another variable.

    Raises:
        MissingExtraError: litellm is not installed.
        MissingKeyError: The variable that `api_key_env` names is not set.
    """
    from swarm.completions.providers import read_key

    library: Any = require("litellm", extra="litellm")
    key = None
    if spec.api_key_env is not None:
        key = read_key(spec, services, "", is_needed=True, purpose=str(reference))
    return LiteLLMCompletion(library, reference, spec, key)


class LiteLLMCompletion:
    """A completion through litellm; see `Completion`."""

    def __init__(
        self, library: Any, reference: ModelReference, spec: CompletionSpec, key: str | None
    ) -> None:
        self._library = library
        self._reference = reference
        self._key = key
        options: dict[str, object] = {
            "api_base": spec.base_url,
            "api_key": key,
            "temperature": spec.temperature,
            "top_p": spec.top_p,
            "max_tokens": spec.max_tokens,
            "seed": spec.seed,
            # The one retry loop is ours.
            "num_retries": 0,
            "max_retries": 0,
            "timeout": spec.timeout,
        }
        self._options = {k: v for k, v in options.items() if v is not None} | dict(spec.extra_body)

    @property
    def model(self) -> str:
        """The model's reference."""
        return str(self._reference)

    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Return the whole answer; see `Completion.complete`."""
        try:
            response = await self._library.acompletion(**self._arguments(request))
        except Exception as error:
            raise self._translate(error) from error
        answer: dict[str, Any] = response.model_dump()
        try:
            choice = answer["choices"][0]
            raw = choice["message"]
        except (LookupError, TypeError):
            raise ProviderOutputError("the answer has no choices", provider=self.model) from None
        message = Message(
            role="assistant",
            content=raw.get("content") or "",
            tool_calls=read_calls(raw.get("tool_calls"), self.model),
            reasoning=raw.get("reasoning_content"),
        )
        return CompletionResult(
            message=message,
            model=self.model,
            usage=read_usage(answer.get("usage")),
            confidence=confidence_of(choice.get("logprobs")),
            finish_reason=choice.get("finish_reason"),
        )

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield text, then the whole answer; see `Completion.stream`."""
        options = {"stream": True, "stream_options": {"include_usage": True}}
        calls, text = ToolCallDeltas(), list[str]()
        usage: object = None
        finish: str | None = None
        try:
            chunks = await self._library.acompletion(**self._arguments(request), **options)
            async for item in chunks:
                chunk: dict[str, Any] = item.model_dump()
                usage = chunk.get("usage") or usage
                for choice in chunk.get("choices") or []:
                    finish = choice.get("finish_reason") or finish
                    delta = choice.get("delta") or {}
                    calls.add(delta.get("tool_calls"))
                    if delta.get("content"):
                        text.append(delta["content"])
                        yield delta["content"]
        except Exception as error:
            raise self._translate(error) from error
        message = Message(
            role="assistant", content="".join(text), tool_calls=calls.calls(self.model)
        )
        yield CompletionResult(message, self.model, read_usage(usage), finish_reason=finish)

    def _arguments(self, request: CompletionRequest) -> dict[str, object]:
        tools = [wire_tool(tool) for tool in request.tools]
        body = wire_request(self._reference.name, request.messages, tools)
        if request.wants_confidence:
            body["logprobs"] = True
        return body | self._options

    def _translate(self, error: Exception) -> ProviderError:
        """Turn litellm's error into ours, without the key that some providers repeat."""
        if isinstance(error, ProviderError):
            return error
        text = " ".join(str(error).split())[:300]
        if self._key:
            text = text.replace(self._key, "***")
        status = getattr(error, "status_code", None)
        code = status if isinstance(status, int) else None
        name = type(error).__name__
        message = f"{name}: {text}"
        if code == 429:
            return ProviderBusyError(message, provider=self.model, status=code)
        if code in (400, 401, 403, 404, 422) and "Connection" not in name:
            return ProviderRefusedError(message, provider=self.model, status=code)
        return ProviderDownError(message, provider=self.model, status=code)
