"""`session.scheduled` and `session.rate`: what is answered, collapsed, dropped."""

from typing import Any

import anyio
import pytest

from swarm import dispose_connection, get_agent_name, session, use_catalog
from swarm.connect.rate import rate
from swarm.connect.scheduled import ScheduledSession, scheduled
from swarm.errors import (
    DeclarationError,
    ProviderDownError,
    SessionError,
    TurnInterruptedError,
)
from swarm.testing import call_tool
from tests.swarm.connect.clock import Gate, HandClock, echo, settle
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


class Answers:
    """Asks in tasks, and keeps what came back."""

    def __init__(self, chat: ScheduledSession, group: anyio.abc.TaskGroup) -> None:
        self.given: dict[str, str | Exception] = {}
        self._chat = chat
        self._group = group
        self._came = anyio.Event()

    async def until(self, count: int) -> dict[str, str | Exception]:
        """Wait until so many have come, and return them."""
        with anyio.fail_after(5):
            while len(self.given) < count:
                self._came = anyio.Event()
                await self._came.wait()
        return self.given

    async def ask(self, *contents: str) -> None:
        """Send messages, in this order."""
        for content in contents:
            self._group.start_soon(self._ask, content)
            await settle()

    async def _ask(self, content: str) -> None:
        try:
            self.given[content] = await self._chat.complete(content)
        except Exception as error:
            self.given[content] = error
        self._came.set()


def texts(messages: Any) -> list[str]:
    return [message.content for message in messages]


@pytest.mark.requirement("kit:talk:scheduled", "kit:talk:scheduled-kept")
async def test_what_comes_while_one_is_answered_is_answered_as_one(program: Program) -> None:
    gate = Gate()
    program.agent(model=gate)
    program.swarm()
    async with (
        program.host() as host,
        session.scheduled("client", "shop", delay=0, host=host) as chat,
        anyio.create_task_group() as group,
    ):
        answers = Answers(chat, group)
        await answers.ask("one")
        await gate.entered()
        await answers.ask("two", "three", "four")
        assert gate.asked == ["one"]
        gate.release()
        await gate.entered()
        gate.release()
        assert await answers.until(4) == {
            "one": "re: one",
            "two": "re: four",
            "three": "re: four",
            "four": "re: four",
        }
        assert texts(gate.requests[1].messages) == ["one", "re: one", "two", "three", "four"]
        gate.release()
        assert await chat.complete("five") == "re: five"
    kinds = [row.event.kind for row in await program.events()]
    assert kinds.count("turn_started") == 3


async def test_those_that_waited_are_given_time_for_further_ones(program: Program) -> None:
    gate, clock = Gate(), HandClock()
    program.agent(model=gate)
    program.swarm()
    async with (
        program.host() as host,
        scheduled("client", "shop", 2.0, host=host, clock=clock) as chat,
        anyio.create_task_group() as group,
    ):
        answers = Answers(chat, group)
        await answers.ask("one")
        await gate.entered()
        await answers.ask("two")
        gate.release(2)
        await clock.wait_for_sleeper()
        await clock.advance(1.5)
        await answers.ask("three")
        assert gate.asked == ["one"]
        await clock.advance(0.5)
        await gate.entered()
        given = await answers.until(3)
        assert given == {"one": "re: one", "two": "re: three", "three": "re: three"}


async def test_an_error_reaches_all_who_wait_and_the_next_message_works(program: Program) -> None:
    gate = Gate()

    async def model(request: Any) -> str:
        answer = await gate(request)
        if "down" in answer:
            raise ProviderDownError("no connection", provider="stub")
        return answer

    program.agent(model=model)
    program.swarm()
    async with (
        program.host() as host,
        session.scheduled("client", "shop", delay=0, host=host) as chat,
        anyio.create_task_group() as group,
    ):
        answers = Answers(chat, group)
        await answers.ask("one", "two", "down")
        gate.release(3)
        await gate.entered()
        await gate.entered()
        await answers.until(3)
        assert answers.given["one"] == "re: one"
        assert isinstance(answers.given["two"], ProviderDownError)
        assert isinstance(answers.given["down"], ProviderDownError)
        assert await chat.complete("again") == "re: again"


async def test_who_stops_waiting_takes_the_message_back(program: Program) -> None:
    gate = Gate()
    program.agent(model=gate)
    program.swarm()
    async with (
        program.host() as host,
        session.scheduled("client", "shop", delay=0, host=host) as chat,
        anyio.create_task_group() as group,
    ):
        answers = Answers(chat, group)
        await answers.ask("one")
        await gate.entered()
        await answers.ask("two")
        async with anyio.create_task_group() as left:
            left.start_soon(chat.complete, "never said")
            await settle()
            left.cancel_scope.cancel()
        gate.release(2)
        await gate.entered()
        assert await answers.until(2) == {"one": "re: one", "two": "re: two"}
        assert texts(chat.session.history.messages) == ["one", "re: one", "two", "re: two"]


