"""What a program may get wrong: a typed error or a clean close, and the others are served on."""

import contextlib
import json
import os

import anyio
import pytest

from bindings.rpc.core import Core
from bindings.rpc.errors import ConnectionLostError, MessageTooLargeError
from bindings.rpc.framing import LineChannel
from bindings.rpc.peer import PeerLimits
from swarm import Host
from tests.bindings.rpc.client import INITIALIZE, Client, Refused
from tests.bindings.rpc.conftest import Connect, socket_pair, transport

pytestmark = pytest.mark.anyio


async def _serves(client: Client) -> None:
    """The connection still answers."""
    assert (await client.ask("catalog/get"))["declarations"] == []


async def _closed(client: Client) -> None:
    with anyio.fail_after(5):
        await client.is_closed.wait()


@pytest.mark.requirement("wire:handshake:welcome")
async def test_a_program_introduces_itself(connection: Connect) -> None:
    async with connection() as client:
        result = await client.initialize()
        assert result["protocol"] == 1
        assert result["core"]["name"] == "wikiswarm"
        assert result["limits"]["maxMessageBytes"] == 64 * 1024
        await _serves(client)


@pytest.mark.requirement("wire:handshake:version")
async def test_a_version_that_nobody_speaks_is_refused(connection: Connect) -> None:
    async with connection() as client:
        with pytest.raises(Refused) as refused:
            await client.initialize(protocol=99, minProtocol=7)
        assert (refused.value.code, refused.value.kind) == (-32001, "unsupported_protocol")
        assert refused.value.data["details"]["supported"] == [1]
        await _closed(client)


@pytest.mark.requirement("wire:handshake:version")
async def test_a_newer_program_that_speaks_the_old_version_too_is_welcome(
    connection: Connect,
) -> None:
    async with connection() as client:
        assert (await client.initialize(protocol=3, minProtocol=1))["protocol"] == 1


@pytest.mark.requirement("wire:handshake:first")
async def test_a_request_before_the_handshake_is_refused(connection: Connect) -> None:
    async with connection() as client:
        with pytest.raises(Refused) as refused:
            await client.ask("catalog/get")
        assert (refused.value.code, refused.value.kind) == (-32003, "not_initialized")
        await client.initialize()
        await _serves(client)


async def test_params_of_the_handshake_that_do_not_fit_are_refused(connection: Connect) -> None:
    async with connection() as client:
        with pytest.raises(Refused, match="protocol"):
            await client.ask("initialize", protocol="one")
        await client.initialize()


async def test_a_second_handshake_is_refused(connection: Connect) -> None:
    async with connection() as client:
        await client.initialize()
        with pytest.raises(Refused) as refused:
            await client.initialize()
        assert refused.value.code == -32600
        await _serves(client)


@pytest.mark.requirement("wire:request:unknown-method")
async def test_an_unknown_method_is_refused(connection: Connect) -> None:
    async with connection() as client:
        await client.initialize()
        for method in ("nope", "verb/nope", "callback/invoke", "event"):
            with pytest.raises(Refused) as refused:
                await client.ask(method)
            assert refused.value.code == -32601
        await client.send({"method": "nope/told", "params": {}})
        await _serves(client)


async def test_params_that_do_not_fit_are_refused(connection: Connect) -> None:
    async with connection() as client:
        await client.initialize()
        with pytest.raises(Refused, match="content") as refused:
            await client.ask("verb/execute", clientId="c")
        assert refused.value.code == -32602
        await _serves(client)


MALFORMED: list[tuple[bytes, int]] = [
    (b"{", -32700),
    (b"null", -32600),
    (b'"text"', -32600),
    (b'[{"jsonrpc": "2.0", "id": 1, "method": "catalog/get"}]', -32600),
    (b'{"id": 1, "method": "catalog/get"}', -32600),
    (b'{"jsonrpc": "2.0", "id": true, "method": "catalog/get"}', -32600),
    (b'{"jsonrpc": "2.0", "id": 1.5, "method": "catalog/get"}', -32600),
    (b'{"jsonrpc": "2.0", "id": null, "method": "catalog/get"}', -32600),
    (b'{"jsonrpc": "2.0", "method": 5}', -32600),
    (b'{"jsonrpc": "2.0"}', -32600),
    (b'{"jsonrpc": "2.0", "method": "exit", "params": NaN}', -32700),
    (b"[" * 50_000, -32700),
]


