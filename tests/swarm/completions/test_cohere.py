"""Cohere's models through their SDK, against a server that speaks their wire format."""

import math
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from swarm import (
    Catalog,
    Host,
    Message,
    ToolCall,
    Usage,
    add_agent,
    add_completion,
    add_swarm,
    add_tool,
    session,
    use_catalog,
)
from swarm.errors import (
    ProviderBusyError,
    ProviderDownError,
    ProviderError,
    ProviderOutputError,
    ProviderRefusedError,
)
from tests.swarm.completions.asking import MODES, TOOL, OpenModel, ask, opener, request
from tests.swarm.completions.cohere_server import CohereReply, open_cohere_server
from tests.swarm.completions.raw_server import End, open_raw_server

pytestmark = pytest.mark.anyio

_KEY = "cohere-" + "0123456789abcdef" * 3
_CALLS = (
    ToolCall(id="stock_0", name="stock_level", arguments='{"sku":"ž1"}'),
    ToolCall(id="stock_1", name="stock_level", arguments='{"sku":"B2"}'),
)


@pytest.mark.requirement("S4-09")
async def test_a_stream_gives_what_a_whole_answer_gives(open_model: OpenModel) -> None:
    reply = CohereReply("Three boxes are left.", thinking="Let me see.", logprobs=(-0.1, -0.3))
    async with open_cohere_server(reply) as server:
        completion = await open_model("cohere/command-stub", server.base_url)
        question = request(wants_confidence=True)
        whole, streamed = [await ask(completion, mode, question) for mode in MODES]
    assert streamed.result == whole.result
    assert streamed.pieces == ["Three", " boxes", " are", " left."]
    result = whole.result
    assert result.model == "cohere/command-stub"
    assert result.message.content == "Three boxes are left."
    assert result.message.reasoning == "Let me see."
    assert result.usage == Usage(input_tokens=71, output_tokens=3)
    assert result.confidence == pytest.approx(math.exp(-0.2))
    assert result.finish_reason == "COMPLETE"


@pytest.mark.requirement("S4-09")
async def test_tool_calls_are_read_in_both_modes(open_model: OpenModel) -> None:
    reply = CohereReply(tool_plan="I will look.", tool_calls=_CALLS, finish_reason="TOOL_CALL")
    async with open_cohere_server(reply) as server:
        completion = await open_model("cohere/m", server.base_url)
        results = [(await ask(completion, mode, request(tools=[TOOL]))).result for mode in MODES]
    for result in results:
        assert result.message.tool_calls == _CALLS
        assert result.message.reasoning == "I will look."
        assert (result.message.content, result.finish_reason) == ("", "TOOL_CALL")


async def test_a_request_has_the_shape_of_the_api(open_model: OpenModel) -> None:
    messages = (
        Message(role="system", content="Be brief."),
        Message(role="developer", content="No jokes."),
        "How many?",
        Message(role="assistant", tool_calls=_CALLS[:1], reasoning="secret thought"),
        Message(role="tool", content="3", tool_call_id="stock_0"),
        Message(role="assistant", content="Three."),
        "Sure?",
    )
    async with open_cohere_server(CohereReply("Yes.")) as server:
        completion = await open_model(
            "cohere/m",
            server.base_url,
            temperature=0.5,
            top_p=0.75,
            max_tokens=9,
            seed=7,
            extra_body={"safety_mode": "OFF", "k": 3},
        )
        question = request(*messages, tools=[TOOL], wants_confidence=True)
        for mode in MODES:
            await ask(completion, mode, question)
    whole, streamed = server.requests
    call = {
        "id": "stock_0",
        "type": "function",
        "function": {"name": "stock_level", "arguments": '{"sku":"ž1"}'},
    }
    expected: dict[str, Any] = {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "system", "content": "No jokes."},
            {"role": "user", "content": "How many?"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "stock_0", "content": "3"},
            {"role": "assistant", "content": "Three."},
            {"role": "user", "content": "Sure?"},
        ],
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
        "temperature": 0.5,
        "p": 0.75,
        "max_tokens": 9,
        "seed": 7,
        "logprobs": True,
        "safety_mode": "OFF",
        "k": 3,
    }
    assert whole == {**expected, "stream": False}
    assert streamed == {**expected, "stream": True}


