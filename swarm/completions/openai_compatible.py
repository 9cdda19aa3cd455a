"""Every server that speaks OpenAI's chat completions, over the host's HTTP client."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple, cast

import orjson

from swarm.completion import CompletionRequest, CompletionResult, ToolDefinition
from swarm.completions.embedding_wire import read_embeddings
from swarm.completions.json_server import JsonServer
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
from swarm.completions.thinking import ThinkingFilter, split_thinking
from swarm.errors import DeclarationError, ProviderDownError, ProviderOutputError
from swarm.extension import Services
from swarm.messages import Message
from swarm.reference import ModelReference
from swarm.specs import CompletionSpec

__all__ = ["OpenAICompatible", "open_openai_compatible"]

_Json = Mapping[str, Any]

_CHAT = "/chat/completions"
_EMBEDDINGS = "/embeddings"


class _Server(NamedTuple):
    base_url: str | None
    key_variable: str


_SERVERS = {
    "openai": _Server("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "azure": _Server(None, "AZURE_OPENAI_API_KEY"),
    "ollama": _Server("http://127.0.0.1:11434/v1", "OLLAMA_API_KEY"),
    "llama-server": _Server("http://127.0.0.1:8001/v1", "LLAMA_API_KEY"),
    "vllm": _Server("http://127.0.0.1:8000/v1", "VLLM_API_KEY"),
}


def open_openai_compatible(
    reference: ModelReference, spec: CompletionSpec, services: Services
) -> "OpenAICompatible":
    """Return the completion of a reference such as `openai/gpt-5`.

    A key goes only where it belongs: with a `base_url` of your own, name its variable in
    `api_key_env`, or none is sent.

    Raises:
        MissingKeyError: The provider needs a key and the environment has none.
        DeclarationError: The provider has no address of its own and no `base_url` is given.
    """
    server = _SERVERS[reference.provider]
    base_url = spec.base_url or server.base_url
    if base_url is None:
        raise DeclarationError(f"{reference} needs a `base_url`")
    # Every Azure customer has an address of their own, so there it says nothing about the key.
    is_own = spec.base_url is None or server.base_url is None
    key = None
    if is_own or spec.api_key_env is not None:
        is_needed = is_own and reference.provider in ("openai", "azure")
        key = read_key(
            spec, services, server.key_variable, is_needed=is_needed, purpose=str(reference)
        )
    return OpenAICompatible(reference, spec, base_url, key, services)


class OpenAICompatible:
    """A completion over HTTP; see `Completion`."""

    def __init__(
        self,
        reference: ModelReference,
        spec: CompletionSpec,
        base_url: str,
        key: str | None,
        services: Services,
    ) -> None:
        self._reference = reference
        self._model = str(reference)
        default = _SERVERS[reference.provider].key_variable
        self._server = JsonServer(
            self._model,
            base_url,
            services,
            key=key,
            key_variable=next(iter(spec.key_variables), default),
            key_header="api-key" if reference.provider == "azure" else "Authorization",
        )
        sampling = {
            "temperature": spec.temperature,
            "top_p": spec.top_p,
            "max_completion_tokens" if self._is_openai(base_url) else "max_tokens": spec.max_tokens,
            "seed": spec.seed,
        }
        self._extra = {k: v for k, v in sampling.items() if v is not None} | dict(spec.extra_body)
        self._tools: dict[int, tuple[Sequence[ToolDefinition], list[dict[str, object]]]] = {}

    @property
    def model(self) -> str:
        """The model's reference."""
        return self._model

    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Return the whole answer; see `Completion.complete`."""
        async with self._server.post(_CHAT, self._body(request)) as response:
            return self._result(await self._server.read(response))

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield text, then the whole answer; see `Completion.stream`."""
        body = self._body(request, stream=True, stream_options={"include_usage": True})
        thinking, calls = ThinkingFilter(), ToolCallDeltas()
        text: list[str] = []
        reasoning: list[str] = []
        logprobs: list[object] = []
        usage: object = None
        finish: str | None = None
        is_done = has_choice = False
        async with (
            self._server.post(_CHAT, body) as response,
            aclosing(self._server.events(response)) as events,
        ):
            if response.content_type == "application/json":
                # Some servers know no streams and answer as a whole.
                result = self._result(await self._server.read(response))
                if result.message.content:
                    yield result.message.content
                yield result
                return
            async for data in events:
                if is_done := data == b"[DONE]":
                    break
                chunk = self._server.parse(data)
                usage = chunk.get("usage") or usage
                choices = chunk.get("choices")
                if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
                    continue
                has_choice = True
                choice = cast("dict[str, Any]", choices[0])
                finish = _text(choice.get("finish_reason")) or finish
                found = choice.get("logprobs")
                tokens = cast("_Json", found).get("content") if isinstance(found, dict) else None
                if isinstance(tokens, list):
                    logprobs += cast("list[object]", tokens)
                raw = choice.get("delta")
                if not isinstance(raw, dict):
                    continue
                delta = cast("_Json", raw)
                reasoning.append(_reasoning(delta))
                calls.add(delta.get("tool_calls"))
                piece = thinking.feed(_text(delta.get("content")))
                if piece:
                    text.append(piece)
                    yield piece
        if not is_done and finish is None:
            raise ProviderDownError("the stream broke off", provider=self.model)
        if not has_choice:
            raise self._bad("the answer has no choices")
        if piece := thinking.finish():
            text.append(piece)
            yield piece
        message = Message(
            role="assistant",
            content="".join(text),
            tool_calls=calls.calls(self.model),
            reasoning="".join(reasoning) or thinking.reasoning or None,
        )
        yield CompletionResult(
            message=message,
            model=self.model,
            usage=read_usage(usage),
            confidence=confidence_of({"content": logprobs}),
            weakest=weakest_of({"content": logprobs}),
            finish_reason=finish,
        )

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector for each text, by `POST /embeddings` of the same server.

        Raises:
            ProviderError: The server failed; nothing is tried again here.
        """
        body: dict[str, object] = {"model": self._reference.name, "input": list(texts)}
        sent = orjson.dumps(body | self._extra)
        async with self._server.post(_EMBEDDINGS, sent) as response:
            answer = await self._server.read(response)
        return read_embeddings(answer, len(texts), self.model)

    def _result(self, answer: _Json) -> CompletionResult:
        """Return an answer that came as a whole."""
        choice = self._choice(answer)
        raw = choice.get("message")
        if not isinstance(raw, dict):
            raise self._bad("the answer has no message")
        fields = cast("_Json", raw)
        text, thought = split_thinking(_text(fields.get("content")))
        message = Message(
            role="assistant",
            content=text,
            tool_calls=read_calls(fields.get("tool_calls"), self.model),
            reasoning=_reasoning(fields) or thought or None,
        )
        return CompletionResult(
            message=message,
            model=self.model,
            usage=read_usage(answer.get("usage")),
            confidence=confidence_of(choice.get("logprobs")),
            weakest=weakest_of(choice.get("logprobs")),
            finish_reason=_text(choice.get("finish_reason")) or None,
        )

    def _body(self, request: CompletionRequest, **more: object) -> bytes:
        body = wire_request(self._reference.name, request.messages, self._wire_tools(request.tools))
        if request.wants_confidence:
            body["logprobs"] = True
        if request.response_format is not None:
            body["response_format"] = wire_format(request.response_format)
        # As bytes: a dict for each message, held while the model thinks, is work for the collector.
        return orjson.dumps(body | self._extra | more)

    def _wire_tools(self, tools: Sequence[ToolDefinition]) -> list[dict[str, object]]:
        """Render an agent's tools once; the same sequence comes with each of its requests."""
        if not tools:
            return []
        known = self._tools.get(id(tools))
        if known is None:
            if len(self._tools) >= 256:
                self._tools.clear()
            known = self._tools[id(tools)] = (tools, [wire_tool(tool) for tool in tools])
        return known[1]

    def _choice(self, answer: _Json) -> _Json:
        choices = answer.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            raise self._bad("the answer has no choices")
        return cast("_Json", choices[0])

    def _bad(self, text: str) -> ProviderOutputError:
        return ProviderOutputError(text, provider=self.model)

    def _is_openai(self, base_url: str) -> bool:
        """Whether the newer name of the token limit is known there."""
        return self._reference.provider == "openai" and base_url == _SERVERS["openai"].base_url


def _text(value: object) -> str:
    """Return a string field, also where a server sends content as a list of text parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = [cast("_Json", p) for p in cast("list[object]", value) if isinstance(p, dict)]
        return "".join(str(part.get("text") or "") for part in parts)
    return ""


def _reasoning(fields: _Json) -> str:
    """Return what the model thought; servers do not agree on the field's name."""
    return _text(fields.get("reasoning_content")) or _text(fields.get("reasoning"))
