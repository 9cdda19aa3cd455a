"""A server that speaks Cohere's `POST /v2/chat`, as the types of their SDK define it.

`POST /v2/embed` answers with the bodies that a test gives.
"""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from swarm import ToolCall

__all__ = ["CohereReply", "CohereServer", "open_cohere_server"]

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CohereReply:
    """One answer."""

    text: str = ""
    thinking: str = ""
    tool_plan: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    logprobs: tuple[float, ...] = ()
    finish_reason: str = "COMPLETE"
    error: str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None
    """Sent as it is."""
    stops_early: bool = False
    """A stream closes before its last event."""


@dataclass(slots=True)
class CohereServer:
    """Where it listens, and what came."""

    base_url: str = ""
    requests: list[Json] = field(default_factory=list[Json])
    keys: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def open_cohere_server(
    reply: CohereReply | Callable[[Json], CohereReply],
) -> AsyncGenerator[CohereServer]:
    """Serve every request with the reply."""
    server = CohereServer()

    async def chat(http: web.Request) -> web.StreamResponse:
        request: Json = orjson.loads(await http.read())
        server.requests.append(request)
        server.keys.append(http.headers.get("Authorization", ""))
        answer = reply(request) if callable(reply) else reply
        if answer.status != 200 or answer.body is not None:
            return web.Response(
                status=answer.status,
                body=answer.body or orjson.dumps({"id": "1", "message": "the stub says no"}),
                headers={"Content-Type": "application/json", **answer.headers},
            )
        if not request.get("stream"):
            return web.Response(body=orjson.dumps(_whole(answer)), content_type="application/json")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(http)
        for event in _events(answer):
            if answer.stops_early and event["type"] == "message-end":
                break
            name = str(event["type"]).encode()
            await response.write(b"event: %s\ndata: %s\n\n" % (name, orjson.dumps(event)))
        return response

    app = web.Application()
    app.router.add_post("/v2/chat", chat)
    app.router.add_post("/v2/embed", chat)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        server.base_url = f"http://{host}:{port}"
        yield server
    finally:
        await runner.cleanup()


def _whole(reply: CohereReply) -> Json:
    content: list[Json] = []
    if reply.thinking:
        content.append({"type": "thinking", "thinking": reply.thinking})
    if reply.text:
        content.append({"type": "text", "text": reply.text})
    message: dict[str, Any] = {"role": "assistant"}
    if content:
        message["content"] = content
    if reply.tool_plan:
        message["tool_plan"] = reply.tool_plan
    if reply.tool_calls:
        message["tool_calls"] = [_call(call, call.arguments) for call in reply.tool_calls]
    answer: dict[str, Any] = {"id": "1", "message": message, **_end(reply)}
    if reply.logprobs:
        answer["logprobs"] = [_logprobs(reply)]
    return answer


def _events(reply: CohereReply) -> Iterator[Json]:
    yield {"type": "message-start", "id": "1", "delta": {"message": {"role": "assistant"}}}
    for word in _words(reply.tool_plan):
        yield {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": word}}}
    for index, call in enumerate(reply.tool_calls):
        half = len(call.arguments) // 2
        start = {"message": {"tool_calls": _call(call, call.arguments[:half])}}
        rest = {"message": {"tool_calls": {"function": {"arguments": call.arguments[half:]}}}}
        yield {"type": "tool-call-start", "index": index, "delta": start}
        yield {"type": "tool-call-delta", "index": index, "delta": rest}
        yield {"type": "tool-call-end", "index": index}
    parts = [(kind, getattr(reply, kind)) for kind in ("thinking", "text")]
    for index, (kind, text) in enumerate([part for part in parts if part[1]]):
        start = {"message": {"content": {"type": kind, kind: ""}}}
        yield {"type": "content-start", "index": index, "delta": start}
        for place, word in enumerate(_words(text)):
            event = {"message": {"content": {kind: word}}}
            found = {"logprobs": _logprobs(reply)} if reply.logprobs and place == 0 else {}
            yield {"type": "content-delta", "index": index, "delta": event, **found}
        yield {"type": "content-end", "index": index}
    yield {"type": "message-end", "id": "1", "delta": _end(reply)}


def _end(reply: CohereReply) -> Json:
    usage = {
        "billed_units": {"input_tokens": 5, "output_tokens": 2},
        "tokens": {"input_tokens": 71.0, "output_tokens": 3.0},
    }
    error = {"error": reply.error} if reply.error else {}
    return {"finish_reason": reply.finish_reason, "usage": usage, **error}


def _call(call: ToolCall, arguments: str) -> Json:
    function = {"name": call.name, "arguments": arguments}
    return {"id": call.id, "type": "function", "function": function}


def _logprobs(reply: CohereReply) -> Json:
    return {
        "text": reply.text,
        "token_ids": list(range(len(reply.logprobs))),
        "logprobs": reply.logprobs,
    }


def _words(text: str) -> list[str]:
    return (
        [word if place == 0 else f" {word}" for place, word in enumerate(text.split(" "))]
        if text
        else []
    )
