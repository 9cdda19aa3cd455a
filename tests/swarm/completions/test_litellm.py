"""litellm's models, through its OpenAI client against a server on loopback."""

import math
import traceback
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from swarm import Catalog, Host, Message, ToolCall
from swarm.errors import (
    ProviderBusyError,
    ProviderDownError,
    ProviderError,
    ProviderRefusedError,
)
from swarm.testing import StubReply, StubServer
from tests.swarm.completions.asking import (
    LITELLM_WARNINGS,
    MODES,
    TOOL,
    OpenModel,
    ask,
    opener,
    request,
)
from tests.swarm.completions.raw_server import End, open_raw_server

pytestmark = [pytest.mark.anyio, LITELLM_WARNINGS]

_MODEL = "litellm/openai/stub-model"
_KEY = "litellm-" + "0123456789abcdef" * 3


async def test_a_stream_gives_what_a_whole_answer_gives(open_model: OpenModel) -> None:
    calls = (
        ToolCall(id="a", name="stock_level", arguments='{"sku":"ž1"}'),
        ToolCall(id="b", name="stock_level", arguments='{"sku":"B2"}'),
    )
    reply = StubReply("Let me see.", tool_calls=calls, logprobs=(-0.1, -0.3))
    async with StubServer(lambda _: reply) as server:
        completion = await open_model(_MODEL, server.base_url)
        question = request(tools=[TOOL], wants_confidence=True)
        whole, streamed = [await ask(completion, mode, question) for mode in MODES]
    assert streamed.result == whole.result
    assert streamed.pieces == ["Let", " me", " see."]
    result = whole.result
    assert result.model == _MODEL
    assert (result.message.content, result.message.tool_calls) == ("Let me see.", calls)
    assert result.confidence == pytest.approx(math.exp(-0.2))
    assert result.finish_reason == "tool_calls"
    assert result.usage.input_tokens > 0 < result.usage.output_tokens


async def test_a_request_carries_messages_tools_and_fields(open_model: OpenModel) -> None:
    call = ToolCall(id="call_9", name="stock_level", arguments='{"sku":"A1"}')
    history = (
        "How many?",
        Message(role="assistant", tool_calls=(call,), reasoning="secret thought"),
        Message(role="tool", content="3", tool_call_id="call_9"),
    )
    fields = {"temperature": 0.5, "top_p": 0.75, "max_tokens": 9, "seed": 7}
    async with StubServer() as server:
        completion = await open_model(_MODEL, server.base_url, **fields)
        for mode in MODES:
            answer = await ask(completion, mode, request(*history, tools=[TOOL]))
            assert answer.text == "The tool says: 3"
    for body in server.requests:
        assert {name: body[name] for name in fields} == fields
        assert body["model"] == "stub-model"
        assert [message["role"] for message in body["messages"]] == ["user", "assistant", "tool"]
        assert body["messages"][2]["tool_call_id"] == "call_9"
        assert body["messages"][1]["tool_calls"][0]["id"] == "call_9"
        assert body["tools"][0]["function"]["parameters"] == TOOL.parameters
        assert "secret thought" not in str(body)


@pytest.mark.requirement("S1-25")
async def test_a_key_of_the_environment_does_not_go_to_an_address_of_your_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{_KEY}-other")
    async with (
        StubServer() as server,
        Host(catalog=Catalog(), home=tmp_path, environment={"MINE": _KEY}) as host,
    ):
        await ask(await opener(host)(_MODEL, server.base_url), "whole")
        await ask(await opener(host)(_MODEL, server.base_url, api_key_env="MINE"), "whole")
    assert _KEY not in str(server.headers[0])
    assert server.headers[1]["authorization"] == f"Bearer {_KEY}"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *[(status, ProviderRefusedError) for status in (400, 401, 403, 404, 413, 418, 422)],
        (429, ProviderBusyError),
        *[(status, ProviderDownError) for status in (408, 409, 500, 502, 503, 504)],
    ],
)
async def test_a_status_is_a_typed_error(
    open_model: OpenModel,
    capfd: pytest.CaptureFixture[str],
    mode: str,
    status: int,
    kind: type[ProviderError],
) -> None:
    headers = {"Retry-After": "7", "Content-Type": "application/json"}
    async with StubServer(lambda _: StubReply(status=status, headers=headers)) as server:
        with pytest.raises(ProviderError, match=f"stub status {status}") as caught:
            await ask(await open_model(_MODEL, server.base_url), mode)
    assert type(caught.value) is kind
    assert len(server.requests) == 1
    if status == 429:
        assert caught.value.retry_after == 7
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "reply",
    [
        StubReply(body=b"<html>", headers={"Content-Type": "text/html"}),
        StubReply(body=b'{"choices": []}'),
        StubReply(body=b'{"choices": [{"mess'),
        StubReply(body=b'{"error": {"message": "overloaded"}}'),
        StubReply("one two three", breaks_off=True),
    ],
)
async def test_what_is_no_answer_is_a_typed_error(
    open_model: OpenModel, mode: str, reply: StubReply
) -> None:
    async with StubServer(lambda _: reply) as server:
        with pytest.raises(ProviderError) as caught:
            await ask(await open_model(_MODEL, server.base_url), mode)
    assert str(caught.value).startswith(f"{_MODEL}: ")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("end", ["close", "reset", "hang"])
async def test_a_broken_connection_is_a_typed_error(
    open_model: OpenModel, mode: str, end: End
) -> None:
    pieces: Sequence[bytes] = []
    async with open_raw_server(pieces, end=end) as server:
        timeout = 0.5 if end == "hang" else 20
        completion = await open_model(_MODEL, server.base_url, timeout=timeout)
        with anyio.fail_after(20), pytest.raises(ProviderError) as caught:
            await ask(completion, mode)
    assert caught.value.code in ("provider_down", "provider_timeout")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.requirement("S1-25", "S1-20")
async def test_a_key_that_the_server_repeats_is_hidden(tmp_path: Path, mode: str) -> None:
    async with (
        StubServer(key="another") as server,
        Host(catalog=Catalog(), home=tmp_path, environment={"MINE": _KEY}) as host,
    ):
        completion = await opener(host)(_MODEL, server.base_url, api_key_env="MINE")
        with pytest.raises(ProviderRefusedError) as caught:
            await ask(completion, mode)
    assert "***" in str(caught.value)
    assert "check the key in MINE" in str(caught.value)
    assert _KEY not in "".join(traceback.format_exception(caught.value))


async def test_a_failure_is_tried_again_by_our_loop_alone(open_model: OpenModel) -> None:
    reply = StubReply(status=503, headers={"Retry-After": "0"})
    async with StubServer(lambda _: reply) as server:
        completion = await open_model(_MODEL, server.base_url, max_retries=2)
        with pytest.raises(ProviderDownError):
            await ask(completion, "whole")
    assert len(server.requests) == 3


async def test_a_stream_that_is_left_lets_its_connection_go(open_model: OpenModel) -> None:
    async with StubServer(lambda _: "one two three") as server:
        items = (await open_model(_MODEL, server.base_url)).stream(request())
        assert await anext(items) == "one"
        with anyio.fail_after(5):
            await items.aclose()
