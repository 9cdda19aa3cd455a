"""Every server that speaks OpenAI's chat completions, over the host's HTTP client."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import orjson

from swarm.completion import CompletionRequest, CompletionResult, ToolDefinition
from swarm.completions.embedding_wire import read_embeddings
from swarm.completions.openai_wire import (
    ToolCallDeltas,
    confidence_of,
    read_calls,
    read_usage,
    wire_format,
    wire_request,
    wire_tool,
)
from swarm.completions.providers import read_key
from swarm.completions.refusal import hide_key, refusal
from swarm.completions.sse import read_events
from swarm.completions.thinking import ThinkingFilter, split_thinking
from swarm.errors import (
    DeclarationError,
    ProviderDownError,
    ProviderError,
    ProviderOutputError,
)
from swarm.extension import Services
from swarm.messages import Message
from swarm.reference import ModelReference
from swarm.specs import CompletionSpec

if TYPE_CHECKING:
    import aiohttp

__all__ = ["OpenAICompatible", "open_openai_compatible"]

_Json = Mapping[str, Any]

_MAX_BODY = 16 * 1024 * 1024
"""Bytes of an answer that is not streamed."""
_MAX_STREAM = 64 * 1024 * 1024
"""Bytes of a streamed one, where every token comes in an envelope of its own."""


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
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._embeddings_url = f"{base_url.rstrip('/')}/embeddings"
        self._key = key
        default = _SERVERS[reference.provider].key_variable
        self._key_variable = next(iter(spec.key_variables), default)
        self._services = services
        self._headers = {"Content-Type": "application/json"}
        if key is not None:
            if reference.provider == "azure":
                self._headers["api-key"] = key
            else:
                self._headers["Authorization"] = f"Bearer {key}"
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
        async with self._post(self._body(request)) as response:
            data = await self._read(response)
        return self._result(self._parse(data))

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
        async with self._post(body) as response, aclosing(self._events(response)) as events:
            if response.content_type == "application/json":
                # Some servers know no streams and answer as a whole.
                result = self._result(self._parse(await self._read(response)))
                if result.message.content:
                    yield result.message.content
                yield result
                return
            async for data in events:
                if is_done := data == b"[DONE]":
                    break
                chunk = self._parse(data)
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
            finish_reason=finish,
        )

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector for each text, by `POST /embeddings` of the same server.

        Raises:
            ProviderError: The server failed; nothing is tried again here.
        """
        body: dict[str, object] = {"model": self._reference.name, "input": list(texts)}
        sent = orjson.dumps(body | self._extra)
        async with self._post(sent, self._embeddings_url) as response:
            data = await self._read(response)
        return read_embeddings(self._parse(data), len(texts), self.model)

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

    def _post(self, body: bytes, url: str | None = None) -> "_Exchange":
        """Return a request; entered, it gives the response of a server that took it."""
        return _Exchange(self, body, url or self._url)

    async def send(self, body: bytes, url: str) -> "aiohttp.ClientResponse":
        """Send a request."""
        response = await self._services.http().post(
            url, data=body, headers=self._headers, allow_redirects=False
        )
        if response.status != 200:
            async with response:
                raise self._refusal(response, await self._read(response))
        return response

    def failure(self, error: BaseException | None, url: str) -> ProviderDownError | None:
        """Return our error for one of the HTTP client's."""
        import aiohttp

        if isinstance(error, TimeoutError):
            return ProviderDownError("no connection in time", provider=self.model)
        if isinstance(error, aiohttp.ClientError):
            reason = f"no answer from {url}: {error}".removesuffix(": ")
            return ProviderDownError(hide_key(reason, self._key), provider=self.model)
        return None

    async def _read(self, response: "aiohttp.ClientResponse") -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > _MAX_BODY:
                raise self._bad("the answer is larger than 16 MiB")
            parts.append(part)
        return b"".join(parts)

    async def _events(self, response: "aiohttp.ClientResponse") -> AsyncGenerator[bytes, None]:
        size = 0
        try:
            async for data in read_events(response.content.iter_any()):
                size += len(data)
                if size > _MAX_STREAM:
                    raise self._bad("the answer is larger than 64 MiB")
                if data := data.strip():
                    yield data
        except ValueError as error:
            raise self._bad(str(error)) from None

    def _parse(self, data: bytes) -> _Json:
        try:
            answer = orjson.loads(data)
        except orjson.JSONDecodeError:
            raise self._bad("the answer is not JSON") from None
        if not isinstance(answer, dict):
            raise self._bad("the answer is no JSON object")
        fields = cast("_Json", answer)
        if fields.get("error"):
            text = hide_key(_error_text(fields), self._key)
            raise ProviderDownError(text, provider=self.model)
        return fields

    def _choice(self, answer: _Json) -> _Json:
        choices = answer.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            raise self._bad("the answer has no choices")
        return cast("_Json", choices[0])

    def _refusal(self, response: "aiohttp.ClientResponse", body: bytes) -> ProviderError:
        try:
            text = _error_text(orjson.loads(body))
        except orjson.JSONDecodeError:
            text = body[:2000].decode(errors="replace")
        return refusal(
            response.status,
            text,
            provider=self.model,
            key=self._key,
            key_variable=self._key_variable,
            retry_after=response.headers.get("Retry-After"),
        )

    def _bad(self, text: str) -> ProviderOutputError:
        return ProviderOutputError(text, provider=self.model)

    def _is_openai(self, base_url: str) -> bool:
        """Whether the newer name of the token limit is known there."""
        return self._reference.provider == "openai" and base_url == _SERVERS["openai"].base_url


class _Exchange:
    """A request and its response; what the HTTP client raises becomes an error of ours.

    A class, since a generator would cost every turn more.
    """

    def __init__(self, completion: OpenAICompatible, body: bytes, url: str) -> None:
        self._completion = completion
        self._body = body
        self._url = url

    async def __aenter__(self) -> "aiohttp.ClientResponse":
        try:
            self._response = await self._completion.send(self._body, self._url)
        except Exception as error:
            if failure := self._completion.failure(error, self._url):
                raise failure from error
            raise
        return self._response

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._response.__aexit__(kind, error, trace)
        if error is not None and (failure := self._completion.failure(error, self._url)):
            raise failure from error


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


def _error_text(answer: object) -> str:
    """Return what a server says about an error, in any of the shapes that are in use."""
    if not isinstance(answer, dict):
        return str(answer or "")
    fields = cast("_Json", answer)
    error: Any = fields.get("error") or fields.get("message") or fields.get("detail") or ""
    if isinstance(error, dict):
        error = cast("_Json", error).get("message") or cast("object", error)
    return str(error)
