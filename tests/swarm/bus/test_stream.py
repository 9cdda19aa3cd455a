"""Streams of events: what `watch_events` gives, and what a slow reader misses."""

import anyio
import anyio.to_thread
import pytest

from swarm import Catalog, use_catalog, watch_events
from swarm.bus import Bus
from swarm.bus.stream import EventStream
from swarm.errors import InvalidIdError
from tests.swarm.bus.hearing import happened

pytestmark = pytest.mark.anyio


@pytest.fixture
def bus() -> Bus:
    """A bus with two live clients and no host."""
    bus = Bus()
    bus.add_client("client")
    bus.add_client("other")
    return bus


async def read(stream: EventStream, count: int) -> list[int]:
    """Return the numbers of the next events."""
    with anyio.fail_after(5):
        return [(await anext(stream)).input["number"] for _ in range(count)]


@pytest.mark.requirement("kit:event:stream")
async def test_a_stream_has_what_came_since_it_was_opened(bus: Bus) -> None:
    bus.publish(happened(0))
    async with EventStream(bus, "client", None, limit=10) as stream:
        bus.publish(happened(1))
        bus.publish(happened(2, client_id="other"))
        bus.publish(happened(3, bus="my-topic"))
        assert await read(stream, 2) == [1, 3]
    assert not bus.is_watched


async def test_a_stream_of_one_bus_has_no_other(bus: Bus) -> None:
    async with EventStream(bus, "*", "state-bus", limit=10) as stream:
        bus.publish(happened(1))
        bus.publish(happened(2, bus="state-bus"))
        bus.publish(happened(3, client_id="other", bus="state-bus"))
        assert await read(stream, 2) == [2, 3]


async def test_a_reader_is_woken_by_an_event(bus: Bus) -> None:
    numbers: list[int] = []
    async with (
        EventStream(bus, "*", None, limit=10) as stream,
        anyio.create_task_group() as group,
    ):

        async def reader() -> None:
            numbers.extend(await read(stream, 2))

        group.start_soon(reader)
        await anyio.wait_all_tasks_blocked()
        bus.publish(happened(1))
        await anyio.wait_all_tasks_blocked()
        await anyio.to_thread.run_sync(bus.publish, happened(2))
    assert numbers == [1, 2]


async def test_a_slow_reader_misses_the_oldest_and_knows_how_many(bus: Bus) -> None:
    async with EventStream(bus, "*", None, limit=3) as stream:
        for number in range(10):
            bus.publish(happened(number))
        assert stream.dropped == 7
        assert await read(stream, 3) == [7, 8, 9]


async def test_the_loop_ends_when_the_stream_is_closed_elsewhere(bus: Bus) -> None:
    stream = EventStream(bus, "*", None, limit=3)
    await stream.__aenter__()
    numbers: list[int] = []

    async def reader() -> None:
        numbers.extend([event.input["number"] async for event in stream])

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(reader)
            await anyio.wait_all_tasks_blocked()
            bus.publish(happened(1))
            await anyio.wait_all_tasks_blocked()
            await stream.__aexit__(None, None, None)
    assert numbers == [1]
    bus.publish(happened(2))
    assert [event async for event in stream] == []


async def test_watching_is_of_the_current_catalog() -> None:
    catalog = Catalog()
    catalog.bus.add_client("client")
    with use_catalog(catalog):
        stream = watch_events("client", "agent-bus", limit=5)
    async with stream:
        catalog.bus.publish(happened(1))
        assert await read(stream, 1) == [1]


@pytest.mark.parametrize("client_id", ["", "a/b", "x" * 257])
def test_a_stream_of_no_possible_client_is_refused(client_id: str) -> None:
    with pytest.raises(InvalidIdError):
        watch_events(client_id)


def test_a_stream_holds_at_least_one_event() -> None:
    with pytest.raises(ValueError, match="at least one"):
        watch_events(limit=0)