@pytest.mark.requirement("S4-21")
async def test_the_key_comes_from_its_variable(tmp_path: Path) -> None:
    environment = {"COHERE_API_KEY": _KEY}
    async with (
        open_cohere_server(CohereReply("Hi.")) as server,
        Host(catalog=Catalog(), home=tmp_path, environment=environment) as host,
    ):
        open_model = opener(host)
        await ask(await open_model("cohere/m", server.base_url), "whole")
        named = await open_model("cohere/m", server.base_url, api_key_env="COHERE_API_KEY")
        for mode in MODES:
            await ask(named, mode)
    assert _KEY not in server.keys[0]
    assert server.keys[1:] == [f"Bearer {_KEY}"] * 2


@pytest.mark.parametrize("mode", MODES)
async def test_several_keys_take_turns(tmp_path: Path, mode: str) -> None:
    async with (
        open_cohere_server(CohereReply("Hi.")) as server,
        Host(catalog=Catalog(), home=tmp_path, environment={"A": "key-a", "B": "key-b"}) as host,
    ):
        completion = await opener(host)("cohere/m", server.base_url, api_key_env=["A", "B"])
        for _ in range(3):
            await ask(completion, mode)
    assert server.keys == ["Bearer key-a", "Bearer key-b", "Bearer key-a"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *[(status, ProviderRefusedError) for status in (302, 400, 401, 403, 404, 413, 422, 498)],
        (429, ProviderBusyError),
        *[(status, ProviderDownError) for status in (408, 409, 500, 502, 503, 504)],
    ],
)
async def test_a_status_is_a_typed_error(
    open_model: OpenModel, mode: str, status: int, kind: type[ProviderError]
) -> None:
    headers = {"Retry-After": "7", "Location": "http://127.0.0.1:1/"}
    async with open_cohere_server(CohereReply(status=status, headers=headers)) as server:
        completion = await open_model("cohere/m", server.base_url)
        with pytest.raises(ProviderError, match=f"HTTP {status}: the stub says no") as caught:
            await ask(completion, mode)
    assert type(caught.value) is kind
    assert caught.value.provider == "cohere/m"
    if kind is not ProviderRefusedError:
        assert caught.value.retry_after == 7
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("reply", "mode", "kind"),
    [
        (CohereReply(body=b"<html>"), "whole", ProviderOutputError),
        (CohereReply(body=b'{"id": "1'), "whole", ProviderOutputError),
        (CohereReply(body=b"[]"), "whole", ProviderOutputError),
        (CohereReply(body=b"{}"), "whole", ProviderOutputError),
        (
            CohereReply(body=b'{"message": {"role": "assistant", "content": 5}}'),
            "whole",
            ProviderError,
        ),
        (CohereReply("Hal", error="out of memory"), "whole", ProviderDownError),
        (CohereReply("Hal", error="out of memory"), "streamed", ProviderDownError),
        (CohereReply("Hal", finish_reason="TIMEOUT"), "whole", ProviderDownError),
        (CohereReply("Hal", finish_reason="ERROR"), "streamed", ProviderDownError),
        (CohereReply("Hal", stops_early=True), "streamed", ProviderDownError),
        (CohereReply(body=b"<html>"), "streamed", ProviderDownError),
        (CohereReply(tool_calls=(ToolCall(id="a", name=""),)), "whole", ProviderOutputError),
        (CohereReply(tool_calls=(ToolCall(id="a", name=""),)), "streamed", ProviderOutputError),
    ],
)
async def test_what_is_no_answer_is_a_typed_error(
    open_model: OpenModel, reply: CohereReply, mode: str, kind: type[ProviderError]
) -> None:
    async with open_cohere_server(reply) as server:
        with pytest.raises(kind) as caught:
            await ask(await open_model("cohere/m", server.base_url), mode)
    assert str(caught.value).startswith("cohere/m: ")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("pieces", "end"),
    [
        ([], "close"),
        ([], "reset"),
        (
            [b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nContent-Type: application/json\r\n\r\n{"],
            "close",
        ),
        ([b"SSH-2.0-OpenSSH_9.2\r\n\r\n"], "close"),
        ([], "hang"),
    ],
)
async def test_a_broken_connection_is_a_typed_error(
    open_model: OpenModel, mode: str, pieces: Sequence[bytes], end: End
) -> None:
    async with open_raw_server(pieces, end=end) as server:
        base_url = server.base_url.removesuffix("/v1")
        completion = await open_model("cohere/m", base_url, timeout=0.5 if end == "hang" else 20)
        with anyio.fail_after(20), pytest.raises(ProviderError) as caught:
            await ask(completion, mode)
    assert caught.value.code in ("provider_down", "provider_timeout")


@pytest.mark.parametrize("mode", MODES)
async def test_a_redirect_is_not_followed(open_model: OpenModel, mode: str) -> None:
    async with open_cohere_server(CohereReply("stolen")) as target:
        location = {"Location": f"{target.base_url}/v2/chat"}
        async with open_cohere_server(CohereReply(status=307, headers=location)) as server:
            with pytest.raises(ProviderRefusedError, match="HTTP 307"):
                await ask(await open_model("cohere/m", server.base_url), mode)
    assert target.requests == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.requirement("S1-25", "S1-20")
async def test_a_key_that_the_server_repeats_is_hidden(tmp_path: Path, mode: str) -> None:
    body = f'{{"message": "invalid api token: {_KEY}"}}'.encode()
    async with (
        open_cohere_server(CohereReply(status=401, body=body)) as server,
        Host(catalog=Catalog(), home=tmp_path, environment={"MINE": _KEY}) as host,
    ):
        completion = await opener(host)("cohere/m", server.base_url, api_key_env="MINE")
        with pytest.raises(ProviderRefusedError) as caught:
            await ask(completion, mode)
    assert "invalid api token: ***; check the key in MINE" in str(caught.value)
    assert _KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("mode", MODES)
async def test_a_failure_is_tried_again_by_our_loop_alone(open_model: OpenModel, mode: str) -> None:
    async with open_cohere_server(CohereReply(status=503, headers={"Retry-After": "0"})) as server:
        completion = await open_model("cohere/m", server.base_url, max_retries=2)
        with pytest.raises(ProviderDownError):
            await ask(completion, mode)
    assert len(server.requests) == 3


async def test_a_stream_that_is_left_lets_its_connection_go(open_model: OpenModel) -> None:
    async with open_cohere_server(CohereReply("one two three")) as server:
        items = (await open_model("cohere/m", server.base_url)).stream(request())
        assert await anext(items) == "one"
        with anyio.fail_after(5):
            await items.aclose()


@pytest.mark.requirement("S4-09")
async def test_a_swarm_speaks_through_cohere(tmp_path: Path) -> None:
    def reply(body: Any) -> CohereReply:
        last = body["messages"][-1]
        if last["role"] == "tool":
            return CohereReply(f"There are {last['content']}.")
        return CohereReply(tool_plan="Look.", tool_calls=_CALLS[:1], finish_reason="TOOL_CALL")

    def stock_level(sku: str) -> int:
        return 3

    async with open_cohere_server(reply) as server:
        with use_catalog(Catalog()) as catalog:
            add_completion(completion_name="model", model="cohere/m", base_url=server.base_url)
            add_tool(stock_level)
            add_agent(agent_name="seller", completion="model", tools=["stock_level"])
            add_swarm(swarm_name="shop", agent_list=["seller"], default_agent="seller")
        async with (
            Host(catalog=catalog, home=tmp_path, environment={}),
            session("client", "shop") as chat,
        ):
            assert await chat.complete("How many?") == "There are 3."
            events = [event async for event in chat.stream("And now?")]
    assert getattr(events[-1], "text", None) == "There are 3."
    assert server.requests[1]["messages"][-1]["tool_call_id"] == "stock_0"