@pytest.mark.requirement("wire:frame:malformed")
async def test_a_malformed_frame_is_refused_and_the_next_one_is_read(connection: Connect) -> None:
    async with connection() as client:
        await client.initialize()
        for frame, code in MALFORMED:
            await client.line.send(frame)
            await client.until(lambda: client.strays)
            stray = client.strays.pop()
            assert (stray["error"]["code"], stray["id"]) == (code, None), frame[:80]
        await _serves(client)


@pytest.mark.requirement("wire:frame:malformed")
async def test_params_in_a_list_are_refused_to_who_asked(connection: Connect) -> None:
    async with connection() as client:
        await client.initialize()
        with pytest.raises(Refused) as refused:
            request_id = await client.begin("catalog/get", {})
            await client.answer(request_id)
            await client.send({"id": 99, "method": "catalog/get", "params": [1]})
            await client.until(lambda: client.strays)
            raise Refused(client.strays[0]["error"])
        assert refused.value.code == -32600
        assert client.strays[0]["id"] == 99


@pytest.mark.requirement("wire:frame:oversized")
async def test_a_frame_that_is_too_long_ends_the_connection(connection: Connect) -> None:
    async with connection() as client:
        await client.initialize()
        frame = {"jsonrpc": "2.0", "id": 5, "method": "catalog/get", "params": {"x": "y" * 200_000}}
        with contextlib.suppress(ConnectionLostError):  # it may close before all is written
            await client.line.send(json.dumps(frame).encode())
        await _closed(client)
        # Where the transport does not refuse it first, the core says why.
        assert all(stray["error"]["code"] == -32006 for stray in client.strays)


@pytest.mark.requirement("wire:frame:oversized")
async def test_a_line_without_an_end_is_refused_before_it_is_read_whole() -> None:
    near, far = socket_pair()
    channel = LineChannel(near, near, limit=4096)
    os.write(far, b'{"first": 1}\n' + b"x" * 5000)
    with anyio.fail_after(5):
        assert await channel.receive() == b'{"first": 1}'
        with pytest.raises(MessageTooLargeError):
            await channel.receive()
    os.close(far)
    await channel.aclose()


@pytest.mark.requirement("wire:frame:reply-to-nothing")
async def test_an_answer_to_nothing_is_dropped(connection: Connect) -> None:
    async with connection() as client:
        await client.initialize()
        await client.send({"id": 4711, "result": {"value": 1}})
        await client.send({"id": "x", "error": {"code": 1, "message": "no"}})
        await client.send({"id": None, "error": {"code": 1, "message": "no"}})
        await _serves(client)


async def test_a_core_serves_on_when_one_program_misbehaves(host: Host) -> None:
    limits = PeerLimits(message_bytes=64 * 1024)
    for name in ("socketpair", "websocket"):
        async with transport(name, host, limits) as connect_to, connect_to() as good:
            await good.initialize()
            async with connect_to() as bad:
                await bad.ask("initialize", **INITIALIZE)
                await bad.line.send(b"x" * 200_000)
                await _closed(bad)
            await _serves(good)


async def test_who_sends_nonsense_and_never_reads_is_cut_off(host: Host) -> None:
    near, far = socket_pair()
    line = LineChannel(far, far, limit=1024)
    async with Core(host) as core, anyio.create_task_group() as tasks:
        tasks.start_soon(core.serve, LineChannel(near, near, limit=1024))
        first = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
        await line.send(json.dumps(first).encode())
        with anyio.fail_after(20), pytest.raises(Exception, match="gone"):
            while True:
                await line.send(b"{" * 10)
        await line.aclose()
