"""Agents whose answers a person writes: in time, too late, after a restart, from anywhere."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest
import sqlalchemy

from swarm import (
    Answered,
    CompletionRequest,
    Host,
    Message,
    StreamEvent,
    TextDelta,
    add_agent,
    add_swarm,
    session,
    use_catalog,
)
from swarm.errors import CallbackError, DeclarationError, SessionError, TurnTimeoutError
from swarm.inbox import Inbox, WrongDecisionError
from swarm.runtime import Session, plan_swarm
from swarm.runtime.turn import Turn, current_turn
from tests.swarm.inbox.conftest import Elsewhere, wait_for, wait_for_item
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio
Reply = Callable[[str], None]


def _person(program: Program, timeout: float = 30.0, **fields: Any) -> None:
    """Declare a shop where a person answers."""
    with use_catalog(program.catalog):
        add_agent(agent_name="person", operator=True, **fields)
        add_swarm(
            swarm_name="shop",
            agent_list=["person"],
            default_agent="person",
            turn_timeout=timeout,
        )


def _said(chat: Session) -> list[str]:
    return [f"{message.role}: {message.content}" for message in chat.history.messages]


async def _answer(inbox: Inbox, text: str) -> None:
    item = await wait_for_item(inbox, status="waiting")
    await inbox.reply(item.id, text, by="Ann")


@pytest.mark.requirement("kit:facade:operator")
async def test_a_person_answers_from_another_process(
    program: Program, store: str | None, elsewhere: Elsewhere
) -> None:
    program.store = store
    _person(program)
    async with program.chat() as chat, elsewhere() as inbox, anyio.create_task_group() as group:
        group.start_soon(_answer, inbox, "It opens at nine.")
        assert await chat.complete("When do you open?") == "It opens at nine."
        (item,) = await inbox.list()
        assert item.payload.text == "When do you open?"
        assert (item.kind, item.session_id, item.agent_name) == (
            "question",
            "shop/client",
            "person",
        )
        group.start_soon(_answer, inbox, "Yes.")
        assert await chat.complete("On Sundays, too?") == "Yes."
        newest = (await inbox.list())[0]
        assert [(m.role, m.content) for m in newest.payload.view] == [
            ("user", "When do you open?"),
            ("assistant", "It opens at nine."),
            ("user", "On Sundays, too?"),
        ]
    (newest, oldest) = await program.runs()
    assert (newest.answer, oldest.answer) == ("Yes.", "It opens at nine.")


async def test_a_reply_in_the_same_process_needs_no_poll(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swarm.inbox.watch.POLL", 3600.0)
    _person(program)
    async with (
        program.host() as host,
        session("client", "shop", host=host) as chat,
        anyio.create_task_group() as group,
    ):
        group.start_soon(_answer, host.inbox, "Yes.")
        events: list[StreamEvent] = []
        with anyio.fail_after(10):
            events += [event async for event in chat.stream("Help?")]
        first, last = events
        assert first == TextDelta("Yes.")
        assert isinstance(last, Answered)
        assert last.text == "Yes."


async def test_a_session_that_closes_at_once_leaves_nothing_open(program: Program) -> None:
    _person(program)
    async with program.host() as host:
        async with (
            session("client", "shop", host=host) as chat,
            anyio.create_task_group() as group,
        ):
            group.start_soon(_answer, host.inbox, "Yes.")
            await chat.complete("Help?")
        (item,) = await host.inbox.list()
        assert item.status == "done"
        assert item.settled_at is not None


async def test_what_the_turn_got_is_not_said_twice(program: Program) -> None:
    _person(program)
    async with program.host() as host:
        async with session("client", "shop", host=host) as chat:
            async with anyio.create_task_group() as group:
                group.start_soon(_answer, host.inbox, "Yes.")
                await chat.complete("Help?")

            async def is_done() -> bool:
                return (await host.inbox.list())[0].settled_at is not None

            await wait_for(is_done)
            assert (await host.inbox.list())[0].status == "done"
            assert _said(chat) == ["user: Help?", "assistant: Yes."]
        async with session("client", "shop", host=host) as chat:
            assert _said(chat) == ["user: Help?", "assistant: Yes."]


@pytest.mark.requirement("kit:facade:operator-timeout")
async def test_a_late_reply_reaches_the_live_session(
    program: Program, elsewhere: Elsewhere
) -> None:
    _person(program, timeout=0.5)
    pushed: list[tuple[str, str]] = []

    async def connector(text: str, agent_name: str) -> None:
        pushed.append((text, agent_name))
        raise RuntimeError("the client is gone")

    async def is_pushed() -> bool:
        return bool(pushed)

    async with program.chat() as chat, elsewhere() as inbox:
        chat.connector = connector
        with pytest.raises(TurnTimeoutError):
            await chat.complete("Help?")
        await _answer(inbox, "Here I am.")
        await wait_for(is_pushed)
        assert pushed == [("Here I am.", "person")]
        assert _said(chat)[-1] == "assistant: Here I am."
        assert chat.history.messages[-1].agent_name == "person"
    async with program.chat() as chat:
        assert _said(chat) == [
            "user: Help?",
            "assistant: [This message got no answer: turn timeout]",
            "assistant: Here I am.",
        ]


async def test_a_reply_to_a_closed_session_waits_for_its_next_opening(
    program: Program, elsewhere: Elsewhere
) -> None:
    _person(program, timeout=0.5)
    async with program.chat() as chat:
        with pytest.raises(TurnTimeoutError):
            await chat.complete("Help?")
    async with elsewhere() as inbox:
        await _answer(inbox, "Here I am.")
    for _ in range(2):
        async with program.chat() as chat:
            assert _said(chat)[2:] == ["assistant: Here I am."]


async def test_a_question_that_is_asked_again_reaches_the_person_once(
    program: Program, elsewhere: Elsewhere
) -> None:
    _person(program, timeout=0.5)
    async with program.chat() as chat, elsewhere() as inbox:
        for question in ("Help?", "Help?", "And now?"):
            with pytest.raises(TurnTimeoutError):
                await chat.complete(question)
        assert [item.payload.text for item in await inbox.list()] == ["And now?", "Help?"]
        runs = await program.runs()
        assert [item.run_id for item in await inbox.list()] == [run.run_id for run in runs][:2]


async def test_a_run_that_is_continued_finds_the_reply(program: Program) -> None:
    _person(program)
    request = CompletionRequest(messages=[Message(role="user", content="Help?")])

    async def ask(chat: Session) -> str:
        turn = Turn(chat, request.messages[0], None)
        turn.run_id = "run-1"
        token = current_turn.set(turn)
        try:
            answers = [(await chat.agent.completion.complete(request)).message.content]
            answers.append((await chat.agent.completion.complete(request)).message.content)
            return " ".join(answers)
        finally:
            current_turn.reset(token)

    async def answer(inbox: Inbox) -> None:
        await _answer(inbox, "One.")
        await _answer(inbox, "Two.")

    async with (
        program.host() as host,
        session("client", "shop", host=host) as chat,
        anyio.create_task_group() as group,
    ):
        group.start_soon(answer, host.inbox)
        assert await ask(chat) == "One. Two."
    async with program.host() as host:
        opened = await host.open_session("client", "shop")
        async with opened:
            with anyio.fail_after(5):
                assert await ask(opened) == "One. Two."
        assert len(await host.inbox.list()) == 2


async def test_a_reply_whose_turn_then_failed_is_said_afterwards(program: Program) -> None:
    _person(program)
    async with program.host() as host, session("client", "shop", host=host) as chat:
        request = CompletionRequest(messages=[Message(role="user", content="Help?")])
        token = current_turn.set(Turn(chat, request.messages[0], None))
        async with anyio.create_task_group() as group:
            group.start_soon(_answer, host.inbox, "Taken, and lost.")
            await chat.agent.completion.complete(request)
        current_turn.reset(token)

        async def is_said() -> bool:
            return _said(chat) == ["assistant: Taken, and lost."]

        await wait_for(is_said)
        await wait_for(lambda: _is_settled(host.inbox))
    async with program.chat() as chat:
        assert _said(chat) == ["assistant: Taken, and lost."]


async def test_a_reply_that_was_said_before_a_crash_is_not_said_again(
    program: Program, elsewhere: Elsewhere
) -> None:
    """The process may end after the message is on disk and before the inbox knows."""
    _person(program, timeout=0.5)
    async with program.chat() as chat, elsewhere() as inbox:
        with pytest.raises(TurnTimeoutError):
            await chat.complete("Help?")
        (item,) = await inbox.list()
        await inbox.reply(item.id, "Here I am.")
        await wait_for(lambda: _is_settled(inbox))
        await inbox.items.move(item.id, ("done",), status="answered", settled_at=None)
    async with program.chat() as chat, elsewhere() as inbox:
        assert _said(chat)[2:] == ["assistant: Here I am."]
        assert (await inbox.show(item.id)).status == "done"


async def _is_settled(inbox: Inbox) -> bool:
    return all(item.settled_at is not None for item in await inbox.list())


async def test_connect_operator_passes_messages_on_and_replies_back(program: Program) -> None:
    connected: list[tuple[str, str]] = []
    hung_up: list[str] = []

    def connect(client_id: str, agent_name: str) -> Callable[[str, Reply], Any]:
        connected.append((client_id, agent_name))

        async def send(message: str, reply: Reply) -> Callable[[], None]:
            threading.Thread(target=reply, args=(f"You said: {message}",)).start()
            return lambda: hung_up.append(message)

        return send

    _person(program, connect_operator=connect)
    async with program.chat() as chat:
        assert await chat.complete("one") == "You said: one"
        assert await chat.complete("two") == "You said: two"
    assert connected == [("client", "person")]
    assert hung_up == ["one", "two"]
    async with program.chat() as chat:
        assert await chat.complete("three") == "You said: three"
    assert len(connected) == 2


async def test_what_a_connected_person_says_late_is_not_lost(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    replies: list[Reply] = []

    def connect(client_id: str, agent_name: str) -> Callable[[str, Reply], None]:
        return lambda message, reply: replies.append(reply)

    _person(program, timeout=0.5, connect_operator=connect)
    async with program.host() as host:
        async with session("client", "shop", host=host) as chat:
            with pytest.raises(TurnTimeoutError):
                await chat.complete("Help?")
            with pytest.raises(WrongDecisionError):
                replies[0]("")
            replies[0]("Here I am.")
            await wait_for(lambda: _is_settled(host.inbox))
            assert _said(chat)[-1] == "assistant: Here I am."
            with caplog.at_level(logging.WARNING, logger="wikiswarm"):
                replies[0]("Once more.")

                async def is_logged() -> bool:
                    return "was dropped" in caplog.text

                await wait_for(is_logged)
        assert [item.reply.text for item in await host.inbox.list() if item.reply] == ["Here I am."]


@pytest.mark.parametrize("place", ["connect", "send"])
async def test_a_connection_that_fails_is_named_to_the_caller(program: Program, place: str) -> None:
    def broken(*arguments: object) -> None:
        raise ConnectionError("no line")

    def connect(client_id: str, agent_name: str) -> Callable[..., Any]:
        return broken

    _person(program, connect_operator=broken if place == "connect" else connect)
    async with program.chat() as chat:
        with pytest.raises(CallbackError) as raised:
            await chat.complete("Help?")
        assert raised.value.function.startswith("broken (")
        assert "connect_operator of 'person'" in raised.value.function
        assert raised.value.reason == "ConnectionError: no line"


async def test_hanging_up_that_fails_changes_nothing(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    def hang_up() -> None:
        raise RuntimeError("the line is stuck")

    def send(message: str, reply: Reply) -> Callable[[], None]:
        reply("Yes.")
        return hang_up

    def connect(client_id: str, agent_name: str) -> Callable[..., Any]:
        return send

    _person(program, connect_operator=connect)
    async with program.chat() as chat:
        assert await chat.complete("Help?") == "Yes."
    assert "the line is stuck" in caplog.text


async def test_an_operator_answers_in_a_turn_only(program: Program) -> None:
    _person(program)
    async with program.chat() as chat:
        request = CompletionRequest(messages=[Message(role="user", content="Help?")])
        with pytest.raises(SessionError, match="in a turn only"):
            await chat.agent.completion.complete(request)


async def test_an_operator_without_an_inbox_is_refused(program: Program) -> None:
    _person(program)

    async def open_completion(spec: object) -> Any:
        raise NotImplementedError

    with pytest.raises(DeclarationError, match="open the session with a Host"):
        await plan_swarm(program.catalog, "shop", open_completion)


async def test_a_database_that_is_away_for_a_moment_ends_no_waiting(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    _person(program)

    async def rename(host: Host, name: str, other: str) -> None:
        def work(connection: sqlalchemy.Connection) -> None:
            connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {other}")

        await host.database.run(work)

    async def is_missed() -> bool:
        return "the inbox cannot be read" in caplog.text

    async def answer(host: Host) -> None:
        item = await wait_for_item(host.inbox, status="waiting")
        await rename(host, "inbox", "away")
        await wait_for(is_missed)
        await rename(host, "away", "inbox")
        await host.inbox.reply(item.id, "Back.")

    async with (
        program.host() as host,
        session("client", "shop", host=host) as chat,
        anyio.create_task_group() as group,
    ):
        group.start_soon(answer, host)
        assert await chat.complete("Help?") == "Back."


async def test_hanging_up_may_be_async(program: Program) -> None:
    has_hung_up = anyio.Event()

    async def hang_up() -> None:
        has_hung_up.set()

    def connect(client_id: str, agent_name: str) -> Any:
        def send(message: str, reply: Callable[[str], None]) -> Any:
            reply("Yes.")
            return hang_up

        return send

    _person(program, connect_operator=connect)
    async with program.chat() as chat:
        assert await chat.complete("Help?") == "Yes."
        with anyio.fail_after(5):
            await has_hung_up.wait()
