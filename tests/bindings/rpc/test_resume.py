"""A channel over one connection after another, and who may take the place of a program."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from websockets.asyncio.client import connect

from bindings.rpc.core import Core
from bindings.rpc.errors import ConnectionLostError
from bindings.rpc.resume import ResumableChannel
from bindings.rpc.websocket import serve_websocket
from swarm import Host
from tests.bindings.rpc.client import Client
from tests.bindings.rpc.conftest import WebSocketLine
from tests.bindings.rpc.story import callback

pytestmark = pytest.mark.anyio


class _Pipe:
    """One end of a connection in memory; it blocks where `is_stuck`."""

    def __init__(self, out: Any, into: Any) -> None:
        self._out, self._into = out, into
        self.is_stuck = False

    async def receive(self) -> str | bytes:
        try:
            return await self._into.receive()
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            raise anyio.EndOfStream from None

    async def send(self, message: bytes) -> None:
        if self.is_stuck:
            await anyio.sleep_forever()
        try:
            await self._out.send(message)
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            raise ConnectionLostError("gone") from None

    async def aclose(self) -> None:
        self._out.close()
        self._into.close()


def _pipe() -> tuple[_Pipe, _Pipe]:
    there = anyio.create_memory_object_stream[bytes](1000)
    back = anyio.create_memory_object_stream[bytes](1000)
    return _Pipe(there[0], back[1]), _Pipe(back[0], there[1])


async def _read(channel: ResumableChannel, count: int) -> list[Any]:
    return [json.loads(await channel.receive()) for _ in range(count)]


@asynccontextmanager
async def _channel(window: float = 30.0) -> AsyncGenerator[tuple[ResumableChannel, _Pipe], None]:
    near, far = _pipe()
    channel = ResumableChannel(near, window)
    try:
        yield channel, far
    finally:
        await channel.aclose()
        await far.aclose()


@pytest.mark.requirement("wire:connection:resume")
async def test_what_arrives_after_the_count_was_told_is_left_for_the_next_connection() -> None:
    async with _channel() as (channel, far):
        await far.send(b"1")
        assert await _read(channel, 1) == [1]
        pause = await channel.pause()
        assert pause.received == 1
        near, again = _pipe()
        await channel.attach(near, 0, pause)
        # The old connection is not read any more; the other side sends this anew.
        with pytest.raises(ConnectionLostError):
            await far.send(b"2")
        await again.send(b"2")
        assert await _read(channel, 1) == [2]
        await again.aclose()


@pytest.mark.requirement("wire:connection:resume")
async def test_a_write_that_is_stuck_does_not_hold_up_who_comes_back() -> None:
    async with _channel() as (channel, far), anyio.create_task_group() as tasks:
        below = channel._below  # pyright: ignore[reportPrivateUsage]
        assert isinstance(below, _Pipe)
        below.is_stuck = True
        tasks.start_soon(channel.send, b"1")
        await anyio.wait_all_tasks_blocked()
        near, again = _pipe()
        with anyio.fail_after(5):
            await channel.attach(near, 0, await channel.pause())
            await channel.send(b"2")
            assert [await again.receive(), await again.receive()] == [b"1", b"2"]
        await again.aclose()
        await far.aclose()


@pytest.mark.requirement("wire:connection:resume")
async def test_of_two_that_come_back_the_later_one_goes_on() -> None:
    async with _channel() as (channel, _):
        early, late = await channel.pause(), await channel.pause()
        near, again = _pipe()
        await channel.attach(near, 0, late)
        other, unused = _pipe()
        with pytest.raises(ConnectionLostError, match="another connection"):
            await channel.attach(other, 0, early)
        await channel.send(b"1")
        assert await again.receive() == b"1"
        for one in (again, other, unused):
            await one.aclose()


@pytest.mark.requirement("wire:connection:resume")
async def test_few_large_frames_are_acknowledged_before_too_many_are_kept() -> None:
    """More than a side may keep goes through, although it is less than sixteen frames."""
    frame = b"x" * (8 * 1024 * 1024)
    near, far = _pipe()
    sender, receiver = ResumableChannel(near, 30), ResumableChannel(far, 30)
    got: list[int] = []

    async def receive() -> None:
        while len(got) < 12:
            got.append(len(await receiver.receive()))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(receive)
        answers = anyio.CancelScope()

        async def hear() -> None:
            with answers:
                await sender.receive()

        tasks.start_soon(hear)
        with anyio.fail_after(10):
            for _ in range(12):
                await sender.send(frame)
            while len(got) < 12:
                await anyio.wait_all_tasks_blocked()
        answers.cancel()
    assert got == [len(frame)] * 12
    await sender.aclose()
    await receiver.aclose()


@asynccontextmanager
async def _server(host: Host) -> AsyncGenerator[str, None]:
    async with Core(host) as core, serve_websocket(core, "127.0.0.1", 0) as port:
        yield f"ws://127.0.0.1:{port}"


@asynccontextmanager
async def _client(url: str) -> AsyncGenerator[tuple[Client, Any], None]:
    async with (
        connect(url, proxy=None) as opened,
        Client(WebSocketLine(opened)).running() as client,
    ):
        await client.initialize(capabilities={"resume": True})
        yield client, opened


WIKI = {"kind": "wiki", "wikiName": "house", "getChat": callback("wiki:house.getChat")}


@pytest.mark.requirement("wire:connection:takeover")
async def test_a_program_that_was_killed_begins_anew_with_its_names(host: Host) -> None:
    async with _server(host) as url:
        async with _client(url) as (client, socket):
            await client.declare(WIKI)
            socket.transport.abort()
            with anyio.fail_after(5):
                await client.is_closed.wait()
        async with _client(url) as (client, _), _client(url) as (other, _):
            with anyio.fail_after(5):
                # The core may hear of the end later than this of its beginning.
                while (await client.ask("catalog/declare", declarations=[WIKI]))["issues"]:
                    pass
            # A program that is there keeps its names.
            refused = await other.ask("catalog/declare", declarations=[WIKI])
            assert "declared already" in refused["issues"][0]["message"]


@pytest.mark.requirement("wire:connection:takeover")
async def test_a_program_that_is_away_keeps_its_names_from_those_with_others(host: Host) -> None:
    async with _server(host) as url, _client(url) as (owner, _):
        async with _client(url) as (client, socket):
            await client.declare(WIKI)
            socket.transport.abort()
        await owner.declare({**WIKI, "wikiName": "other"})
        declared = (await owner.ask("catalog/get", kind="wiki"))["declarations"]
        assert {one["wikiName"] for one in declared} == {"house", "other"}


@pytest.mark.requirement("wire:connection:takeover")
async def test_after_shutdown_and_after_a_normal_closure_nothing_is_kept(host: Host) -> None:
    async with _server(host) as url, _client(url) as (owner, _):
        async with _client(url) as (client, socket):
            await client.declare(WIKI)
            await client.ask("shutdown")
            assert (await owner.ask("catalog/get"))["declarations"] == []
            socket.transport.abort()
        async with _client(url) as (client, _):
            await client.declare(WIKI)
        with anyio.fail_after(5):
            while (await owner.ask("catalog/get"))["declarations"]:
                pass
