"""`response_format` on the wire of each provider, and servers that refuse it."""

from collections.abc import Mapping
from typing import Any

import pytest

from swarm import CompletionRequest, Message, ResponseFormat
from swarm.errors import ProviderRefusedError
from swarm.testing import StubReply, StubServer
from tests.swarm.completions.asking import LITELLM_WARNINGS, MODES, TOOL, OpenModel, ask
from tests.swarm.completions.cohere_server import CohereReply, open_cohere_server

pytestmark = [pytest.mark.anyio, LITELLM_WARNINGS]

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"sku": {"type": "string"}},
    "required": ["sku"],
    "additionalProperties": False,
}
STRICT = ResponseFormat("shop.order", SCHEMA, strict=True)
LOOSE = ResponseFormat("shop.order", SCHEMA)
ON_THE_WIRE = {
    "type": "json_schema",
    "json_schema": {"name": "shop_order", "schema": SCHEMA, "strict": True},
}


def _request(wanted: ResponseFormat | None) -> CompletionRequest:
    return CompletionRequest([Message(role="user", content="Two boxes")], response_format=wanted)


def _refuses(*kinds: str, status: int = 400) -> Any:
    """Return a server's behaviour: it refuses formats, strict ones or all."""

    def reply(request: Mapping[str, Any]) -> StubReply:
        asked = request.get("response_format")
        if asked is None:
            return StubReply('{"sku": "plain"}')
        kind = "strict" if asked["json_schema"]["strict"] else "loose"
        return StubReply(status=status) if kind in kinds else StubReply(f'{{"sku": "{kind}"}}')

    return reply


def _sent(server: StubServer) -> list[str]:
    formats = [request.get("response_format") for request in server.requests]
    return [
        "plain" if asked is None else "strict" if asked["json_schema"]["strict"] else "loose"
        for asked in formats
    ]


@pytest.mark.requirement("kit:outline:constrained")
@pytest.mark.parametrize("model", ["openai/stub-model", "litellm/openai/stub-model"])
@pytest.mark.parametrize("mode", MODES)
async def test_the_schema_goes_to_the_server(open_model: OpenModel, model: str, mode: str) -> None:
    async with StubServer(_refuses()) as server:
        completion = await open_model(model, server.base_url)
        assert (await ask(completion, mode, _request(STRICT))).text == '{"sku": "strict"}'
        assert (await ask(completion, mode, _request(None))).text == '{"sku": "plain"}'
    assert server.requests[0]["response_format"] == ON_THE_WIRE
    assert "response_format" not in server.requests[1]


@pytest.mark.parametrize("model", ["openai/stub-model", "litellm/openai/stub-model"])
@pytest.mark.parametrize("mode", MODES)
async def test_a_server_that_refuses_a_format_is_asked_without_it_and_once(
    open_model: OpenModel, model: str, mode: str
) -> None:
    async with StubServer(_refuses("strict", "loose")) as server:
        completion = await open_model(model, server.base_url)
        for _ in range(2):
            assert (await ask(completion, mode, _request(STRICT))).text == '{"sku": "plain"}'
        assert _sent(server) == ["strict", "loose", "plain", "plain"]
        # Another schema may be one that the server knows.
        other = ResponseFormat("other", {"type": "object"})
        await ask(completion, mode, _request(other))
    assert _sent(server)[4:] == ["loose", "plain"]


@pytest.mark.parametrize("mode", MODES)
async def test_a_server_that_is_only_less_strict_keeps_the_schema(
    open_model: OpenModel, mode: str
) -> None:
    async with StubServer(_refuses("strict", status=422)) as server:
        completion = await open_model(base_url=server.base_url)
        for _ in range(2):
            assert (await ask(completion, mode, _request(STRICT))).text == '{"sku": "loose"}'
    assert _sent(server) == ["strict", "loose", "loose"]


@pytest.mark.parametrize("mode", MODES)
async def test_what_is_refused_for_another_reason_is_not_taken_for_the_format(
    open_model: OpenModel, mode: str
) -> None:
    async with StubServer(lambda _: StubReply(status=400)) as server:
        completion = await open_model(base_url=server.base_url)
        for _ in range(2):
            with pytest.raises(ProviderRefusedError):
                await ask(completion, mode, _request(LOOSE))
        # Nothing was learnt, so the format is sent again.
        assert _sent(server) == ["loose", "plain"] * 2
    async with StubServer(_refuses("loose", status=403)) as server:
        completion = await open_model(base_url=server.base_url)
        with pytest.raises(ProviderRefusedError):
            await ask(completion, mode, _request(LOOSE))
    assert _sent(server) == ["loose"]


@pytest.mark.parametrize("mode", MODES)
async def test_cohere_gets_the_schema_in_its_own_shape(open_model: OpenModel, mode: str) -> None:
    def reply(request: Mapping[str, Any]) -> CohereReply:
        refuses = request.get("response_format", {}).get("json_schema") == {"type": "object"}
        return CohereReply(status=400) if refuses else CohereReply('{"sku": "A1"}')

    async with open_cohere_server(reply) as server:
        completion = await open_model("cohere/command-a", server.base_url)
        assert (await ask(completion, mode, _request(STRICT))).text == '{"sku": "A1"}'
        other = ResponseFormat("other", {"type": "object"})
        assert (await ask(completion, mode, _request(other))).text == '{"sku": "A1"}'
        tools = CompletionRequest(_request(None).messages, [TOOL], response_format=STRICT)
        await ask(completion, mode, tools)
    formats = [request.get("response_format") for request in server.requests]
    assert formats == [
        {"type": "json_object", "json_schema": SCHEMA},
        {"type": "json_object", "json_schema": {"type": "object"}},
        None,
        None,
    ]