async def test_a_turn_that_nobody_waits_for_is_cancelled(program: Program) -> None:
    gate = Gate()
    program.agent(model=gate)
    program.swarm()
    async with (
        program.host() as host,
        session.scheduled("client", "shop", delay=0, host=host) as chat,
    ):
        async with anyio.create_task_group() as left:
            left.start_soon(chat.complete, "one")
            await gate.entered()
            left.cancel_scope.cancel()
        gate.release()
        with anyio.fail_after(5):
            assert await chat.complete("two") == "re: two"
    assert [run.status for run in await program.runs()] == ["answered", "interrupted"]


async def test_leaving_ends_those_who_wait(program: Program) -> None:
    gate = Gate()
    program.agent(model=gate)
    program.swarm()
    async with program.host() as host, anyio.create_task_group() as group:
        async with session.scheduled("client", "shop", host=host) as chat:
            answers = Answers(chat, group)
            await answers.ask("one")
            await gate.entered()
            await answers.ask("two")
        await answers.until(2)
        assert {type(error) for error in answers.given.values()} == {TurnInterruptedError}
        assert sorted(answers.given) == ["one", "two"]
        async with session("client", "shop", host=host) as again:
            assert await get_agent_name("client") == again.agent_name


async def test_a_session_that_is_disposed_writes_nothing_more(program: Program) -> None:
    gate = Gate()
    program.agent(model=gate)
    program.swarm()
    async with (
        program.host() as host,
        anyio.create_task_group() as group,
        session.scheduled("client", "shop", delay=0, host=host) as chat,
    ):
        answers = Answers(chat, group)
        await answers.ask("one")
        await gate.entered()
        await answers.ask("two", "three")
        assert await dispose_connection("client", "shop")
        async with session("client", "shop", host=host) as again:
            given = await answers.until(3)
            assert isinstance(given["one"], TurnInterruptedError)
            assert isinstance(given["two"], SessionError)
            gate.release()
            assert await again.complete("four") == "re: four"
            assert "two" not in texts(again.history.messages)
    kinds = [row.event.kind for row in await program.events()]
    assert (kinds.count("turn_started"), kinds.count("message_added")) == (2, 1)


async def test_an_error_of_the_block_comes_out_as_it_is(program: Program) -> None:
    program.agent(model=echo)
    program.swarm()
    with pytest.raises(ZeroDivisionError):
        async with program.host() as host, session.scheduled("client", "shop", host=host) as chat:
            await chat.complete("hi")
            raise ZeroDivisionError


async def test_a_tool_cannot_wait_for_its_own_turn(program: Program) -> None:
    chats: list[ScheduledSession] = []

    async def nested() -> str:
        """Ask in the same session."""
        return await chats[0].complete("inner")

    model = program.agent(steps=[call_tool("nested"), "done"], tools=[nested])
    program.swarm()
    async with program.host() as host, session.scheduled("client", "shop", host=host) as chat:
        chats.append(chat)
        with anyio.fail_after(5):
            assert await chat.complete("outer") == "done"
    assert "waits for the turn of the tool" in model.requests[1].messages[-1].content


async def test_a_message_that_is_none_reaches_only_its_sender(program: Program) -> None:
    program.agent(model=echo)
    program.swarm()
    wrong: Any = object()
    async with program.host() as host, session.scheduled("client", "shop", host=host) as chat:
        with pytest.raises(DeclarationError, match="payload JSON"):
            await chat.complete("hi", payload=wrong)
        assert await chat.complete("hi", payload={"page": 1}) == "re: hi"


@pytest.mark.requirement("kit:rate:session")
async def test_what_comes_again_too_soon_is_dropped(program: Program) -> None:
    clock = HandClock()
    model = program.agent(steps=["one", "three", "other", "four"])
    program.swarm()
    async with program.host() as host:
        async with rate("client", "shop", 1.0, host=host, clock=clock) as chat:
            assert await chat.complete("1") == "one"
            await clock.advance(0.9)
            assert await chat.complete("2") == ""
            await clock.advance(0.1)
            assert await chat.complete("3", payload={"page": 1}) == "three"
            async with rate("other", "shop", 1.0, host=host, clock=clock) as other:
                assert await other.complete("hi") == "other"
        # The host counts, so a new session is no way around it.
        async with rate("client", "shop", 1.0, host=host, clock=clock) as chat:
            assert await chat.complete("4") == ""
            await clock.advance(1.0)
            assert await chat.complete("5") == "four"
            assert "2" not in texts(chat.session.history.messages)
    model.assert_complete()


async def test_clients_whose_delay_has_passed_are_forgotten() -> None:
    from swarm.connect.rate import Rates

    rates = Rates()
    for number in range(10_000):
        assert rates.admit(f"client-{number}", 5.0, float(number))
    assert len(vars(rates)["_heard"]) <= 4096
    assert not rates.admit("client-9999", 5.0, 10_000.0)


async def test_both_are_found_beside_session(program: Program, home: Any) -> None:
    program.agent(model=echo)
    program.swarm()
    with use_catalog(program.catalog):
        async with session.scheduled("client", "shop") as chat:
            assert await chat.complete("hi") == "re: hi"
        async with session.rate("client", "shop", delay=60) as limited:
            assert await limited.complete("hi") == "re: hi"
            assert await limited.complete("hi") == ""
    with pytest.raises(SessionError):
        await chat.complete("closed")
