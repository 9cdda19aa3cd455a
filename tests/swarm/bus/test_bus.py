"""The bus: who gets which event, in which order, and what a bad listener can do to others."""

import contextvars
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
import pytest

from swarm import BusEvent
from swarm.bus import EVENT_TYPES, Bus, Listener, Subscription
from swarm.bus.delivery import Delivery
from swarm.bus.event import check_topic
from swarm.errors import DeclarationError
from tests.swarm.bus.hearing import Heard, happened, served

pytestmark = pytest.mark.anyio


def listen(
    bus: Bus, fn: Callable[[BusEvent], Any], client_id: str = "client", **options: Any
) -> Subscription:
    """Listen to the agents of a client."""
    listener = Listener(bus, client_id, "agent-bus", fn, **options)
    listener.start()
    return Subscription(listener)


@pytest.mark.requirement("kit:event:wildcard")
async def test_a_listener_hears_its_client_on_its_bus_and_nothing_else() -> None:
    async with served("client", "other") as bus:
        heard, everybody = Heard(), Heard()
        listen(bus, heard)
        listen(bus, everybody, "*")
        bus.publish(happened(1))
        bus.publish(happened(2, client_id="other"))
        bus.publish(happened(3, bus="state-bus"))
        bus.publish(happened(4))
        assert await everybody.wait_for(3) == [1, 2, 4]
        assert await heard.wait_for(2) == [1, 4]


async def test_what_happens_to_a_client_without_a_session_is_dropped() -> None:
    async with served("client") as bus:
        heard = Heard()
        listen(bus, heard, "*")
        bus.publish(happened(1, client_id="gone"))
        bus.add_client("gone")
        bus.add_client("gone")
        bus.remove_client("gone")
        bus.publish(happened(2, client_id="gone"))
        bus.remove_client("gone")
        bus.remove_client("never-there")
        bus.publish(happened(3, client_id="gone"))
        bus.publish(happened(4, client_id=""))  # what is shared has no client
        assert await heard.wait_for(2) == [2, 4]


async def test_a_bus_is_watched_only_while_somebody_listens() -> None:
    async with served() as bus:
        assert not bus.is_watched
        stop, other = listen(bus, print), listen(bus, print, "*")
        assert bus.is_watched
        stop()
        assert bus.is_watched
        other()
        other()
        assert not bus.is_watched


@pytest.mark.requirement("kit:event:in-order")
async def test_a_listener_is_called_in_order_and_never_beside_itself() -> None:
    running, most, numbers = 0, 0, list[int]()
    done = anyio.Event()

    async def slow(event: BusEvent) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        running -= 1
        numbers.append(event.input["number"])
        if len(numbers) == 20:
            done.set()

    async with served() as bus:
        listen(bus, slow)
        for number in range(20):
            bus.publish(happened(number))
            if number % 3 == 0:
                await anyio.lowlevel.checkpoint()
        with anyio.fail_after(5):
            await done.wait()
    assert numbers == list(range(20))
    assert most == 1


async def test_a_listener_that_is_stuck_holds_up_nobody(caplog: pytest.LogCaptureFixture) -> None:
    entered, go_on = anyio.Event(), anyio.Event()
    numbers: list[int] = []

    async def stuck_listener(event: BusEvent) -> None:
        entered.set()
        await go_on.wait()
        numbers.append(event.input["number"])

    async with served() as bus:
        heard = Heard()
        stop = listen(bus, stuck_listener, limit=3)
        listen(bus, heard)
        bus.publish(happened(0))
        await entered.wait()
        for number in range(1, 11):
            bus.publish(happened(number))
        assert await heard.wait_for(11) == list(range(11))
        assert stop.dropped == 7
        go_on.set()
    # The first was being heard; of the rest the newest three were kept.
    assert numbers == [0, 8, 9, 10]
    complaints = [record for record in caplog.records if "too slow" in record.message]
    assert len(complaints) == 1
    assert "stuck_listener" in complaints[0].message
    assert complaints[0].name == "wikiswarm"


