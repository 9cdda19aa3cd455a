"""The client of OpenAI-compatible servers, against real servers on loopback."""

import math
import time
from collections.abc import Sequence
from typing import Any

import anyio
import orjson
import pytest

from swarm import CompletionResult, Message, ToolCall, Usage
from swarm.completion import Completion
from swarm.errors import DeclarationError, ProviderDownError
from swarm.testing import StubReply, StubServer
from tests.swarm.completions.asking import MODES, TOOL, OpenModel, ask, request
from tests.swarm.completions.raw_server import open_raw_server, sse_head

pytestmark = pytest.mark.anyio


async def _both(completion: Completion, **question: Any) -> list[CompletionResult]:
    return [(await ask(completion, mode, request(**question))).result for mode in MODES]


def _sse(*chunks: dict[str, Any], done: bool = True) -> bytes:
    lines = [b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks]
    return b"".join(lines) + (b"data: [DONE]\n\n" if done else b"")


def _piece(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


@pytest.mark.requirement("S4-11")
async def test_a_stream_gives_what_a_whole_answer_gives(open_model: OpenModel) -> None:
    calls = (
        ToolCall(id="a", name="stock_level", arguments='{"sku":"ž1"}'),
        ToolCall(id="b", name="stock_level", arguments='{"sku":"B2"}'),
    )
    reply = StubReply("Let me see, one moment.", tool_calls=calls, logprobs=(-0.1, -0.3))
    async with StubServer(lambda _: reply) as server:
        completion = await open_model(base_url=server.base_url)
        whole, streamed = await _both(completion, tools=[TOOL], wants_confidence=True)
    assert streamed == whole
    assert whole.model == completion.model == "openai/stub-model"
    assert whole.message.content == "Let me see, one moment."
    assert whole.message.tool_calls == calls
    assert whole.finish_reason == "tool_calls"
    assert whole.confidence == pytest.approx(math.exp(-0.2))
    assert whole.usage.input_tokens > 0 < whole.usage.output_tokens


async def test_a_stream_comes_in_pieces(open_model: OpenModel) -> None:
    async with StubServer(lambda _: "one two three") as server:
        answer = await ask(await open_model(base_url=server.base_url), "streamed")
    assert answer.pieces == ["one", " two", " three"]


@pytest.mark.requirement("kit:provider:sampling")
async def test_a_request_carries_the_declared_fields(open_model: OpenModel) -> None:
    async with StubServer(lambda _: "Hello.") as server:
        completion = await open_model(
            base_url=f"{server.base_url}/",
            temperature=0.0,
            top_p=0.5,
            max_tokens=9,
            seed=7,
            extra_body={"top_k": 3, "stop": ["\n"], "temperature": 0.25},
        )
        await _both(completion, tools=[TOOL], wants_confidence=True)
        plain = await open_model(base_url=server.base_url)
        await ask(plain, "whole")
    whole, streamed, bare = server.requests
    assert whole == {
        "model": "stub-model",
        "messages": [{"role": "user", "content": "Hello"}],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": TOOL.name,
                    "description": TOOL.description,
                    "parameters": TOOL.parameters,
                },
            }
        ],
        "logprobs": True,
        "temperature": 0.25,
        "top_p": 0.5,
        "max_tokens": 9,
        "seed": 7,
        "top_k": 3,
        "stop": ["\n"],
    }
    assert streamed == {**whole, "stream": True, "stream_options": {"include_usage": True}}
    assert bare == {"model": "stub-model", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.mark.requirement("kit:misc:tool-calls-of-providers")
@pytest.mark.parametrize("mode", MODES)
async def test_tool_outputs_go_back_with_the_ids_of_their_calls(
    open_model: OpenModel, mode: str
) -> None:
    call = ToolCall(id="call_9", name="stock_level", arguments='{"sku":"A1"}')
    history = (
        "How many?",
        Message(role="assistant", tool_calls=(call,), reasoning="secret thought"),
        Message(role="tool", content="3", tool_call_id="call_9"),
    )
    async with StubServer() as server:
        answer = await ask(await open_model(base_url=server.base_url), mode, request(*history))
    assert answer.text == "The tool says: 3"
    _, called, output = server.requests[0]["messages"]
    assert called["tool_calls"][0]["id"] == output["tool_call_id"] == "call_9"
    assert called["tool_calls"][0]["function"] == {
        "name": "stock_level",
        "arguments": '{"sku":"A1"}',
    }
    assert "secret thought" not in orjson.dumps(server.requests).decode()


@pytest.mark.requirement("kit:turn:thinking-apart")
@pytest.mark.parametrize(
    ("fields", "reasoning", "text"),
    [
        ({"content": "<think>\nwhy\n</think>\n\nBecause."}, "why", "Because."),
        ({"content": "Because.", "reasoning_content": "why"}, "why", "Because."),
        ({"content": "Because.", "reasoning": "why"}, "why", "Because."),
        ({"content": [{"type": "text", "text": "Because."}]}, None, "Because."),
    ],
)
@pytest.mark.requirement("S0-04")
async def test_thoughts_are_kept_apart(
    open_model: OpenModel, fields: dict[str, Any], reasoning: str | None, text: str
) -> None:
    def cut(key: str, value: Any) -> Sequence[dict[str, Any]]:
        parts: list[Any] = [value[:3], *value[3:]] if isinstance(value, str) else [value]
        deltas: list[dict[str, Any]] = [{key: part} for part in parts]
        return [_piece(**delta) for delta in deltas]

    def reply(body: Any) -> StubReply:
        if not body.get("stream"):
            choice = {"message": {"role": "assistant", **fields}, "finish_reason": "stop"}
            return StubReply(body=orjson.dumps({"choices": [choice]}))
        pieces = [piece for key in reversed(fields) for piece in cut(key, fields[key])]
        return StubReply(
            body=_sse(*pieces, _piece("stop")), headers={"Content-Type": "text/event-stream"}
        )

    async with StubServer(reply) as server:
        whole, streamed = await _both(await open_model(base_url=server.base_url))
    assert streamed == whole
    assert whole.message.content == text
    assert whole.message.reasoning == reasoning


async def test_usage_and_confidence_may_be_absent(open_model: OpenModel) -> None:
    def reply(body: Any) -> StubReply:
        if not body.get("stream"):
            return StubReply(body=b'{"choices": [{"message": {"content": "Hi"}}], "new": 1}')
        stream = _sse(_piece(content="Hi", new=[1]))
        return StubReply(body=stream, headers={"Content-Type": "text/event-stream"})

    async with StubServer(reply) as server:
        whole, streamed = await _both(await open_model(base_url=server.base_url))
    assert streamed == whole
    assert (whole.usage, whole.confidence, whole.finish_reason) == (Usage(), None, None)


async def test_a_server_that_knows_no_streams_still_answers(open_model: OpenModel) -> None:
    body = orjson.dumps({"choices": [{"message": {"content": "All at once."}}]})
    async with StubServer(lambda _: StubReply(body=body)) as server:
        answer = await ask(await open_model(base_url=server.base_url), "streamed")
    assert answer.pieces == ["All at once."]


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_a_stream_may_be_cut_anywhere(open_model: OpenModel, size: int) -> None:
    stream = (
        ": keep-alive\r\n\r\ndata:\r\n\r\n"
        + 'event: chunk\r\ndata: {"choices": [{"delta":\r\ndata: {"content": "žluť "}}]}\r\n\r\n'
        + 'data:{"choices":[{"delta":{"content":"€"},"finish_reason":"stop"}]}\r\r'
        + "data:  [DONE]\n\n"
    ).encode()
    pieces = [stream[i : i + size] for i in range(0, len(stream), size)]
    async with open_raw_server([sse_head(), *pieces]) as server:
        answer = await ask(await open_model(base_url=server.base_url), "streamed")
    assert answer.pieces == ["žluť ", "€"]


@pytest.mark.parametrize("done", [True, False])
async def test_either_end_of_a_stream_is_enough(open_model: OpenModel, done: bool) -> None:
    end = [] if done else [_piece("length")]
    stream = _sse(_piece(content="Hi"), *end, done=done)
    async with open_raw_server([sse_head(), stream]) as server:
        answer = await ask(await open_model(base_url=server.base_url), "streamed")
    assert answer.text == "Hi"
    assert answer.result.finish_reason == (None if done else "length")


async def test_a_stream_that_is_left_lets_its_connection_go(open_model: OpenModel) -> None:
    head = [sse_head(), _sse(_piece(content="Hi"), done=False)]
    async with open_raw_server(head, end="hang") as server:
        items = (await open_model(base_url=server.base_url)).stream(request())
        assert await anext(items) == "Hi"
        with anyio.fail_after(2):
            await items.aclose()


@pytest.mark.requirement("kit:provider:cancelled")
async def test_a_slow_answer_may_be_cancelled(open_model: OpenModel) -> None:
    async with StubServer(lambda _: StubReply(hangs=True)) as server:
        completion = await open_model(base_url=server.base_url)
        for mode in MODES:
            with anyio.move_on_after(0.1) as scope:
                await ask(completion, mode)
            assert scope.cancelled_caught


async def test_many_questions_share_the_connections(open_model: OpenModel) -> None:
    async with StubServer(lambda body: f"to {body['messages'][-1]['content']}") as server:
        completion = await open_model(base_url=server.base_url)
        answers: dict[int, str] = {}

        async def one(number: int) -> None:
            mode = MODES[number % 2]
            answers[number] = (await ask(completion, mode, request(f"{number}"))).text

        async with anyio.create_task_group() as group:
            for number in range(40):
                group.start_soon(one, number)
    assert answers == {number: f"to {number}" for number in range(40)}


@pytest.mark.requirement("kit:facade:providers")
@pytest.mark.parametrize(
    ("model", "address"),
    [
        ("ollama/m", "http://127.0.0.1:11434/v1/chat/completions"),
        ("llama-server/m", "http://127.0.0.1:8001/v1/chat/completions"),
        ("vllm/m", "http://127.0.0.1:8000/v1/chat/completions"),
    ],
)
async def test_local_servers_have_their_usual_addresses(
    open_model: OpenModel, model: str, address: str
) -> None:
    with pytest.raises(ProviderDownError) as caught:
        await ask(await open_model(model), "whole")
    assert address in str(caught.value)
    assert caught.value.provider == model


async def test_azure_wants_an_address(open_model: OpenModel) -> None:
    with pytest.raises(DeclarationError, match="azure/m needs a `base_url`"):
        await open_model("azure/m")


async def test_an_open_completion_is_shared(open_model: OpenModel) -> None:
    first = await open_model(base_url="http://127.0.0.1:1/v1")
    assert await open_model(base_url="http://127.0.0.1:1/v1") is first
    assert await open_model(base_url="http://127.0.0.1:2/v1") is not first


async def test_an_address_that_is_none_is_an_error_of_ours(open_model: OpenModel) -> None:
    started = time.monotonic()
    for base_url in ("localhost:1234/v1", "ftp://127.0.0.1/v1", "http://[", "not an address"):
        for mode in MODES:
            with pytest.raises(ProviderDownError, match="no answer from"):
                await ask(await open_model(base_url=base_url), mode)
    assert time.monotonic() - started < 10
