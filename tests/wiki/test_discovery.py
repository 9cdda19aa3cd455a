"""Finding model servers: who answers, what they are called, and what does not pass for one."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from aiohttp import web

from swarm import CompletionSpec
from swarm.errors import DeclarationError
from wiki.discovery import LocalServer, discover, providers

pytestmark = pytest.mark.anyio

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _json(content: Any, **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(content, headers=headers)

    return answer


@asynccontextmanager
async def served(**paths: Answer) -> AsyncGenerator[int]:
    """Serve `api_tags` and `v1_models` on loopback and give the port."""
    app = web.Application()
    for path, answer in paths.items():
        app.router.add_get("/" + path.replace("_", "/"), answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _listed(*names: str, owner: str = "me") -> Answer:
    return _json({"object": "list", "data": [{"id": n, "owned_by": owner} for n in names]})


@pytest.mark.requirement("S0-36")
async def test_each_kind_of_server_is_told_by_what_it_answers() -> None:
    tags = _json({"models": [{"name": "qwen3:0.6b"}, {"name": "pharma"}]})
    async with (
        served(api_tags=tags, v1_models=_listed("qwen3:0.6b", owner="library")) as ollama,
        served(api_tags=tags, v1_models=_listed("pharma", owner="llamacpp")) as llama,
        served(v1_models=_listed("org/model", owner="vllm")) as vllm,
        served(v1_models=_listed("any")) as other,
    ):
        found = await discover(ports=[vllm, ollama, other, llama], seconds=10)
    assert [(s.name, s.provider, s.port, s.models) for s in found] == [
        ("vLLM", "vllm", vllm, ("org/model",)),
        ("Ollama", "ollama", ollama, ("qwen3:0.6b", "pharma")),
        ("OpenAI-compatible", "llama-server", other, ("any",)),
        ("llama-server", "llama-server", llama, ("pharma",)),
    ]


async def test_what_is_no_model_server_is_left_out() -> None:
    async def elsewhere(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/v1/models/other")

    async def text(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>")

    async def endless(http: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(http)
        while True:
            await response.write(b"[" * 65_536)

    wrong = [elsewhere, text, endless, _json([1]), _json({"data": {}}), _json({"models": 3})]
    for answer in wrong:
        async with served(api_tags=answer, v1_models=answer) as port:
            assert await discover(ports=[port], seconds=10) == ()


async def test_a_server_that_hangs_holds_nobody_up() -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await anyio.sleep_forever()
        raise AssertionError

    async with (
        served(api_tags=hang, v1_models=hang) as slow,
        served(v1_models=_listed("a")) as quick,
    ):
        with anyio.fail_after(20):
            found = await discover(ports=[slow, quick], seconds=0.5)
    assert [server.port for server in found] == [quick]


async def test_names_that_would_steer_a_terminal_are_left_out() -> None:
    async with served(v1_models=_listed("good", "\x1b[2J", "a b", "../x" * 100)) as port:
        [server] = await discover(ports=[port], seconds=10)
    assert server.models == ("good",)


async def test_a_port_that_is_none_is_refused() -> None:
    with pytest.raises(DeclarationError, match="70000 is no port"):
        await discover(ports=[70_000])


@pytest.mark.requirement("S0-38")
def test_a_local_model_is_one_expression() -> None:
    spec = CompletionSpec(completion_name="local", **providers.ollama("qwen3"))
    assert (spec.model, spec.base_url) == ("ollama/qwen3", None)
    far = providers.vllm("org/model", base_url="http://10.0.0.7:8000/v1")
    assert far == {"model": "vllm/org/model", "base_url": "http://10.0.0.7:8000/v1"}
    assert providers.llama_server() == {"model": "llama-server/model"}


@pytest.mark.requirement("S0-38")
def test_what_was_found_becomes_a_completion() -> None:
    server = LocalServer("LM Studio", "llama-server", "::1", 1234, ("a", "b"))
    assert server.completion() == {"model": "llama-server/a", "base_url": "http://[::1]:1234/v1"}
    assert server.completion("b")["model"] == "llama-server/b"
    with pytest.raises(DeclarationError, match="no model 'c'; it has: a, b"):
        server.completion("c")
    assert LocalServer("vLLM", "vllm", "127.0.0.1", 8000, ("m",)).completion() == {
        "model": "vllm/m"
    }