@pytest.mark.requirement("kit:event:listener-raises")
@pytest.mark.parametrize("error", [ValueError("no shelf"), SystemExit(3), AssertionError("x")])
async def test_a_listener_that_raises_is_named_and_stays(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    numbers: list[int] = []
    heard = Heard()

    def breaks(event: BusEvent) -> None:
        numbers.append(event.input["number"])
        raise error

    async with served() as bus:
        listen(bus, breaks)
        listen(bus, heard)
        bus.publish(happened(1))
        bus.publish(happened(2))
        await heard.wait_for(2)
    assert numbers == [1, 2]
    messages = [record.message for record in caplog.records if record.name == "wikiswarm"]
    assert len(messages) == 2
    assert messages[0].startswith("listener 'breaks' of bus ")
    assert f" failed: {type(error).__name__}: {error}; " in messages[0]


async def test_a_listener_that_waits_for_something_cancelled_stays() -> None:
    async def breaks(event: BusEvent) -> None:
        heard.numbers.append(event.input["number"])
        raise anyio.get_cancelled_exc_class()

    async with served() as bus:
        heard = Heard()
        listen(bus, breaks)
        bus.publish(happened(1))
        bus.publish(happened(2))
    assert heard.numbers == [1, 2]


async def test_once_is_once_also_when_events_come_together() -> None:
    async with served() as bus:
        heard, other = Heard(), Heard()
        listen(bus, heard, is_once=True)
        listen(bus, other)
        for number in range(5):
            bus.publish(happened(number))
        await other.wait_for(5)
        bus.publish(happened(5))
        await other.wait_for(6)
        assert heard.numbers == [0]


async def test_once_waits_for_what_its_filter_wants() -> None:
    async def is_big(event: BusEvent) -> bool:
        return event.input["number"] > 2

    async with served() as bus:
        heard = Heard()
        stop = listen(bus, heard, filter=is_big, is_once=True)
        for number in range(6):
            bus.publish(happened(number))
        assert await heard.wait_for(1) == [3]
        assert not bus.is_watched
        stop()


async def test_a_filter_that_raises_says_no(caplog: pytest.LogCaptureFixture) -> None:
    def picky(event: BusEvent) -> bool:
        if event.input["number"] == 1:
            raise KeyError("missing")
        return True

    async with served() as bus:
        heard = Heard()
        listen(bus, heard, filter=partial(picky))
        bus.publish(happened(1))
        bus.publish(happened(2))
        assert await heard.wait_for(1) == [2]
    assert "KeyError" in caplog.text


@pytest.mark.requirement("kit:event:unsubscribe")
async def test_after_the_end_of_listening_nothing_is_heard_not_even_what_waits() -> None:
    entered, go_on = anyio.Event(), anyio.Event()
    numbers: list[int] = []

    async def slow(event: BusEvent) -> None:
        entered.set()
        await go_on.wait()
        numbers.append(event.input["number"])

    async with served() as bus:
        stop = listen(bus, slow)
        bus.publish(happened(1))
        bus.publish(happened(2))
        await entered.wait()
        stop()
        bus.publish(happened(3))
        go_on.set()
    assert numbers == [1]


async def test_the_end_of_listening_counts_while_the_filter_still_thinks() -> None:
    entered, go_on = anyio.Event(), anyio.Event()

    async def thinks(event: BusEvent) -> bool:
        entered.set()
        await go_on.wait()
        return True

    async with served() as bus:
        heard = Heard()
        stop = listen(bus, heard, filter=thinks)
        bus.publish(happened(1))
        await entered.wait()
        stop()
        go_on.set()
    assert heard.numbers == []


async def test_a_listener_may_publish_and_stop_itself() -> None:
    async with served() as bus:
        heard = Heard()

        def chain(event: BusEvent) -> None:
            number = event.input["number"]
            heard.numbers.append(number)
            if number == 3:
                stop()
            bus.publish(happened(number + 1))

        stop = listen(bus, chain)
        bus.publish(happened(0))
        while bus.is_watched:
            await anyio.lowlevel.checkpoint()
    assert heard.numbers == [0, 1, 2, 3]


async def test_a_listener_that_never_waits_leaves_time_to_others() -> None:
    async with served() as bus:

        def forever(event: BusEvent) -> None:
            bus.publish(happened())

        stop = listen(bus, forever)
        bus.publish(happened())
        with anyio.fail_after(5):
            for _ in range(50):
                await anyio.lowlevel.checkpoint()
        stop()


async def test_what_waits_is_delivered_before_the_end_and_nothing_after_it() -> None:
    heard = Heard()
    async with served() as bus:
        listen(bus, heard)
        for number in range(10):
            bus.publish(happened(number))
    assert heard.numbers == list(range(10))
    bus.publish(happened(10))
    delivery = Delivery(bus, contextvars.copy_context())
    bus.publish(happened(11))
    await delivery.aclose()
    assert heard.numbers == [*range(10), 11]


async def test_a_second_server_goes_on_where_the_first_one_ends() -> None:
    entered, go_on = anyio.Event(), anyio.Event()
    numbers: list[int] = []

    async def slow(event: BusEvent) -> None:
        entered.set()
        await go_on.wait()
        numbers.append(event.input["number"])

    bus = Bus()
    bus.add_client("client")
    first = Delivery(bus, contextvars.copy_context())
    second = Delivery(bus, contextvars.copy_context())
    listen(bus, slow)
    for number in range(5):
        bus.publish(happened(number))
    await entered.wait()
    async with anyio.create_task_group() as group:
        group.start_soon(first.aclose)
        await anyio.lowlevel.checkpoint()
        go_on.set()
    # The first one has ended after the call that ran, or was there to the end.
    bus.publish(happened(5))
    await second.aclose()
    assert numbers == [0, 1, 2, 3, 4, 5]


async def test_a_listener_that_never_ends_is_cancelled_when_its_server_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("swarm.bus.delivery._CLOSING", 0.01)
    ends: list[str] = []

    async def hangs(event: BusEvent) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ends.append("cancelled")

    async with served() as bus:
        listen(bus, hangs)
        bus.publish(happened(1))
        bus.publish(happened(2))
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
    assert ends == ["cancelled"]


async def test_events_of_other_threads_are_heard_in_the_loop_of_the_host() -> None:
    here = threading.get_ident()
    threads: list[int] = []

    async def where(event: BusEvent) -> None:
        threads.append(threading.get_ident())
        await heard(event)

    async with served() as bus:
        heard = Heard()
        listen(bus, where)
        await anyio.to_thread.run_sync(bus.publish, happened(1))
        assert await heard.wait_for(1) == [1]
    assert threads == [here]


async def test_a_listener_sees_the_context_of_its_server_and_not_that_of_the_publisher() -> None:
    place: contextvars.ContextVar[str] = contextvars.ContextVar("place", default="nowhere")
    seen: list[str] = []
    place.set("server")
    async with served() as bus:
        listen(bus, lambda event: (seen.append(place.get()), place.set("left behind")))
        place.set("publisher")
        bus.publish(happened(1))
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        bus.publish(happened(2))
    assert seen[0] == "server"
    assert seen == ["server", "server"]


async def test_a_listener_may_be_added_while_no_host_is_open() -> None:
    bus = Bus()
    heard = Heard()
    listen(bus, heard, "*")
    bus.add_client("client")
    bus.publish(happened(1))  # nobody could call the listener
    delivery = Delivery(bus, contextvars.copy_context())
    bus.publish(happened(2))
    assert await heard.wait_for(1) == [2]
    await delivery.aclose()


@pytest.mark.parametrize("bus", EVENT_TYPES)
def test_the_names_of_buses_are_no_topics(bus: str) -> None:
    with pytest.raises(DeclarationError, match=f"listen_{bus[:-4]}_event"):
        check_topic(bus)


def test_a_topic_has_a_name() -> None:
    assert check_topic("order-paid") == "order-paid"
    with pytest.raises(DeclarationError, match="topic '' is empty"):
        check_topic("")
