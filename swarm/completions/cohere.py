"""Cohere's chat models, through their SDK: `cohere/MODEL`."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from swarm.completion import CompletionRequest, CompletionResult
from swarm.completions.certainty import mean_probability, weakest_probability
from swarm.completions.openai_wire import ToolCallDeltas, read_calls, wire_message, wire_tool
from swarm.completions.providers import read_key
from swarm.completions.refusal import hide_key, refusal
from swarm.errors import ProviderDownError, ProviderError, ProviderOutputError, require
from swarm.extension import Services
from swarm.messages import Message, Usage
from swarm.reference import ModelReference
from swarm.specs import CompletionSpec

if TYPE_CHECKING:
    import cohere

__all__ = ["CohereCompletion", "open_cohere"]

_KEY_VARIABLE = "COHERE_API_KEY"


async def open_cohere(
    reference: ModelReference, spec: CompletionSpec, services: Services
) -> "CohereCompletion":
    """Return the completion of a reference such as `cohere/command-a-03-2025`.

    With a `base_url` of your own only a key that `api_key_env` names is sent.

    Raises:
        MissingExtraError: The SDK is not installed.
        MissingKeyError: The environment has no COHERE_API_KEY.
    """
    library: Any = require("cohere", extra="cohere")
    httpx: Any = require("httpx", extra="cohere")
    is_own = spec.base_url is None
    key = None
    if is_own or spec.api_key_env is not None:
        key = read_key(spec, services, _KEY_VARIABLE, is_needed=is_own, purpose=str(reference))

    async def start() -> tuple["cohere.AsyncClientV2", Any]:
        client: cohere.AsyncClientV2 = library.AsyncClientV2(
            api_key=key or "none",
            base_url=spec.base_url,
            timeout=spec.timeout,
            max_retries=0,  # the one retry loop is ours
            # A redirect would carry the conversation to a host that nobody named.
            httpx_client=httpx.AsyncClient(timeout=spec.timeout, follow_redirects=False),
            log_warning_experimental_features=False,
        )

        async def stop() -> None:
            closing: Any = client  # the SDK does not type its own exit
            await closing.__aexit__(None, None, None)

        return client, stop

    client = await services.shared(
        f"cohere:{spec.base_url}:{spec.api_key_env}:{spec.timeout:g}", start
    )
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
        self._key_variable = next(iter(spec.key_variables), _KEY_VARIABLE)
        options: dict[str, object] = {
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
            answer: dict[str, Any] = response.model_dump()
        except Exception as error:
            raise self._translate(error) from None  # its text may hold the key
        finish = self._finish(answer)
        raw = _object(answer.get("message"))
        if not raw:
            raise ProviderOutputError("the answer has no message", provider=self.model)
        content: list[Any] = raw.get("content") or []
        items = [_object(item) for item in content]
        thoughts = [item.get("thinking") or "" for item in items]
        message = Message(
            role="assistant",
            content="".join(item.get("text") or "" for item in items),
            tool_calls=read_calls(raw.get("tool_calls"), self.model),
            reasoning=(raw.get("tool_plan") or "") + "".join(thoughts) or None,
        )
        return CompletionResult(
            message=message,
            model=self.model,
            usage=_usage(answer.get("usage")),
            confidence=mean_probability(_logprobs(answer.get("logprobs"))),
            weakest=weakest_probability(_logprobs(answer.get("logprobs"))),
            finish_reason=finish,
        )

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield text, then the whole answer; see `Completion.stream`."""
        calls, text, plan, thoughts = ToolCallDeltas(), list[str](), list[str](), list[str]()
        logprobs: list[Any] = []
        end: dict[str, Any] | None = None
        try:
            async with aclosing(self._client.chat_stream(**self._arguments(request))) as events:
                async for item in events:
                    event: dict[str, Any] = item.model_dump()
                    delta = _object(event.get("delta"))
                    message = _object(delta.get("message"))
                    match event.get("type"):
                        case "content-start" | "content-delta":
                            content = _object(message.get("content"))
                            thoughts.append(content.get("thinking") or "")
                            logprobs.append(event.get("logprobs"))
                            if piece := content.get("text"):
                                text.append(piece)
                                yield piece
                        case "tool-plan-delta":
                            plan.append(message.get("tool_plan") or "")
                        case "tool-call-start" | "tool-call-delta":
                            call = _object(message.get("tool_calls"))
                            calls.add([{**call, "index": event.get("index")}])
                        case "message-end":
                            end = delta
                        case _:
                            pass
        except Exception as error:
            raise self._translate(error) from None  # its text may hold the key
        if end is None:
            raise ProviderDownError("the stream broke off", provider=self.model)
        finish = self._finish(end)
        answer = Message(
            role="assistant",
            content="".join(text),
            tool_calls=calls.calls(self.model),
            reasoning="".join(plan + thoughts) or None,
        )
        yield CompletionResult(
            message=answer,
            model=self.model,
            usage=_usage(end.get("usage")),
            confidence=mean_probability(_logprobs(logprobs)),
            weakest=weakest_probability(_logprobs(logprobs)),
            finish_reason=finish,
        )

    async def embed(self, texts: Sequence[str], *, is_search: bool) -> list[list[float]]:
        """Return a vector for each text, by Cohere's embed API, version 2.

        Args:
            texts: What to embed.
            is_search: They are searched for, and not found; these models tell the two apart.

        Raises:
            ProviderError: Cohere failed; nothing is tried again here.
        """
        purpose = "search_query" if is_search else "search_document"
        arguments = {"model": self._reference.name, "input_type": purpose, "texts": list(texts)}
        try:
            response = await self._client.embed(
                **arguments, embedding_types=["float"], **self._options
            )
            answer: dict[str, Any] = response.model_dump()
        except Exception as error:
            raise self._translate(error) from None  # its text may hold the key
        made: Any = _object(answer.get("embeddings"))
        vectors: Any = made.get("float_") or made.get("float")
        if not isinstance(vectors, list):
            raise ProviderOutputError("the answer has no embeddings", provider=self.model)
        return cast("list[list[float]]", vectors)  # each number is checked where it is kept

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
        if request.response_format is not None and not request.tools:  # they do not go together
            schema = dict(request.response_format.schema)
            arguments["response_format"] = {"type": "json_object", "json_schema": schema}
        return arguments | self._options

    def _finish(self, end: dict[str, Any]) -> str | None:
        """Return why the answer ended; an answer that an error cut short is none."""
        finish: str | None = end.get("finish_reason")
        if finish in ("ERROR", "TIMEOUT") or end.get("error"):
            text = hide_key(str(end.get("error") or finish), self._key)
            raise ProviderDownError(f"the answer ended early: {text}", provider=self.model)
        return finish

    def _translate(self, error: Exception) -> ProviderError:
        """Turn the SDK's error into ours."""
        if isinstance(error, ProviderError):
            return error
        status: Any = getattr(error, "status_code", None)
        if status is None:
            name = type(error).__name__
            text = f"{name}: {hide_key(str(error), self._key)}"
            if isinstance(error, ValueError | TypeError | AttributeError):
                return ProviderOutputError(text, provider=self.model)
            return ProviderDownError(text, provider=self.model)
        if status == 200:
            return ProviderOutputError("the answer is not JSON", provider=self.model)
        body: Any = getattr(error, "body", None)
        headers: Any = getattr(error, "headers", None) or {}
        said: Any = _object(body).get("message") or body
        return refusal(
            status,
            str(said or ""),
            provider=self.model,
            key=self._key,
            key_variable=self._key_variable,
            retry_after=headers.get("retry-after"),
        )


def _object(value: Any) -> dict[str, Any]:
    """Return a JSON object, or an empty one in place of anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _usage(usage: Any) -> Usage:
    tokens = _object(_object(usage).get("tokens"))
    return Usage(
        input_tokens=int(tokens.get("input_tokens") or 0),
        output_tokens=int(tokens.get("output_tokens") or 0),
    )


def _logprobs(logprobs: Any) -> list[float]:
    found: list[Any] = logprobs or []
    values: list[float] = []
    for item in found:
        tokens: list[Any] = _object(item).get("logprobs") or []
        values += [min(float(value), 0.0) for value in tokens]
    return values
