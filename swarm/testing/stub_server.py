"""An OpenAI-compatible model server on loopback, scripted by a test, streaming and not.

It speaks the wire formats of `POST /v1/chat/completions` and `POST /v1/embeddings`, and can
misbehave on request: refuse, hang, break off, or send bytes that are no answer.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import anyio
import orjson
from aiohttp import web

from swarm.messages import Message, ToolCall

__all__ = [
    "Decide",
    "Embed",
    "Reply",
    "StubReply",
    "StubServer",
    "call_first_tool",
    "count_letters",
]

_Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StubReply:
    """One answer of the server."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None
    """Sent as it is, in place of an answer."""
    delay: float = 0.0
    """Seconds before the answer."""
    hangs: bool = False
    """Never answers."""
    breaks_off: bool = False
    """Closes the connection in the middle of the answer."""
    logprobs: tuple[float, ...] = ()
    """Of the tokens of the text."""


Reply = str | Message | StubReply
"""Text, a message with tool calls, or everything that can be said about an answer."""
Decide = Callable[[_Json], Reply]
"""Takes the request's JSON and returns the answer."""

Embed = Callable[[_Json], StubReply | list[list[float]]]
"""Takes the request's JSON and returns the vectors, or how to misbehave."""


def call_first_tool(request: _Json) -> Reply:
    """Call the first tool that is offered, then repeat its output: the least a model can do."""
    last = request["messages"][-1]
    if last["role"] == "tool":
        return f"The tool says: {last['content']}"
    if request.get("tools"):
        name = request["tools"][0]["function"]["name"]
        return StubReply(tool_calls=(ToolCall(id="call_1", name=name),))
    return f"You said: {last['content']}"


