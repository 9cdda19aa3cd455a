"""Swarms and wikis as tools of an MCP server, asked by the mcp library's own client."""

import json
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.types import CallToolResult, TextContent

from bindings.mcp import make_server, tool_names
from bindings.mcp.server import MAX_MESSAGE
from swarm import (
    Catalog,
    CompletionRequest,
    Host,
    add_agent,
    add_completion,
    add_swarm,
    use_catalog,
)
from swarm.errors import DeclarationError, ProviderDownError
from swarm.testing import ScriptedCompletion
from wiki import add_wiki

DOCUMENT = """\
completions: {model: {get_completion: "shop:answer"}}
wikis: {pharma: {get_chat: "shop:look_up", doc_description: Prices of products}}
tools: {price: {wiki: pharma}}
agents:
  seller: {completion: model, prompt: You sell., tools: [price], wiki_list: [pharma]}
swarms:
  shop: {agent_list: [seller], default_agent: seller, doc_description: Sells and remembers.}
"""

MODULE = '''\
"""The functions of shop.yaml; all of them are noisy."""

import os

print("noise of a module")
os.write(1, b"noise of a C library\\n")


def answer(request):
    """Answer as a model."""
    print("noise of a model")
    os.system("echo noise of a child")
    said = [m.content for m in request.messages if m.role == "user"]
    return f"{len(said)}: {said[-1]}"


def look_up(message):
    """Answer as a wiki."""
    os.write(1, b"noise of a wiki\\n")
    return f"On {message!r}: 4.80 euros."
'''


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A document whose functions write to standard output."""
    (tmp_path / "shop.py").write_text(MODULE, encoding="utf-8")
    path = tmp_path / "shop.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


@asynccontextmanager
async def served(shop: Path) -> AsyncGenerator[Client]:
    """Run `wikiswarm serve --mcp` and connect to it."""
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "bindings.cli", "serve", str(shop), "--mcp", "--home", str(shop.parent / "h")],
    )
    log = (shop.parent / "log").open("a", encoding="utf-8")
    with log, anyio.fail_after(60):
        async with Client(stdio_client(parameters, log), cache=None) as client:
            yield client


def text_of(result: CallToolResult) -> str:
    """Return the one text of a result."""
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


@pytest.mark.anyio
async def test_a_client_asks_swarms_and_wikis(shop: Path) -> None:
    async with served(shop) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools) == ["ask_shop", "ask_wiki_pharma"]
        assert tools["ask_shop"].description == (
            "Send a message to the swarm shop. Sells and remembers."
        )
        assert tools["ask_shop"].input_schema["required"] == ["message"]
        assert set(tools["ask_shop"].input_schema["properties"]) == {"message", "client_id"}
        first = await client.call_tool("ask_shop", {"message": "Hello"})
        assert text_of(first) == "1: Hello"
        again = await client.call_tool("ask_shop", {"message": "Hello again"})
        assert text_of(again) == "2: Hello again"
        other = await client.call_tool("ask_shop", {"message": "Hello", "client_id": "ann"})
        assert text_of(other) == "1: Hello"
        wiki = await client.call_tool("ask_wiki_pharma", {"question": "What does it cost?"})
        assert text_of(wiki) == "On 'What does it cost?': 4.80 euros."
        assert wiki.structured_content["wiki_name"] == "pharma"
    log = (shop.parent / "log").read_text(encoding="utf-8")
    for source in ("a module", "a C library", "a model", "a child", "a wiki"):
        assert f"noise of {source}" in log
    async with served(shop) as client:
        resumed = await client.call_tool("ask_shop", {"message": "Still there?"})
        assert text_of(resumed) == "3: Still there?"


def test_only_the_protocol_reaches_standard_output(shop: Path) -> None:
    """The wire holds one JSON document per line, from the first byte to the last."""
    messages: list[dict[str, Any]] = [
        {
            "method": "initialize",
            "id": 1,
            "params": {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"},
            },
        },
        {"method": "notifications/initialized"},
        {
            "method": "tools/call",
            "id": 2,
            "params": {"name": "ask_wiki_pharma", "arguments": {"question": "How much?"}},
        },
        {
            "method": "tools/call",
            "id": 3,
            "params": {"name": "ask_shop", "arguments": {"message": "Hello"}},
        },
    ]
    command = [sys.executable, "-m", "bindings.cli", "serve", str(shop), "--mcp"]
    process = subprocess.Popen(
        [*command, "--home", str(shop.parent / "h")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    assert process.stdin is not None
    assert process.stdout is not None
    seen: list[dict[str, Any]] = []
    for message in messages:
        process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        process.stdin.flush()
        if "id" in message:
            seen.append(json.loads(process.stdout.readline()))
    rest, _ = process.communicate(timeout=30)
    assert [reply["id"] for reply in seen] == [1, 2, 3]
    assert all("result" in reply for reply in seen)
    assert [json.loads(line)["jsonrpc"] for line in rest.splitlines()] == []
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_while_it_waits_for_input(
    shop: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "bindings.cli", "serve", str(shop), "--mcp"]
    process = subprocess.Popen(
        [*command, "--home", str(shop.parent / "h")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        # An answer, if only an error, says that the server is up.
        process.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        process.send_signal(number)
        assert process.wait(timeout=30) == 128 + number


@asynccontextmanager
async def connected(catalog: Catalog, home: Path) -> AsyncGenerator[Client]:
    """Connect to the server of a catalog inside this process."""
    async with (
        Host(catalog=catalog, home=home, environment={}) as host,
        Client(make_server(host), cache=None) as client,
    ):
        yield client


def declare(
    model: Callable[..., Any], *, swarm_name: str = "shop", wiki: str = "pharma"
) -> Catalog:
    """Declare one swarm and one wiki."""
    catalog = Catalog()
    with use_catalog(catalog):
        add_completion(completion_name="model", get_completion=model, max_retries=0)
        add_agent(agent_name="seller", completion="model")
        add_swarm(swarm_name=swarm_name, agent_list=["seller"], default_agent="seller")
        add_wiki(wiki_name=wiki, completion="model")
    return catalog


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("ask_shops", {"message": "Hi"}, "there is no tool 'ask_shops'; known: ask_shop"),
        ("ask_shop", {}, "message is missing"),
        ("ask_shop", {"message": "Hi", "client": "a"}, "unknown argument 'client'"),
        ("ask_shop", {"message": 7}, "message must be a text"),
        ("ask_shop", {"message": "  "}, "message must be a text"),
        ("ask_shop", {"message": "x" * (MAX_MESSAGE + 1)}, "65,537 characters"),
        ("ask_shop", {"message": "Hi", "client_id": "x" * 257}, "257 characters"),
    ],
)
async def test_a_wrong_call_is_an_error_of_the_protocol(
    tmp_path: Path, name: str, arguments: dict[str, Any], message: str
) -> None:
    model = ScriptedCompletion([])
    async with connected(declare(model), tmp_path) as client:
        with pytest.raises(MCPError, match=message) as caught:
            await client.call_tool(name, arguments)
    assert caught.value.code == -32602
    model.assert_complete()


@pytest.mark.anyio
async def test_a_failure_is_the_result_of_its_call(tmp_path: Path) -> None:
    down = ProviderDownError("no connection", provider="openai/any")
    model = ScriptedCompletion([down, down, "Here I am."])
    async with connected(declare(model), tmp_path) as client:
        failed = await client.call_tool("ask_shop", {"message": "Hi"})
        assert failed.is_error
        assert failed.structured_content["code"] == "provider_down"
        assert "no connection" in text_of(failed)
        wiki = await client.call_tool("ask_wiki_pharma", {"question": "Hi"})
        assert wiki.is_error
        path = await client.call_tool("ask_shop", {"message": "Hi", "client_id": "../a"})
        assert path.is_error
        assert path.structured_content["code"] == "invalid_id"
        assert text_of(await client.call_tool("ask_shop", {"message": "Hi"})) == "Here I am."
    model.assert_complete()


@pytest.mark.anyio
async def test_messages_of_one_client_queue_and_of_two_do_not(tmp_path: Path) -> None:
    started: list[str] = []
    both = anyio.Event()

    async def answer(request: CompletionRequest) -> str:
        started.append(request.client_id or "")
        if {"ann", "bob"} <= set(started):
            both.set()
        await both.wait()
        return f"{len([m for m in request.messages if m.role == 'user'])}"

    answers: dict[str, list[str]] = {"ann": [], "bob": []}
    async with connected(declare(answer), tmp_path) as client:

        async def say(client_id: str) -> None:
            result = await client.call_tool("ask_shop", {"message": "Hi", "client_id": client_id})
            answers[client_id].append(text_of(result))

        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                for client_id in ("ann", "ann", "ann", "bob"):
                    group.start_soon(say, client_id)
    assert answers == {"ann": ["1", "2", "3"], "bob": ["1"]}


@pytest.mark.anyio
async def test_a_long_answer_is_cut(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        return "x" * 300_000

    async with connected(declare(answer), tmp_path) as client:
        text = text_of(await client.call_tool("ask_shop", {"message": "Hi"}))
    assert text.endswith("[cut: the output had 300000 characters]")


def test_names_that_meet_or_are_too_long_are_refused() -> None:
    def model(request: CompletionRequest) -> str:
        raise NotImplementedError

    assert tool_names(declare(model, swarm_name="my.shop")) == ["ask_my_shop", "ask_wiki_pharma"]
    with pytest.raises(DeclarationError, match="would both be the MCP tool 'ask_wiki_x'"):
        tool_names(declare(model, swarm_name="wiki_x", wiki="x"))
    with pytest.raises(DeclarationError, match="73 characters"):
        tool_names(declare(model, wiki="w" * 64))


@pytest.mark.anyio
async def test_a_swarm_uses_another_swarm_through_mcp(shop: Path, tmp_path: Path) -> None:
    """Both ends are ours: an agent calls `ask_shop` of a served document."""
    from swarm import add_mcp, session
    from swarm.testing import call_tool

    model = ScriptedCompletion([call_tool("ask_shop", message="Hello"), "It answered."])
    catalog = declare(model)
    command = [sys.executable, "-m", "bindings.cli", "serve", str(shop), "--mcp"]
    with use_catalog(catalog):
        add_mcp(mcp_name="shop", command=[*command, "--home", str(tmp_path / "theirs")])
        add_agent(agent_name="asker", completion="model", mcp=["shop"])
        add_swarm(swarm_name="asking", agent_list=["asker"], default_agent="asker")
    host = Host(catalog=catalog, home=tmp_path / "ours", environment={})
    async with host, session("client", "asking", host=host) as chat:
        assert await chat.complete("Ask the shop.") == "It answered."
    assert model.requests[1].messages[-1].content == "1: Hello"
