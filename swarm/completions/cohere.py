"""Cohere's chat models, through their SDK: `cohere/MODEL`."""

import math
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from swarm.completion import CompletionRequest, CompletionResult
from swarm.completions.openai_wire import ToolCallDeltas, read_calls, wire_message, wire_tool
from swarm.completions.providers import read_key
from swarm.errors import (
    ProviderBusyError,
    ProviderDownError,
    ProviderError,
    ProviderOutputError,
    ProviderRefusedError,
    require,
)
from swarm.extension import Services
from swarm.messages import Message, Usage
from swarm.reference import ModelReference
from swarm.specs import CompletionSpec

if TYPE_CHECKING:
    import cohere

__all__ = ["CohereCompletion", "open_cohere"]


async def open_cohere(
    reference: ModelReference, spec: CompletionSpec, services: Services
) -> "CohereCompletion":
    """Return the completion of a reference such as `cohere/command-a-03-2025`.

    Raises:
        MissingExtraError: The SDK is not installed.
        MissingKeyError: The environment has no COHERE_API_KEY.
    """
    library: Any = require("cohere", extra="cohere")
    key = read_key(
        spec, services, "COHERE_API_KEY", is_needed=spec.base_url is None, purpose=str(reference)
    )

    async def start() -> tuple["cohere.AsyncClientV2", Any]:
        client: cohere.AsyncClientV2 = library.AsyncClientV2(
            api_key=key or "none",
            base_url=spec.base_url,
            timeout=spec.timeout,
            max_retries=0,  # the one retry loop is ours
            log_warning_experimental_features=False,
        )

        async def stop() -> None:
            await client.__aexit__(None, None, None)

        return client, stop

    client = await services.shared(f"cohere:{spec.base_url}:{spec.api_key_env}", start)
    return CohereCompletion(client, reference, spec, key)


class CohereCompletion:
    """A completion through Cohere's chat API, version 2; see `Completion`."""

    def __init__(
        self,
        client: "cohere.AsyncClientV2",
        reference: ModelReference,
        spec: CompletionSpec,
        key: str | None,
    ) -> None:
        # The SDK's parameters are unions of its own models; it takes the same data as mappings.
        self._client: Any = client
        self._reference = reference
        self._key = key
        options = {
            "temperature": spec.temperature,
            "p": spec.top_p,
            "max_tokens": spec.max_tokens,
            "seed": spec.seed,
        }
        self._options = {k: v for k, v in options.items() if v is not None}
        if spec.extra_body:
            self._options["request_options"] = {"additional_body_parameters": dict(spec.extra_body)}

    @property
    def model(self) -> str:
        """The model's reference."""
        return str(self._reference)

    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Return the whole answer; see `Completion.complete`."""
        try:
            response = await self._client.chat(**self._arguments(request))
        except Exception as error:
            raise self._translate(error) from error
        answer: dict[str, Any] = response.model_dump()
        raw: dict[str, Any] = answer.get("message") or {}
        items: list[dict[str, Any]] = raw.get("content") or []
        message = Message(
            role="assistant",
            content="".join(item.get("text") or "" for item in items),
            tool_calls=read_calls(raw.get("tool_calls"), self.model),
            reasoning=raw.get("tool_plan")
            or "".join(item.get("thinking") or "" for item in items)
            or None,
        )
        return CompletionResult(
            message=message,
            model=self.model,
            usage=_usage(answer.get("usage")),
            confidence=_confidence(answer.get("logprobs")),
            finish_reason=answer.get("finish_reason"),
        )

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield text, then the whole answer; see `Completion.stream`."""
        calls, text, plan = ToolCallDeltas(), list[str](), list[str]()
        end: dict[str, Any] | None = None
        try:
            async for item in self._client.chat_stream(**self._arguments(request)):
                event: dict[str, Any] = item.model_dump()
                delta: dict[str, Any] = event.get("delta") or {}
                message: dict[str, Any] = delta.get("message") or {}
                kind = event.get("type")
                if kind == "content-delta":
                    piece = (message.get("content") or {}).get("text") or ""
                    if piece:
                        text.append(piece)
                        yield piece
                elif kind == "tool-plan-delta":
                    plan.append(message.get("tool_plan") or "")
                elif kind in ("tool-call-start", "tool-call-delta"):
                    call: dict[str, Any] = message.get("tool_calls") or {}
                    calls.add([{**call, "index": event.get("index")}])
                elif kind == "message-end":
                    end = delta
        except Exception as error:
            raise self._translate(error) from error
        if end is None:
            raise ProviderDownError("the stream broke off", provider=self.model)
        answer = Message(
            role="assistant",
            content="".join(text),
            tool_calls=calls.calls(self.model),
            reasoning="".join(plan) or None,
        )
        usage, finish = _usage(end.get("usage")), end.get("finish_reason")
        yield CompletionResult(answer, self.model, usage, finish_reason=finish)

    def _arguments(self, request: CompletionRequest) -> dict[str, object]:
        messages: list[dict[str, object]] = []
        for message in request.messages:
            wire = wire_message(message)
            if message.role == "developer":
                wire["role"] = "system"
            if wire.get("content") is None:
                wire.pop("content")
            messages.append(wire)
        arguments: dict[str, object] = {"model": self._reference.name, "messages": messages}
        if request.tools:
            arguments["tools"] = [wire_tool(tool) for tool in request.tools]
        if request.wants_confidence:
            arguments["logprobs"] = True
        return arguments | self._options

    def _translate(self, error: Exception) -> ProviderError:
        """Turn the SDK's error into ours."""
        if isinstance(error, ProviderError):
            return error
        status: Any = getattr(error, "status_code", None)
        body: Any = getattr(error, "body", None)
        text: Any = body.get("message") if isinstance(body, dict) else body
        said = " ".join(str(text if text is not None else error).split())[:300]
        if self._key:
            said = said.replace(self._key, "***")
        if status is None:
            name = type(error).__name__
            if isinstance(error, ValueError | TypeError):
                return ProviderOutputError(f"{name}: {said}", provider=self.model)
            return ProviderDownError(f"{name}: {said}", provider=self.model)
        message = f"HTTP {status}: {said}"
        if status == 429:
            return ProviderBusyError(message, provider=self.model, status=status)
        if status >= 500 or status == 408:
            return ProviderDownError(message, provider=self.model, status=status)
        return ProviderRefusedError(message, provider=self.model, status=status)


def _usage(usage: dict[str, Any] | None) -> Usage:
    tokens: dict[str, Any] = (usage or {}).get("tokens") or {}
    return Usage(
        input_tokens=int(tokens.get("input_tokens") or 0),
        output_tokens=int(tokens.get("output_tokens") or 0),
    )


def _confidence(logprobs: list[dict[str, Any]] | None) -> float | None:
    values = [min(v, 0.0) for item in logprobs or [] for v in item.get("logprobs") or []]
    return math.exp(sum(values) / len(values)) if values else None