def count_letters(request: _Json) -> list[list[float]]:
    """Return for each text how often it has each letter of the alphabet."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [[float(text.lower().count(one)) for one in letters] for text in request["input"]]


class StubServer:
    """Open with `async with`; `base_url` is what a completion takes."""

    def __init__(
        self,
        reply: Decide = call_first_tool,
        *,
        embed: Embed = count_letters,
        key: str | None = None,
    ) -> None:
        self._reply, self._embed = reply, embed
        self._key = key
        self._runner: web.AppRunner | None = None
        self._closing = anyio.Event()
        self.requests: list[_Json] = []
        """The JSON of every request, in order."""
        self.headers: list[Mapping[str, str]] = []
        """The headers of every request, also of those whose key was refused; lower-case names."""
        self.base_url = ""

    async def __aenter__(self) -> "StubServer":
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._serve)
        app.router.add_post("/v1/embeddings", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}/v1"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, http: web.Request) -> web.StreamResponse:
        self.headers.append({name.lower(): value for name, value in http.headers.items()})
        if self._key is not None and http.headers.get("Authorization") != f"Bearer {self._key}":
            sent = http.headers.get("Authorization", "").removeprefix("Bearer ")
            error = {"error": {"message": f"Incorrect API key provided: {sent}"}}
            return web.json_response(error, status=401)
        request: _Json = orjson.loads(await http.read())
        self.requests.append(request)
        is_embedding = http.path.endswith("/embeddings")
        vectors: list[list[float]] = []
        if is_embedding:
            made = self._embed(request)
            reply = made if isinstance(made, StubReply) else StubReply()
            vectors = [] if isinstance(made, StubReply) else made
        else:
            reply = _as_reply(self._reply(request))
        if reply.hangs:
            await self._closing.wait()
        if reply.delay:
            await anyio.sleep(reply.delay)
        if reply.body is not None or reply.status != 200:
            default = orjson.dumps({"error": {"message": f"stub status {reply.status}"}})
            return web.Response(
                body=default if reply.body is None else reply.body,
                status=reply.status,
                headers=dict(reply.headers) or {"Content-Type": "application/json"},
            )
        if request.get("stream"):
            return await self._stream(http, request, reply)
        answer = _embeddings(request, vectors) if is_embedding else _answer(request, reply)
        body = orjson.dumps(answer)
        if not reply.breaks_off:
            return web.Response(body=body, content_type="application/json")
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(http)
        await response.write(body[: len(body) // 2])
        _drop(http)
        return response

    async def _stream(
        self, http: web.Request, request: _Json, reply: StubReply
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(http)
        count = 0
        async for chunk in _chunks(request, reply):
            await response.write(b"data: " + orjson.dumps(chunk) + b"\n\n")
            count += 1
            if reply.breaks_off and count == 2:
                _drop(http)
                return response
        await response.write(b"data: [DONE]\n\n")
        return response


def _as_reply(reply: Reply) -> StubReply:
    if isinstance(reply, StubReply):
        return reply
    if isinstance(reply, Message):
        return StubReply(text=reply.content, tool_calls=reply.tool_calls)
    return StubReply(text=reply)


def _drop(http: web.Request) -> None:
    if http.transport is not None:
        http.transport.abort()


def _usage(request: _Json, reply: StubReply) -> dict[str, int]:
    sent, answered = len(orjson.dumps(request["messages"])) // 4, len(reply.text) // 4 + 1
    return {
        "prompt_tokens": sent,
        "completion_tokens": answered,
        "total_tokens": sent + answered,
    }


def _wire_calls(reply: StubReply) -> list[dict[str, object]]:
    return [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for call in reply.tool_calls
    ]


def _logprobs(reply: StubReply) -> dict[str, object] | None:
    if not reply.logprobs:
        return None
    return {"content": [{"token": "x", "logprob": value} for value in reply.logprobs]}


def _answer(request: _Json, reply: StubReply) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": reply.text or None}
    if reply.tool_calls:
        message["tool_calls"] = _wire_calls(reply)
    choice = {
        "index": 0,
        "message": message,
        "logprobs": _logprobs(reply),
        "finish_reason": "tool_calls" if reply.tool_calls else "stop",
    }
    return {
        "id": "chatcmpl-stub",
        "object": "chat.completion",
        "model": request.get("model"),
        "choices": [choice],
        "usage": _usage(request, reply),
    }


def _embeddings(request: _Json, vectors: list[list[float]]) -> dict[str, object]:
    data = [
        {"object": "embedding", "index": index, "embedding": vector}
        for index, vector in enumerate(vectors)
    ]
    # The order is not promised, so a client has to look at the index.
    return {"object": "list", "model": request.get("model"), "data": data[::-1]}


async def _chunks(request: _Json, reply: StubReply) -> AsyncIterator[dict[str, object]]:
    """Yield the chunks of a streamed answer: a word at a time, calls cut in the middle."""

    def chunk(
        delta: _Json, finish: str | None = None, logprobs: object = None
    ) -> dict[str, object]:
        choice: dict[str, object] = {"index": 0, "delta": delta, "finish_reason": finish}
        if logprobs is not None:
            choice["logprobs"] = logprobs
        return {"id": "chatcmpl-stub", "object": "chat.completion.chunk", "choices": [choice]}

    yield chunk({"role": "assistant", "content": ""})
    words = reply.text.split(" ")
    for index, word in enumerate(words if reply.text else []):
        logprobs = _logprobs(reply) if index == 0 else None
        yield chunk({"content": word if index == 0 else f" {word}"}, logprobs=logprobs)
    for index, call in enumerate(reply.tool_calls):
        half = len(call.arguments) // 2
        head = {"name": call.name, "arguments": call.arguments[:half]}
        yield chunk(
            {"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": head}]}
        )
        rest = {"arguments": call.arguments[half:]}
        yield chunk({"tool_calls": [{"index": index, "function": rest}]})
    yield chunk({}, "tool_calls" if reply.tool_calls else "stop")
    options: _Json = request.get("stream_options") or {}
    if options.get("include_usage"):
        yield {"object": "chat.completion.chunk", "choices": [], "usage": _usage(request, reply)}
