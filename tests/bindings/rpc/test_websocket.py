"""WebSockets: who may connect, and coming back after the connection broke."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bindings.rpc.core import Core
from bindings.rpc.websocket import SUBPROTOCOL, read_address, serve_websocket
from swarm import Host
from swarm.errors import SetupError
from tests.bindings.rpc.client import INITIALIZE, Client, Refused
from tests.bindings.rpc.conftest import WebSocketLine
from tests.bindings.rpc.story import shop

pytestmark = pytest.mark.anyio

TOKEN = "a token of 32 random characters"


@asynccontextmanager
async def _server(host: Host, *, window: float = 30.0) -> AsyncGenerator[str, None]:
    async with (
        Core(host, token=TOKEN, window=window) as core,
        serve_websocket(core, "127.0.0.1", 0, token=TOKEN) as port,
    ):
        yield f"ws://127.0.0.1:{port}"


@asynccontextmanager
async def _client(url: str, headers: dict[str, str] | None = None) -> AsyncGenerator[Client, None]:
    async with (
        connect(url, additional_headers=headers or {}, proxy=None, max_size=None) as opened,
        Client(WebSocketLine(opened)).running() as client,
    ):
        yield client


@pytest.mark.requirement("wire:handshake:token")
async def test_a_token_opens_the_door_in_the_header_or_in_the_handshake(host: Host) -> None:
    async with _server(host) as url:
        async with _client(url, {"Authorization": f"Bearer {TOKEN}"}) as client:
            await client.initialize()
        async with _client(url) as client:
            await client.initialize(token=TOKEN)
            assert (await client.ask("catalog/get"))["declarations"] == []


@pytest.mark.requirement("wire:handshake:token")
async def test_a_wrong_token_is_refused(host: Host) -> None:
    async with _server(host) as url:
        for token in (None, "", TOKEN + "x", "ü"):
            async with _client(url) as client:
                with pytest.raises(Refused) as refused:
                    await client.initialize(token=token)
                assert (refused.value.code, refused.value.kind) == (-32002, "unauthorized")
                assert TOKEN not in str(refused.value)
                with anyio.fail_after(5):
                    await client.is_closed.wait()
        with pytest.raises(InvalidStatus):
            async with _client(url, {"Authorization": "Bearer nope"}):
                pass


async def test_pages_of_a_browser_are_refused(host: Host) -> None:
    async with _server(host) as url:
        for origin in ("http://evil.example", url.replace("ws", "http"), "null"):
            with pytest.raises(InvalidStatus):
                async with connect(url, origin=origin, proxy=None):  # pyright: ignore[reportArgumentType]
                    pass


async def test_the_subprotocol_is_agreed_on(host: Host) -> None:
    async with (
        _server(host) as url,
        connect(url, subprotocols=[SUBPROTOCOL], proxy=None) as opened,  # pyright: ignore[reportArgumentType]
    ):
        assert opened.subprotocol == SUBPROTOCOL


@pytest.mark.parametrize(
    ("text", "token", "expected"),
    [
        ("127.0.0.1:8765", None, ("127.0.0.1", 8765)),
        ("localhost:0", None, ("localhost", 0)),
        ("[::1]:1", None, ("::1", 1)),
        ("0.0.0.0:1", "t", ("0.0.0.0", 1)),
    ],
)
def test_addresses_are_read(text: str, token: str | None, expected: tuple[str, int]) -> None:
    assert read_address(text, token) == expected


@pytest.mark.parametrize("text", ["0.0.0.0:1", "example.com:1", "localhost", "1", "a:b", ":99999"])
def test_addresses_that_are_none_or_open_to_all_are_refused(text: str) -> None:
    with pytest.raises(SetupError):
        read_address(text, None)


class _Raw:
    """A program that counts its frames, so that it can come back."""

    def __init__(self) -> None:
        self.received = 0
        self.frames: list[dict[str, Any]] = []

    async def initialize(self, socket: Any, **more: Any) -> dict[str, Any]:
        params = {**INITIALIZE, "token": TOKEN, "capabilities": {"resume": True}, **more}
        first = {"jsonrpc": "2.0", "id": "init", "method": "initialize", "params": params}
        await socket.send(json.dumps(first))
        return json.loads(await socket.recv())

    async def read(self, socket: Any) -> dict[str, Any]:
        while True:
            message = json.loads(await socket.recv())
            if message.get("method") != "$/ack":
                self.received += 1
                self.frames.append(message)
                return message

    async def send(self, socket: Any, **message: Any) -> None:
        await socket.send(json.dumps({"jsonrpc": "2.0", **message}))


@pytest.mark.requirement("wire:connection:resume")
async def test_a_program_that_comes_back_gets_what_it_missed_and_nothing_twice(
    host: Host,
) -> None:
    program = _Raw()
    params = {"clientId": "client-1", "swarmName": "pharma", "content": "hi"}
    async with _server(host) as url, _client(url) as owner:
        await owner.initialize(token=TOKEN)
        calls: list[Any] = []
        started, go_on = anyio.Event(), anyio.Event()

        async def find(args: list[Any], call: dict[str, Any]) -> Any:
            calls.append(args)
            started.set()
            await go_on.wait()
            return "found"

        await shop(owner, find)
        await owner.ask("session/dispose", clientId="client-1", swarmName="pharma")
        async with connect(url, proxy=None) as socket:
            result = (await program.initialize(socket))["result"]
            assert result["limits"]["resumeWindowMs"] == 30_000
            assert result["capabilities"]["resume"] is True
            opened = {"clientId": "client-1", "swarmName": "pharma"}
            await program.send(socket, id=1, method="session/open", params=opened)
            while (await program.read(socket)).get("id") != 1:
                pass
            await program.send(socket, id=2, method="session/complete", params=params)
            with anyio.fail_after(5):
                await started.wait()
            socket.transport.abort()
        # The tool ends while nobody is connected; the answer waits.
        go_on.set()
        resume = {"connectionId": result["connectionId"], "received": program.received}
        async with connect(url, proxy=None) as socket:
            again = (await program.initialize(socket, resume=resume))["result"]
            assert again["received"] == 2
            assert again["connectionId"] == result["connectionId"]
            with anyio.fail_after(5):
                while (message := await program.read(socket)).get("id") != 2:
                    pass
            assert message["result"] == "The model says: found"
            await program.send(socket, id=3, method="verb/hasSession", params=opened)
            while (message := await program.read(socket)).get("id") != 3:
                pass
            assert message["result"] is True
        assert len(calls) == 1
        assert [frame.get("id") for frame in program.frames if "result" in frame] == [1, 2, 3]


@pytest.mark.requirement("wire:connection:resume")
async def test_a_connection_that_is_gone_cannot_go_on(host: Host) -> None:
    program = _Raw()
    async with _server(host, window=1e-6) as url:
        async with connect(url, proxy=None) as socket:
            result = (await program.initialize(socket))["result"]
            socket.transport.abort()
        resume = {"connectionId": result["connectionId"], "received": 0}
        with anyio.fail_after(10):
            while True:
                async with connect(url, proxy=None) as socket:
                    answer = await program.initialize(socket, resume=resume)
                    if "error" in answer:
                        break
        assert answer["error"]["data"]["kind"] == "resume_refused"
        async with connect(url, proxy=None) as socket:
            wrong = {"connectionId": "c-unknown", "received": 0}
            answer = await program.initialize(socket, resume=wrong)
            assert answer["error"]["code"] == -32008


async def test_frames_that_nobody_can_have_received_end_the_resumption(host: Host) -> None:
    program = _Raw()
    async with _server(host) as url:
        async with connect(url, proxy=None) as socket:
            result = (await program.initialize(socket))["result"]
            socket.transport.abort()
        resume = {"connectionId": result["connectionId"], "received": 99}
        async with connect(url, proxy=None) as socket:
            await program.initialize(socket, resume=resume)
            with anyio.fail_after(5), pytest.raises(ConnectionClosed):
                await socket.recv()
