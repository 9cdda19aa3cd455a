"""The peer by itself: its queue, its limits, what a lost connection leaves."""

import contextvars
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from bindings.rpc.errors import CallbackTimeoutError, ConnectionLostError, MessageTooLargeError
from bindings.rpc.failures import RemoteError
from bindings.rpc.framing import LineChannel
from bindings.rpc.peer import Params, Peer, PeerLimits
from tests.bindings.rpc.conftest import socket_pair

pytestmark = pytest.mark.anyio


async def _echo(method: str, params: Params) -> Any:
    if method == "sleep":
        await anyio.sleep_forever()
    if method == "fail":
        raise ZeroDivisionError("a secret of the core")
    return params


def _ignore(method: str, params: Params) -> None:
    """Take a notification."""


@asynccontextmanager
async def _pair(limits: PeerLimits = PeerLimits()) -> AsyncGenerator[tuple[Peer, Peer], None]:  # noqa: B008 - a tuple
    near, far = socket_pair()
    size = limits.message_bytes
    one = Peer(LineChannel(near, near, limit=size), _echo, _ignore, limits=limits)
    other = Peer(LineChannel(far, far, limit=size), _echo, _ignore, limits=limits)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        tasks.start_soon(other.run)
        await anyio.lowlevel.checkpoint()
        yield one, other
        one.close()
        other.close()


async def test_both_sides_ask_at_once() -> None:
    async with _pair() as (one, other):
        answers: list[Any] = []

        async def ask(peer: Peer, number: int) -> None:
            answers.append(await peer.request("echo", {"n": number}))

        async with anyio.create_task_group() as tasks:
            for number in range(300):
                tasks.start_soon(ask, one if number % 2 else other, number)
        assert sorted(answer["n"] for answer in answers) == list(range(300))


async def test_a_late_answer_is_no_stray(caplog: pytest.LogCaptureFixture) -> None:
    async with _pair() as (one, _):
        with pytest.raises(CallbackTimeoutError, match=r"f gave no answer within 0\.05 s"):
            await one.request("sleep", {}, seconds=0.05, name="f")
        assert await one.request("echo", {"n": 1}) == {"n": 1}
    assert caplog.records == []


async def test_a_defect_crosses_the_wire_by_its_class_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with _pair() as (one, _):
        with pytest.raises(RemoteError, match="ZeroDivisionError") as caught:
            await one.request("fail", {})
    assert "secret" not in str(caught.value)
    assert caught.value.number == -32603
    assert "a secret of the core" in caplog.text


@pytest.mark.requirement("wire:request:too-many")
async def test_one_request_too_many_is_refused_at_once() -> None:
    async with _pair(PeerLimits(in_flight=2)) as (one, _), anyio.create_task_group() as tasks:

        async def sleep() -> None:
            await one.request("sleep", {})

        for _ in range(2):
            tasks.start_soon(sleep)
        await anyio.lowlevel.checkpoint()
        with anyio.fail_after(5), pytest.raises(RemoteError) as caught:
            await one.request("echo", {})
        assert caught.value.data.kind == "too_many_requests"
        tasks.cancel_scope.cancel()


async def test_what_is_too_long_is_not_sent() -> None:
    async with _pair(PeerLimits(message_bytes=2000)) as (one, _):
        with pytest.raises(MessageTooLargeError):
            await one.request("echo", {"text": "x" * 3000})
        with pytest.raises(MessageTooLargeError):
            await one.notify("note", {"text": "x" * 3000})
        assert not one.try_notify("note", {"text": "x" * 3000})
        assert await one.request("echo", {}) == {}


@pytest.mark.requirement("wire:connection:lost")
async def test_a_lost_connection_fails_everything_that_waits() -> None:
    async with _pair() as (one, other):
        errors: list[Exception] = []

        async def ask() -> None:
            try:
                await one.request("sleep", {})
            except ConnectionLostError as error:
                errors.append(error)

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(ask)
            for _ in range(20):
                await anyio.lowlevel.checkpoint()
            other.close()
        assert len(errors) == 3
        assert one.is_lost
        with pytest.raises(ConnectionLostError):
            await one.request("echo", {})
        with pytest.raises(ConnectionLostError):
            await one.notify("note", {})
        assert not one.try_notify("note", {})


async def test_who_writes_faster_than_the_other_reads_waits() -> None:
    near, far = socket_pair()
    peer = Peer(LineChannel(near, near, limit=2**24), _echo, _ignore, limits=PeerLimits(outgoing=4))
    line = LineChannel(far, far, limit=2**24)
    sent: list[int] = []

    async def tell() -> None:
        for number in range(100):
            await peer.notify("note", {"number": number, "text": "x" * 100_000})
            sent.append(number)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(peer.run)
        await anyio.lowlevel.checkpoint()
        tasks.start_soon(tell)
        with anyio.move_on_after(0.3):
            while len(sent) < 100:
                await anyio.lowlevel.checkpoint()
        assert len(sent) < 20
        assert not peer.try_notify("note", {})
        read = [await line.receive() for _ in range(100)]
        assert len(sent) == 100
        assert all(f'"number":{number},'.encode() in frame for number, frame in enumerate(read))
        peer.close()
    await line.aclose()


async def test_what_functions_ask_is_not_refused_for_what_waits_on_them() -> None:
    near, far = socket_pair()
    limits = PeerLimits(in_flight=1)

    def context_of(method: str, params: Params) -> contextvars.Context | None:
        return contextvars.copy_context() if "nested" in params else None

    one = Peer(LineChannel(near, near, limit=4096), _echo, _ignore)
    other = Peer(
        LineChannel(far, far, limit=4096), _echo, _ignore, context_of=context_of, limits=limits
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        tasks.start_soon(other.run)
        await anyio.lowlevel.checkpoint()

        async def sleep() -> None:
            with pytest.raises(ConnectionLostError):
                await one.request("sleep", {})

        tasks.start_soon(sleep)
        await anyio.lowlevel.checkpoint()
        with pytest.raises(RemoteError, match="under way"):
            await one.request("echo", {})
        assert await one.request("echo", {"nested": 1}) == {"nested": 1}
        one.close()
        other.close()


@pytest.mark.parametrize("wanted", [[], {}, None, 1.5, "x", 10**30])
async def test_cancelling_nothing_does_no_harm(wanted: Any) -> None:
    async with _pair() as (one, _):
        await one.notify("$/cancelRequest", {"id": wanted})
        await one.notify("$/cancelRequest", {})
        assert await one.request("echo", {}) == {}
