"""Serving a model to others: the same answers through every server, and one that dies comes back.

The engine is real. `llama-server` is played by a program that takes its command line and serves
with the same engine; Ollama and vLLM by servers that speak as they do in front of it.
"""

import os
import signal
import stat
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import anyio
import pytest
from aiohttp import web

from finetune import read_questions
from swarm import Catalog, Host, add_completion, use_catalog
from swarm.errors import DeclarationError, SetupError
from wiki import add_wiki, ask
from wiki.discovery import CompletionArguments, discover, providers
from wiki.engine import EngineError, GgufError
from wiki.serving import serve_model

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("trained_run")]

_LLAMA_SERVER = """\
#!{python}
import argparse, importlib, os, signal
parser = argparse.ArgumentParser()
for short, long in (("-m", "--model"), ("-a", "--alias")):
    parser.add_argument(short, long)
for name in ("--host", "--port", "--ctx-size", "--parallel", "--threads", "--temp", "--seed"):
    parser.add_argument(name)
parser.add_argument("--offline", action="store_true")
given = parser.parse_args()
xllamacpp = importlib.import_module("xllamacpp")
params = xllamacpp.CommonParams()
params.model.path, params.model_alias = given.model, {{given.alias}}
params.hostnames, params.port = [given.host], int(given.port)
params.n_ctx, params.n_parallel = int(given.ctx_size), int(given.parallel)
params.cpuparams.n_threads = int(given.threads)
params.sampling.temp, params.sampling.seed = float(given.temp), int(given.seed)
if key := os.environ.get("LLAMA_API_KEY"):
    params.api_keys = [key]
server = xllamacpp.Server(params)
signal.pause()
"""


@pytest.fixture
def llama_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `llama-server` on the search path."""
    path = tmp_path / "bin" / "llama-server"
    path.parent.mkdir()
    path.write_text(_LLAMA_SERVER.format(python=sys.executable), encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    return path


@asynccontextmanager
async def speaking_as(owner: str, name: str, behind: str) -> AsyncGenerator[str]:
    """Serve `/v1` as Ollama or vLLM does, with the answers of the server behind."""

    async def chat(http: web.Request) -> web.StreamResponse:
        body = await http.json()
        if body["model"] != name:
            return web.json_response({"error": f"model {body['model']!r} not found"}, status=404)
        async with client.post(f"{behind}/chat/completions", json=body) as answer:
            return web.Response(
                body=await answer.read(), status=answer.status, content_type="application/json"
            )

    async def models(_: web.Request) -> web.StreamResponse:
        return web.json_response({"object": "list", "data": [{"id": name, "owned_by": owner}]})

    async def tags(_: web.Request) -> web.StreamResponse:
        return web.json_response({"models": [{"name": name, "model": name, "size": 1}]})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_get("/v1/models", models)
    if owner == "library":
        app.router.add_get("/api/tags", tags)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as client:
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        finally:
            await runner.cleanup()


def _catalog(*, model: str | None = None, served: CompletionArguments | None = None) -> Catalog:
    """Return the wiki `pharma` by a reference, or by the arguments of a completion."""
    catalog = Catalog()
    with use_catalog(catalog):
        if served is not None:
            add_completion(completion_name="served", temperature=0.0, max_tokens=32, **served)
        add_wiki(
            wiki_name="pharma",
            model=model,
            completion=None if served is None else "served",
            max_tokens=None if served else 32,
        )
    return catalog


async def _answers(catalog: Catalog, home: Path, questions: list[str]) -> list[str]:
    async with Host(catalog=catalog, home=home, environment={}) as host:
        with anyio.fail_after(60):
            return [(await ask("pharma", text, host=host)).text for text in questions]


@pytest.mark.requirement("S0-35", "S0-36", "S4-01", "S4-10")
async def test_every_server_gives_the_same_answers(
    published_home: Path, facts_file: Path, tmp_path: Path, llama_server: Path
) -> None:
    facts = read_questions(facts_file)
    questions = [text for fact in facts for text in (*fact.train, *fact.held_out)]
    reference = "registry/pharma@live"
    expected = await _answers(_catalog(model=reference), published_home, questions)
    assert len(set(expected)) >= 4

    async def same(served: CompletionArguments) -> None:
        assert await _answers(_catalog(served=served), tmp_path, questions) == expected

    async with serve_model(reference, port=0, home=published_home) as first:
        # The system's own server is taken where there is one.
        assert first.completion()["model"] == "llama-server/pharma"
        await same(first.completion())
    async with serve_model(reference, port=0, home=published_home, program="engine") as server:
        await same(server.completion())
        port = int(server.base_url.split(":")[-1].removesuffix("/v1"))
        [found] = await discover(ports=[port], seconds=10)
        assert (found.name, found.models) == ("llama-server", ("pharma",))
        await same(found.completion())
        async with speaking_as("library", "pharma:latest", server.base_url) as url:
            await same(providers.ollama("pharma:latest", url))
        async with speaking_as("vllm", "org/pharma", server.base_url) as url:
            await same(providers.vllm("org/pharma", url))


async def test_a_server_that_dies_is_started_again_at_its_place(
    tiny_gguf: Path, tmp_path: Path
) -> None:
    async with serve_model(tiny_gguf, port=0, home=tmp_path, program="engine") as server:
        url, pid = server.base_url, server.pid
        before = await _answers(_catalog(served=server.completion()), tmp_path, ["hello"])
        os.kill(pid, signal.SIGSEGV)
        with anyio.fail_after(60):
            await server.wait(restarts=1)
        assert (server.base_url, server.restarts) == (url, 1)
        assert server.pid != pid
        assert await _answers(_catalog(served=server.completion()), tmp_path, ["hello"]) == before


async def test_a_server_that_dies_again_and_again_is_given_up(
    tiny_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve_model(tiny_gguf, port=0, home=tmp_path, program="engine") as server:
        program = tmp_path / "dying.py"
        program.write_text("raise SystemExit('no memory')", encoding="utf-8")
        monkeypatch.setattr("wiki.engine.child.__file__", str(program))
        os.kill(server.pid, signal.SIGKILL)
        with anyio.fail_after(60), pytest.raises(EngineError, match="no memory"):
            await server.wait()


async def test_the_systems_server_ends_with_us_and_asks_for_its_key(
    tiny_gguf: Path, tmp_path: Path, llama_server: Path
) -> None:
    async with (
        serve_model(
            tiny_gguf, port=0, home=tmp_path, program="llama-server", api_key="local-key"
        ) as server,
        aiohttp.ClientSession() as client,
    ):
        url = f"{server.base_url}/models"
        body = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 4}
        chat = f"{server.base_url}/chat/completions"
        async with client.post(chat, json=body) as refused:
            assert refused.status == 401
        key = {"Authorization": "Bearer local-key"}
        async with client.post(chat, json=body, headers=key) as answered:
            assert answered.status == 200
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.ClientError):
            await client.get(url)


async def test_what_cannot_be_served_is_said(
    tiny_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="no llama-server"):
        async with serve_model(tiny_gguf, program="llama-server", home=tmp_path):
            pass
    with pytest.raises(DeclarationError, match="no model on this machine"):
        async with serve_model("openai/any", home=tmp_path):
            pass
    (tmp_path / "bad.gguf").write_bytes(b"GGUF")
    with pytest.raises(GgufError):
        async with serve_model(f"gguf/{tmp_path / 'bad.gguf'}", home=tmp_path):
            pass
