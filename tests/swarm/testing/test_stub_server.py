"""The stub model server: an OpenAI-shaped answer, and each way to misbehave."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import anyio
import orjson
import pytest

from swarm import Message, ToolCall
from swarm.testing import StubReply, StubServer, call_tool

pytestmark = pytest.mark.anyio

_QUESTION = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
_TOOLS = [{"type": "function", "function": {"name": "stock_level"}}]


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """A plain HTTP client: nothing of ours between the test and the server."""
    async with aiohttp.ClientSession() as opened:
        yield opened


async def _post(
    client: aiohttp.ClientSession, server: StubServer, **fields: Any
) -> tuple[int, bytes]:
    url = f"{server.base_url}/chat/completions"
    headers = fields.pop("headers", None)
    async with client.post(url, json={**_QUESTION, **fields}, headers=headers) as response:
        return response.status, await response.read()


def _chunks(body: bytes) -> list[dict[str, Any]]:
    *events, done, rest = body.split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    return [orjson.loads(event.removeprefix(b"data: ")) for event in events]


async def test_by_itself_it_calls_the_first_tool_and_repeats_its_output(
    client: aiohttp.ClientSession,
) -> None:
    async with StubServer() as server:
        _, plain = await _post(client, server)
        _, called = await _post(client, server, tools=_TOOLS)
        output = [{"role": "tool", "tool_call_id": "call_1", "content": "3"}]
        _, told = await _post(client, server, tools=_TOOLS, messages=output)
    choice = orjson.loads(plain)["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": "You said: Hello"}
    assert choice["finish_reason"] == "stop"
    choice = orjson.loads(called)["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"] == [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "stock_level", "arguments": "{}"},
        }
    ]
    assert orjson.loads(told)["choices"][0]["message"]["content"] == "The tool says: 3"
    assert [len(request["messages"]) for request in server.requests] == [1, 1, 1]


async def test_the_answer_may_be_text_a_message_or_a_reply(client: aiohttp.ClientSession) -> None:
    for reply in ("Hi.", Message(role="assistant", content="Hi."), StubReply("Hi.")):
        async with StubServer(lambda _, reply=reply: reply) as server:
            status, body = await _post(client, server)
        answer = orjson.loads(body)
        assert (status, answer["choices"][0]["message"]["content"]) == (200, "Hi.")
        usage = answer["usage"]
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


async def test_a_stream_cuts_text_by_word_and_calls_in_the_middle(
    client: aiohttp.ClientSession,
) -> None:
    call = ToolCall(id="a", name="f", arguments='{"x":1}')
    reply = StubReply("one two", tool_calls=(call,), logprobs=(-0.5,))
    async with StubServer(lambda _: reply) as server:
        options = {"include_usage": True}
        _, body = await _post(client, server, stream=True, stream_options=options)
        _, bare = await _post(client, server, stream=True)
    *chunks, usage = _chunks(body)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert [delta["content"] for delta in deltas[:3]] == ["", "one", " two"]
    assert chunks[1]["choices"][0]["logprobs"]["content"][0]["logprob"] == -0.5
    halves = [delta["tool_calls"][0]["function"]["arguments"] for delta in deltas[3:5]]
    assert halves == ['{"x', '":1}']
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert usage["choices"] == []
    assert usage["usage"]["total_tokens"] > 0
    assert _chunks(bare) == chunks


async def test_it_asks_for_its_key_and_repeats_a_wrong_one(client: aiohttp.ClientSession) -> None:
    async with StubServer(key="right") as server:
        status, body = await _post(client, server, headers={"Authorization": "Bearer wrong"})
        assert (status, b"wrong" in body, server.requests) == (401, True, [])
        assert server.headers[0]["authorization"] == "Bearer wrong"
        status, _ = await _post(client, server, headers={"Authorization": "Bearer right"})
        assert status == 200


async def test_it_refuses_with_a_status_and_headers(client: aiohttp.ClientSession) -> None:
    reply = StubReply(status=429, headers={"Retry-After": "7"})
    async with StubServer(lambda _: reply) as server:
        url = f"{server.base_url}/chat/completions"
        async with client.post(url, json=_QUESTION) as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "7")
            assert await response.read() == b'{"error":{"message":"stub status 429"}}'


@pytest.mark.parametrize("stream", [True, False])
async def test_it_sends_a_body_as_it_is(client: aiohttp.ClientSession, stream: bool) -> None:
    async with StubServer(lambda _: StubReply(body=b"\xff no JSON")) as server:
        assert await _post(client, server, stream=stream) == (200, b"\xff no JSON")


@pytest.mark.parametrize("stream", [True, False])
async def test_it_breaks_off_in_the_middle(client: aiohttp.ClientSession, stream: bool) -> None:
    async with StubServer(lambda _: StubReply("one two three", breaks_off=True)) as server:
        url = f"{server.base_url}/chat/completions"
        async with client.post(url, json={**_QUESTION, "stream": stream}) as response:
            assert response.status == 200
            assert await response.content.readany()
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()


@pytest.mark.parametrize("stream", [True, False])
async def test_it_hangs_until_it_is_closed(client: aiohttp.ClientSession, stream: bool) -> None:
    reply = StubReply("late", hangs=True)
    with anyio.fail_after(10):
        async with StubServer(lambda _: reply) as server:
            with anyio.move_on_after(0.1) as scope:
                await _post(client, server, stream=stream)
    assert scope.cancelled_caught
    assert len(server.requests) == 1


async def test_it_may_take_its_time(client: aiohttp.ClientSession) -> None:
    async with StubServer(lambda _: StubReply("late", delay=0.1)) as server:
        before = anyio.current_time()
        status, _ = await _post(client, server)
    assert status == 200
    assert anyio.current_time() - before >= 0.09


async def test_an_answer_may_depend_on_the_request(client: aiohttp.ClientSession) -> None:
    def reply(request: Any) -> Message:
        return call_tool("f", count=len(request["messages"]))

    async with StubServer(reply) as server:
        _, body = await _post(client, server)
    call = orjson.loads(body)["choices"][0]["message"]["tool_calls"][0]
    assert call["function"] == {"name": "f", "arguments": '{"count":1}'}


async def test_a_closed_server_answers_no_more(client: aiohttp.ClientSession) -> None:
    async with StubServer() as server:
        await _post(client, server)
    with pytest.raises(aiohttp.ClientOSError):
        await _post(client, server)
