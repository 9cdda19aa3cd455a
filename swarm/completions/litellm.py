"""Models of every provider that litellm knows: `litellm/PROVIDER/MODEL`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

from swarm.completion import CompletionRequest, CompletionResult
from swarm.completions.openai_wire import (
    ToolCallDeltas,
    confidence_of,
    read_calls,
    read_usage,
    weakest_of,
    wire_format,
    wire_request,
    wire_tool,
)
from swarm.completions.providers import read_key
from swarm.completions.refusal import hide_key, refusal
from swarm.errors import ProviderDownError, ProviderError, ProviderOutputError, require
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
    With a `base_url` only a key that `api_key_env` names is sent.

    Raises:
        MissingExtraError: litellm is not installed.
        MissingKeyError: The variable that `api_key_env` names is not set.
    """
    library: Any = require("litellm", extra="litellm")
    library.suppress_debug_info = True  # it prints advice to standard output otherwise
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
        self._key_variable = next(iter(spec.key_variables), None)
        options: dict[str, object] = {
            "api_base": spec.base_url,
            # A word keeps litellm from sending the environment's key to an address of your own.
            "api_key": key or ("none" if spec.base_url else None),
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
            answer: dict[str, Any] = response.model_dump()
        except Exception as error:
            raise self._translate(error) from None  # its text may hold the key
        choices: list[Any] = answer.get("choices") or [None]
        choice, raw = _object(choices[0]), _object(_object(choices[0]).get("message"))
        if not raw:
            raise ProviderOutputError("the answer has no message", provider=self.model)
        message = Message(
            role="assistant",
            content=raw.get("content") or "",
            tool_calls=read_calls(raw.get("tool_calls"), self.model),
            reasoning=raw.get("reasoning_content") or None,
        )
        return CompletionResult(
            message=message,
            model=self.model,
            usage=read_usage(answer.get("usage")),
            confidence=confidence_of(choice.get("logprobs")),
            weakest=weakest_of(choice.get("logprobs")),
            finish_reason=choice.get("finish_reason"),
        )

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield text, then the whole answer; see `Completion.stream`."""
        options = {"stream": True, "stream_options": {"include_usage": True}}
        calls, text, reasoning = ToolCallDeltas(), list[str](), list[str]()
        logprobs: list[Any] = []
        usage: object = None
        finish: str | None = None
        try:
            chunks = await self._library.acompletion(**self._arguments(request), **options)
            async with aclosing(chunks):
                async for item in chunks:
                    chunk: dict[str, Any] = item.model_dump()
                    usage = chunk.get("usage") or usage
                    choices: list[Any] = chunk.get("choices") or []
                    for choice in map(_object, choices):
                        finish = choice.get("finish_reason") or finish
                        delta = _object(choice.get("delta"))
                        logprobs += _object(choice.get("logprobs")).get("content") or []
                        calls.add(delta.get("tool_calls"))
                        reasoning.append(delta.get("reasoning_content") or "")
                        if piece := delta.get("content"):
                            text.append(piece)
                            yield piece
        except Exception as error:
            raise self._translate(error) from None  # its text may hold the key
        if finish is None:
            raise ProviderDownError("the stream broke off", provider=self.model)
        message = Message(
            role="assistant",
            content="".join(text),
            tool_calls=calls.calls(self.model),
            reasoning="".join(reasoning) or None,
        )
        if not (message.content or message.tool_calls or message.reasoning):
            # litellm ends a stream of anything else, such as an error page, with a plain "stop".
            raise ProviderOutputError("the stream held no answer", provider=self.model)
        yield CompletionResult(
            message=message,
            model=self.model,
            usage=read_usage(usage),
            confidence=confidence_of({"content": logprobs}),
            weakest=weakest_of({"content": logprobs}),
            finish_reason=finish,
        )

    def _arguments(self, request: CompletionRequest) -> dict[str, object]:
        tools = [wire_tool(tool) for tool in request.tools]
        body = wire_request(self._reference.name, request.messages, tools)
        if tools:
            # With tools litellm imports its MCP gateway, which needs packages it does not bring.
            body["_skip_mcp_handler"] = True
        if request.wants_confidence:
            body["logprobs"] = True
        if request.response_format is not None:
            body["response_format"] = wire_format(request.response_format)
        return body | self._options

    def _translate(self, error: Exception) -> ProviderError:
        """Turn litellm's error into ours, without the key that some providers repeat."""
        if isinstance(error, ProviderError):
            return error
        status: object = getattr(error, "status_code", None)
        name = type(error).__name__
        # litellm gives connections that fail a status of its own.
        if isinstance(status, int) and status >= 300 and "Connection" not in name:
            headers: Any = getattr(error, "litellm_response_headers", None) or {}
            return refusal(
                status,
                str(error),
                provider=self.model,
                key=self._key,
                key_variable=self._key_variable,
                retry_after=headers.get("retry-after"),
            )
        text = f"{name}: {hide_key(str(error), self._key)}"
        return ProviderDownError(text, provider=self.model)


def _object(value: Any) -> dict[str, Any]:
    """Return a JSON object, or an empty one in place of anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
