"""The functions of programs: topics, buses, clients with and without sessions, catalogs."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

import swarm
from swarm import (
    BusEvent,
    Host,
    current_catalog,
    current_host,
    event,
    listen_event,
    listen_event_once,
    session,
    use_catalog,
    watch_events,
)
from swarm.bus import EVENT_TYPES, TopicError
from swarm.errors import InvalidIdError
from swarm.runtime.turns import current_turn
from tests.swarm.program import Program, call_tools

pytestmark = pytest.mark.anyio


class Payloads:
    """A listener that keeps what it was sent."""

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def __call__(self, event: BusEvent) -> None:
        self.kept.append(event.payload)


@asynccontextmanager
async def two_clients(program: Program) -> AsyncGenerator[Host, None]:
    """Open a host with two clients, its catalog being the current one."""
    program.agent()
    program.swarm()
    with use_catalog(program.catalog):
        async with (
            program.host() as host,
            session("ann", "shop", host=host),
            session("bob", "shop", host=host),
        ):
            yield host


@pytest.mark.requirement("kit:event:custom")
async def test_a_topic_of_a_program_is_heard(program: Program) -> None:
    ann, everybody = Payloads(), Payloads()
    async with two_clients(program):
        listen_event("ann", "order-paid", ann)
        listen_event("*", "order-paid", everybody)
        await event("ann", "order-paid", {"total": 9})
        await event("bob", "order-paid", None)
        await event("ann", "order-sent", 3)
    assert ann.kept == [{"total": 9}]
    assert everybody.kept == [{"total": 9}, None]


@pytest.mark.requirement("kit:event:payload")
async def test_what_an_event_of_a_topic_says(program: Program) -> None:
    async with two_clients(program), watch_events("ann") as stream:
        await event("ann", "order-paid", 9)
        with anyio.fail_after(5):
            told = await anext(stream)
    assert (told.bus, told.type, told.client_id) == ("order-paid", "custom", "ann")
    assert told.payload == 9
    assert told.output == {}
    assert told.at > 1_700_000_000


@pytest.mark.requirement("kit:event:filter", "kit:event:once")
async def test_filters_and_once(program: Program) -> None:
    big, first = Payloads(), Payloads()
    async with two_clients(program):
        listen_event("*", "paid", big, lambda event: event.payload > 10)
        listen_event_once("*", "paid", first, filter=lambda event: event.payload > 1)
        for total in (1, 2, 11, 12):
            await event("ann", "paid", total)
    assert big.kept == [11, 12]
    assert first.kept == [2]


@pytest.mark.requirement("kit:event:no-session")
async def test_an_event_for_a_client_without_a_session_is_dropped(program: Program) -> None:
    heard = Payloads()
    async with two_clients(program) as host:
        listen_event("*", "paid", heard)
        await event("eve", "paid", 1)
        async with session("eve", "shop", host=host):
            await event("eve", "paid", 2)
        await event("eve", "paid", 3)
    await event("ann", "paid", 4)
    assert heard.kept == [2]


async def test_a_client_in_two_swarms_is_live_until_its_last_session_ends(program: Program) -> None:
    heard = Payloads()
    program.agent()
    program.swarm("shop")
    program.swarm("help")
    with use_catalog(program.catalog):
        listen_event("*", "paid", heard)
    async with program.host() as host, session("ann", "help", host=host):
        async with session("ann", "shop", host=host):
            await event("ann", "paid", 1)
        await event("ann", "paid", 2)
    assert heard.kept == [1, 2]


async def test_one_listens_before_a_host_is_open_and_in_the_next_host(program: Program) -> None:
    heard = Payloads()
    program.agent()
    program.swarm()
    with use_catalog(program.catalog):
        stop = listen_event("*", "paid", heard)
    for number in (1, 2, 3):
        if number == 3:
            stop()
        async with program.host() as host, session("ann", "shop", host=host):
            await event("ann", "paid", number)
    assert heard.kept == [1, 2]


async def test_the_sessions_of_another_catalog_are_not_heard(program: Program) -> None:
    heard = Payloads()
    stop = listen_event("*", "paid", heard)  # of the process's own catalog
    async with two_clients(program):
        await event("ann", "paid", 1)
    stop()
    assert heard.kept == []


async def test_the_sessions_of_a_copied_catalog_are_heard(program: Program) -> None:
    heard = Payloads()
    async with two_clients(program) as host:
        listen_event("*", "paid", heard)
        copied = program.catalog.copy()
        with use_catalog(copied):
            async with session("eve", "shop", host=host):
                await event("eve", "paid", 1)
    assert heard.kept == [1]


async def test_tools_tell_and_listen_where_their_session_is(program: Program) -> None:
    heard = Payloads()

    async def pay() -> str:
        """Pay."""
        listen_event("*", "paid", heard)
        await event("client", "paid", 9)
        return "paid"

    program.agent(steps=[call_tools("pay"), "thanks"], tools=[pay])
    async with program.chat() as chat:  # the current catalog is another one
        assert await chat.complete("I pay") == "thanks"
    assert heard.kept == [9]


async def test_a_listener_has_the_host_and_its_catalog_and_is_in_no_turn(program: Program) -> None:
    seen: list[Any] = []

    def look(event: BusEvent) -> None:
        seen.extend([current_host(), current_catalog(), current_turn.get()])

    async def pay() -> str:
        """Pay."""
        await event("client", "paid", 9)
        return "paid"

    program.agent(steps=[call_tools("pay"), "thanks"], tools=[pay])
    program.swarm()
    with use_catalog(program.catalog):
        listen_event_once("client", "paid", look)
    async with program.host() as host, session("client", "shop", host=host) as chat:
        await chat.complete("I pay")
    assert seen == [host, program.catalog, None]


async def test_a_listener_may_use_the_session_that_it_hears_of(program: Program) -> None:
    answers: list[str] = []

    async def ask_back(told: BusEvent) -> None:
        answers.append(await chat.complete("and now?"))

    program.agent(steps=["here you are", "goodbye"])
    program.swarm()
    with use_catalog(program.catalog):
        listen_event("client", "paid", ask_back)
    async with program.host() as host, session("client", "shop", host=host) as chat:
        await chat.complete("a box")
        await event("client", "paid")
        with anyio.fail_after(5):
            while not answers:
                await anyio.lowlevel.checkpoint()
    assert answers == ["goodbye"]


Function = Callable[[BusEvent], Any]
Listen = Callable[[str, Function, Function | None], Callable[[], None]]


@pytest.mark.parametrize("bus", EVENT_TYPES)
async def test_each_bus_has_its_two_functions(bus: str, program: Program) -> None:
    name = f"listen_{bus.removesuffix('-bus')}_event"
    listen: Listen = getattr(swarm, name)
    listen_once: Listen = getattr(swarm, f"{name}_once")
    types, once, wanted = list[str](), list[str](), EVENT_TYPES[bus]  # type: ignore[index]
    async with two_clients(program):
        stop = listen("*", lambda event: types.append(event.type), None)
        listen_once("ann", lambda e: once.append(e.type), lambda e: e.type == wanted[-1])
        for kind in wanted:
            program.catalog.bus.publish(BusEvent(bus, kind, "ann"))
        program.catalog.bus.publish(BusEvent(bus, wanted[-1], "ann"))
    assert types == [*wanted, wanted[-1]]
    assert once == [wanted[-1]]
    stop()
    assert not program.catalog.bus.is_watched


@pytest.mark.requirement("kit:event:reserved")
async def test_the_buses_of_the_runtime_are_refused_as_topics() -> None:
    with pytest.raises(TopicError, match="listen_agent_event"):
        await event("client", "agent-bus", 1)
    with pytest.raises(TopicError, match="is empty"):
        listen_event("client", "", print)
    with pytest.raises(TopicError):
        listen_event_once("client", "state-bus", print)


@pytest.mark.parametrize("client_id", ["", "a/b", "..", "x" * 257])
async def test_ids_that_no_client_can_have_are_refused(client_id: str) -> None:
    with pytest.raises(InvalidIdError):
        listen_event(client_id, "paid", print)
    with pytest.raises(InvalidIdError):
        swarm.listen_agent_event(client_id, print)
    with pytest.raises(InvalidIdError):
        await event(client_id, "paid", 1)
