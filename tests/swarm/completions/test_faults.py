"""The fault matrix: whatever a model server does, a call ends in time.

Each fault meets a call that is streamed or not, with and without a fallback. Without one the end
is a typed error, or an answer where the fault still leaves one; with one it is an answer.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import orjson
import pytest

from swarm.completion import Completion
from swarm.errors import (
    ProviderBusyError,
    ProviderDownError,
    ProviderError,
    ProviderOutputError,
    ProviderRefusedError,
    ProviderTimeoutError,
)
from swarm.testing import StubReply, StubServer
from tests.swarm.completions.asking import MODES, Answer, OpenModel, ask, request
from tests.swarm.completions.raw_server import End, open_raw_server, sse_head

pytestmark = pytest.mark.anyio

_DEADLINE = 0.6
"""Seconds for a call to a server that hangs; others are done long before."""
_SLACK = 20.0
"""Seconds by which a busy machine may be late without a call being stuck."""
_JSON = {"Content-Type": "application/json"}
_SSE = {"Content-Type": "text/event-stream"}


@dataclass(frozen=True)
class _Fault:
    """What a server does, and how a call to it alone ends."""

    whole: StubReply | Sequence[bytes]
    """Bytes are sent below HTTP."""
    error: type[ProviderError] | str
    """The error, or the text of the answer."""
    streamed: StubReply | Sequence[bytes] | None = None
    """Where the server treats streams differently."""
    streamed_error: type[ProviderError] | str | None = None
    end: End = "close"

    def of(self, mode: str) -> tuple[StubReply | Sequence[bytes], type[ProviderError] | str]:
        if mode == "whole":
            return self.whole, self.error
        error = self.error if self.streamed_error is None else self.streamed_error
        return self.streamed or self.whole, error


def _body(body: bytes | object, **headers: str) -> StubReply:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return StubReply(body=data, headers=headers or _JSON)


def _stream(*data: bytes | object) -> StubReply:
    """Return a stream of events with this data."""
    events = [item if isinstance(item, bytes) else orjson.dumps(item) for item in data]
    return StubReply(body=b"".join(b"data: " + e + b"\n\n" for e in events), headers=_SSE)


def _choice(**message: Any) -> dict[str, Any]:
    return {"choices": [{"message": message, "finish_reason": "stop"}]}


def _chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"delta": delta, "finish_reason": finish}]}


def _http(head: str, body: bytes = b"") -> list[bytes]:
    return [f"HTTP/1.1 {head}\r\nConnection: close\r\n\r\n".encode() + body]


_END = _chunk("stop")
_DONE = b"[DONE]"
_CALL = {"function": {"name": "stock_level", "arguments": {"sku": "A1"}}}
_REFUSED, _BUSY, _DOWN, _OUTPUT = (
    ProviderRefusedError,
    ProviderBusyError,
    ProviderDownError,
    ProviderOutputError,
)
_STATUSES: dict[int, type[ProviderError]] = {
    **dict.fromkeys((302, 307, 400, 401, 402, 403, 404, 413, 418, 422, 451, 501), _REFUSED),
    **dict.fromkeys((429, 529), _BUSY),
    **dict.fromkeys((408, 409, 425, 500, 502, 503, 504, 520, 599), _DOWN),
}

FAULTS: dict[str, _Fault] = {
    **{
        f"HTTP {status}": _Fault(StubReply(status=status), kind)
        for status, kind in _STATUSES.items()
    },
    "204 without a body": _Fault(StubReply(status=204, body=b""), _REFUSED),
    "an empty body": _Fault(_body(b""), _OUTPUT, _stream(), _DOWN),
    "an HTML page": _Fault(
        _body(b"<html>Gateway</html>", **{"Content-Type": "text/html"}), _OUTPUT, None, _DOWN
    ),
    "an HTML error page": _Fault(
        StubReply(status=502, body=b"<html>Bad</html>", headers={"Content-Type": "text/html"}),
        _DOWN,
    ),
    "an error that is not UTF-8": _Fault(
        StubReply(status=400, body=b"\xff\xfe", headers=_JSON), _REFUSED
    ),
    "the wrong content type": _Fault(
        _body(_choice(content="Fine."), **{"Content-Type": "text/plain"}), "Fine.", None, _DOWN
    ),
    "truncated JSON": _Fault(
        _body(b'{"choices": [{"mess'), _OUTPUT, _stream(b'{"choices'), _OUTPUT
    ),
    "invalid UTF-8": _Fault(
        _body(b'{"choices": [{"message": {"content": "\xff"}}]}'),
        _OUTPUT,
        _stream(b'{"choices": [{"delta": {"content": "\xff"}}]}'),
    ),
    "a lone surrogate": _Fault(
        _body(b'{"choices": [{"message": {"content": "\\ud800"}}]}'),
        _OUTPUT,
        _stream(b'{"choices": [{"delta": {"content": "\\ud800"}}]}'),
    ),
    "NaN": _Fault(
        _body(b'{"choices": [{"message": {"content": "a"}, "logprobs": NaN}]}'),
        _OUTPUT,
        _stream(b'{"choices": [{"delta": {"content": NaN}}]}'),
    ),
    "JSON that is no object": _Fault(_body([1]), _OUTPUT, _stream([1], _DONE)),
    "no choices": _Fault(_body({"choices": []}), _OUTPUT, _stream({"choices": []}, _DONE)),
    "a choice of null": _Fault(
        _body({"choices": [None]}), _OUTPUT, _stream({"choices": [None]}, _DONE)
    ),
    "choices of the wrong type": _Fault(
        _body({"choices": "a"}), _OUTPUT, _stream({"choices": 5}, _DONE)
    ),
    "no message": _Fault(_body(b'{"choices": [{}]}'), _OUTPUT, _stream(_DONE)),
    "null content": _Fault(
        _body(_choice(content=None)), "", _stream(_chunk(content=None), _END, _DONE)
    ),
    "content of the wrong type": _Fault(
        _body(_choice(content=5)), "", _stream(_chunk(content=5), _END)
    ),
    "a delta of null": _Fault(
        _body(_choice(content="")), "", _stream({"choices": [{"delta": None}]}, _DONE)
    ),
    "logprobs of the wrong type": _Fault(
        _body({"choices": [{"message": {"content": "a"}, "logprobs": {"content": 5}}]}),
        "a",
        _stream({"choices": [{"delta": {"content": "a"}, "logprobs": {"content": 5}}]}, _DONE),
    ),
    "usage of the wrong type": _Fault(
        _body({**_choice(content="a"), "usage": "much"}),
        "a",
        _stream(_chunk(content="a"), {"usage": 5}, _DONE),
    ),
    "an error inside a 200": _Fault(
        _body({"error": {"message": "overloaded"}}), _DOWN, _stream({"error": "overloaded"})
    ),
    "a stream for a whole answer": _Fault(_stream(_chunk(content="a"), _DONE), _OUTPUT, None, "a"),
    "calls of the wrong type": _Fault(
        _body(_choice(tool_calls=5)), _OUTPUT, _stream(_chunk(tool_calls=5), _END, _DONE), ""
    ),
    "calls without a name": _Fault(
        _body(_choice(tool_calls=[{"id": "a"}])),
        _OUTPUT,
        _stream(_chunk(tool_calls=[{"id": "a"}]), _END),
    ),
    "arguments as an object, and no ids": _Fault(
        _body(_choice(content="a", tool_calls=[_CALL])),
        "a",
        _stream(_chunk(content="a", tool_calls=[_CALL]), _END),
    ),
    "an answer of 17 MiB": _Fault(_body(b" " * (17 << 20)), _OUTPUT, _stream(b"x" * (17 << 20))),
    "hangs before the headers": _Fault([], ProviderTimeoutError, end="hang"),
    "closes before the headers": _Fault([], _DOWN),
    "resets before the headers": _Fault([], _DOWN, end="reset"),
    "half a header": _Fault([b"HTTP/1.1 200 OK\r\nContent-Ty"], _DOWN),
    "no HTTP": _Fault([b"SSH-2.0-OpenSSH_9.2\r\n\r\n"], _DOWN),
    "headers without an end": _Fault([b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"a" * 100_000], _DOWN),
    "hangs after the headers": _Fault(
        _http("200 OK\r\nContent-Type: application/json\r\nContent-Length: 9"),
        ProviderTimeoutError,
        [sse_head()],
        end="hang",
    ),
    "resets after the headers": _Fault(
        _http("200 OK\r\nContent-Length: 9\r\nContent-Type: application/json"),
        _DOWN,
        [sse_head()],
        end="reset",
    ),
    "breaks off": _Fault(StubReply("one two three", breaks_off=True), _DOWN),
    "a body that is no gzip": _Fault(
        _http("200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4", b"{} {"), _DOWN
    ),
}


@asynccontextmanager
async def _serve(act: StubReply | Sequence[bytes], end: End) -> AsyncGenerator[str]:
    if isinstance(act, StubReply):
        async with StubServer(lambda _: act) as server:
            yield server.base_url
    else:
        async with open_raw_server(act, end=end) as raw:
            yield raw.base_url


async def _in_time(completion: Completion, mode: str) -> Answer:
    with anyio.fail_after(_DEADLINE + _SLACK):
        return await ask(completion, mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_ends_in_its_typed_error(open_model: OpenModel, name: str, mode: str) -> None:
    fault = FAULTS[name]
    act, expected = fault.of(mode)
    async with _serve(act, fault.end) as base_url:
        timeout = _DEADLINE if fault.end == "hang" else _SLACK
        completion = await open_model(base_url=base_url, timeout=timeout)
        if isinstance(expected, str):
            assert (await _in_time(completion, mode)).text == expected
            return
        with pytest.raises(ProviderError) as caught:
            await _in_time(completion, mode)
    assert type(caught.value) is expected
    assert caught.value.provider == "openai/stub-model"
    assert str(caught.value).startswith("openai/stub-model: ")
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FAULTS)
async def test_a_fallback_answers_in_place_of_a_fault(
    open_model: OpenModel, name: str, mode: str
) -> None:
    fault = FAULTS[name]
    act, expected = fault.of(mode)
    async with _serve(act, fault.end) as base_url:
        timeout = _DEADLINE if fault.end == "hang" else _SLACK
        completion = await open_model(
            base_url=base_url, timeout=timeout, fallback=f"python:{__name__}:answer_in_its_place"
        )
        if name == "breaks off" and mode == "streamed":
            # A part of the answer has left already: nobody may finish it with other words.
            with pytest.raises(ProviderDownError):
                await _in_time(completion, mode)
            return
        answer = await _in_time(completion, mode)
    if isinstance(expected, str):
        assert (answer.text, answer.result.model) == (expected, "openai/stub-model")
    else:
        assert answer.text == "the fallback"
        assert answer.result.model == f"python:{__name__}:answer_in_its_place"


def answer_in_its_place(_: object) -> str:
    """Answer; the completion that the faulty servers fall back to."""
    return "the fallback"


async def test_the_arguments_of_an_object_survive(open_model: OpenModel) -> None:
    for mode in MODES:
        act, _ = FAULTS["arguments as an object, and no ids"].of(mode)
        async with _serve(act, "close") as base_url:
            answer = await ask(await open_model(base_url=base_url), mode)
        (call,) = answer.result.message.tool_calls
        assert (call.id, call.name, call.arguments) == ("", "stock_level", '{"sku":"A1"}')


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        (None, None),
        ("soon", None),
        ("", None),
        ("99999999", 99_999_999.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 99 Foo 2015", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_the_time_that_a_server_asks_for_is_read(
    open_model: OpenModel, status: int, value: str | None, expected: float | None
) -> None:
    headers = {**_JSON, **({"Retry-After": value} if value is not None else {})}
    async with StubServer(lambda _: StubReply(status=status, headers=headers)) as server:
        completion = await open_model(base_url=server.base_url)
        for mode in MODES:
            with pytest.raises((ProviderBusyError, ProviderDownError)) as caught:
                await _in_time(completion, mode)
            assert caught.value.retry_after == expected
            assert caught.value.status == status


@pytest.mark.parametrize("value", ["3600", "inf", "1e300"])
@pytest.mark.parametrize("mode", MODES)
async def test_nobody_waits_longer_than_the_deadline(
    open_model: OpenModel, mode: str, value: str
) -> None:
    headers = {**_JSON, "Retry-After": value}
    async with StubServer(lambda _: StubReply(status=429, headers=headers)) as server:
        completion = await open_model(base_url=server.base_url, max_retries=3, timeout=30)
        with anyio.fail_after(_SLACK), pytest.raises(ProviderBusyError):
            await ask(completion, mode)
        assert len(server.requests) == 1
        fallback = await open_model(
            base_url=server.base_url,
            max_retries=3,
            timeout=30,
            fallback=f"python:{__name__}:answer_in_its_place",
        )
        with anyio.fail_after(_SLACK):
            assert (await ask(fallback, mode)).text == "the fallback"


@pytest.mark.parametrize("mode", MODES)
async def test_a_refused_connection_is_a_provider_that_is_down(
    open_model: OpenModel, mode: str
) -> None:
    async with open_raw_server([]) as server:
        base_url = server.base_url
    with pytest.raises(ProviderDownError, match="no answer from"):
        await _in_time(await open_model(base_url=base_url), mode)
    async with StubServer() as plain:
        secure = plain.base_url.replace("http:", "https:")
        with pytest.raises(ProviderDownError, match="no answer from"):
            await _in_time(await open_model(base_url=secure), mode)


@pytest.mark.parametrize("mode", MODES)
async def test_a_redirect_is_not_followed(open_model: OpenModel, mode: str) -> None:
    async with AsyncExitStack() as stack:
        target = await stack.enter_async_context(StubServer(lambda _: "stolen"))
        location = {"Location": f"{target.base_url}/chat/completions"}
        reply = StubReply(status=307, headers=location)
        server = await stack.enter_async_context(StubServer(lambda _: reply))
        with pytest.raises(ProviderRefusedError, match="HTTP 307"):
            await _in_time(await open_model(base_url=server.base_url), mode)
    assert target.requests == []


async def test_after_the_first_text_a_failure_is_final(open_model: OpenModel) -> None:
    error = _stream(_chunk(content="Once "), {"error": {"message": "out of memory"}})
    async with StubServer(lambda _: error) as server:
        completion = await open_model(
            base_url=server.base_url,
            max_retries=2,
            fallback=f"python:{__name__}:answer_in_its_place",
        )
        pieces: list[object] = []
        with pytest.raises(ProviderDownError, match="out of memory"):
            async for item in completion.stream(request()):
                pieces += [item]
    assert pieces == ["Once "]
    assert len(server.requests) == 1


async def test_a_stream_that_hangs_after_its_first_text_ends_in_time(open_model: OpenModel) -> None:
    head = [sse_head(), b'data: {"choices": [{"delta": {"content": "Once "}}]}\n\n']
    async with open_raw_server(head, end="hang") as server:
        completion = await open_model(base_url=server.base_url, timeout=_DEADLINE)
        with pytest.raises(ProviderTimeoutError, match=r"no answer within 0\.6 s"):
            await _in_time(completion, "streamed")


async def test_a_stream_without_an_end_is_cut_off(open_model: OpenModel) -> None:
    text = orjson.dumps(_chunk(content="x" * (1 << 20)))
    event = b"data: " + text + b"\n\n"
    async with open_raw_server([sse_head(), *[event] * 80]) as server:
        completion = await open_model(base_url=server.base_url, timeout=_SLACK)
        with pytest.raises(ProviderOutputError, match="larger than 64 MiB"):
            await _in_time(completion, "streamed")


async def test_bytes_that_drip_are_bounded_by_the_deadline(open_model: OpenModel) -> None:
    drip = [sse_head(), *[b": keep-alive\n\n"] * 50]
    async with open_raw_server(drip, end="hang") as server:
        completion = await open_model(base_url=server.base_url, timeout=_DEADLINE)
        with pytest.raises(ProviderTimeoutError):
            await _in_time(completion, "streamed")
