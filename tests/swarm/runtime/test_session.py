"""Sessions: one order, streams, closing, cancelling, and who may open what."""

import sqlite3
from contextlib import aclosing
from typing import Any

import anyio
import pytest

from swarm import (
    Answered,
    CompletionRequest,
    Session,
    TextDelta,
    ToolFinished,
    ToolStarted,
    add_agent,
    add_completion,
    session,
    use_catalog,
)
from swarm.errors import (
    InvalidIdError,
    ProviderDownError,
    SessionError,
    TurnInterruptedError,
    UnknownNameError,
)
from swarm.events import AgentConfigured, SessionOpened
from swarm.testing import StubServer, call_tool
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


async def stock_level(sku: str) -> str:
    """How many boxes are in stock."""
    return f"3 of {sku}"


def echo(request: CompletionRequest) -> str:
    """Answer with what was said."""
    return f"re: {request.messages[-1].content}"


class Gate:
    """A model that waits until the test lets it answer."""

    def __init__(self) -> None:
        self.entered = anyio.Event()
        self.open = anyio.Event()

    async def __call__(self, request: CompletionRequest) -> str:
        self.entered.set()
        await self.open.wait()
        return f"re: {request.messages[-1].content}"


@pytest.mark.requirement("kit:talk:session", "kit:talk:session-order", "kit:turn:one-at-a-time")
async def test_fifty_messages_at_once_are_answered_in_order(program: Program) -> None:
    program.agent(model=echo)
    answers: dict[int, str] = {}
    async with program.chat() as chat:

        async def ask(number: int) -> None:
            answers[number] = await chat.complete(str(number))

        async with anyio.create_task_group() as group:
            for number in range(50):
                group.start_soon(ask, number)
    assert answers == {number: f"re: {number}" for number in range(50)}
    rows = await program.events()
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    turns = [row.event.kind for row in rows if row.event.kind != "agent_configured"][1:]
    assert turns == ["turn_started", "message_added", "turn_ended"] * 50
    asked = [row.event.message.content for row in rows if row.event.kind == "turn_started"]
    assert asked == [str(number) for number in range(50)]


@pytest.mark.requirement("kit:concurrency:clients-apart")
async def test_clients_do_not_wait_for_each_other(program: Program) -> None:
    gate = Gate()

    async def model(request: CompletionRequest) -> str:
        return await gate(request) if request.client_id == "slow" else "quick"

    program.agent(model=model)
    program.swarm()
    async with (
        program.host() as host,
        session("slow", "shop", host=host) as slow,
        session("fast", "shop", host=host) as fast,
        anyio.create_task_group() as group,
    ):
        group.start_soon(slow.complete, "wait")
        await gate.entered.wait()
        with anyio.fail_after(5):
            assert await fast.complete("go") == "quick"
        gate.open.set()


@pytest.mark.requirement("kit:history:of-swarm-and-client")
async def test_two_swarms_of_one_client_share_nothing(program: Program) -> None:
    model = program.agent(steps=["one", "two"])
    program.swarm("first")
    program.swarm("second")
    async with (
        program.host() as host,
        session("client", "first", host=host) as first,
        session("client", "second", host=host) as second,
    ):
        await first.complete("to the first")
        await second.complete("to the second")
    assert [m.content for m in model.requests[1].messages] == ["to the second"]


@pytest.mark.requirement("kit:concurrency:same-client")
async def test_the_same_conversation_opens_once(program: Program) -> None:
    program.agent(steps=["ok"])
    program.swarm()
    async with program.host() as host:
        async with session("client", "shop", host=host) as chat:
            with pytest.raises(SessionError, match="has session 'shop/client' open already"):
                async with session("client", "shop", host=host):
                    raise NotImplementedError
            assert await chat.complete("hi") == "ok"
        async with session("client", "shop", host=host) as again:
            assert [m.content for m in again.history.messages] == ["hi", "ok"]


async def test_the_same_names_in_two_homes_are_two_conversations(
    program: Program, tmp_path: Any
) -> None:
    other = Program(tmp_path / "other")
    for each in (program, other):
        each.agent(model=echo)
        each.swarm()
    async with program.chat() as mine, other.chat() as theirs:
        assert await mine.complete("a") == "re: a"
        assert await theirs.complete("b") == "re: b"
        assert [m.content for m in mine.history.messages] == ["a", "re: a"]


@pytest.mark.requirement("kit:persist:no-escape")
@pytest.mark.parametrize(
    "client_id", ["", "x" * 257, ".", "..", "a/b", "..\\x", "a\nb", "a\x00", "\ud800", "a\u202eb"]
)
async def test_a_client_id_that_may_not_be_used(program: Program, client_id: str) -> None:
    program.agent()
    with pytest.raises(InvalidIdError):
        async with program.chat(client_id):
            raise NotImplementedError


@pytest.mark.parametrize("client_id", ["x" * 256, "Zoë 東京", "a b", "+41 79", "x@y.z", "'; --"])
async def test_a_client_id_of_any_other_kind(program: Program, client_id: str) -> None:
    program.agent(steps=["ok"])
    async with program.chat(client_id) as chat:
        await chat.complete("hi")
    (run,) = await program.runs()
    assert run.client_id == client_id


async def test_an_unknown_swarm_has_a_nearest_name(program: Program) -> None:
    program.agent()
    program.swarm("shop")
    async with program.host() as host:
        with pytest.raises(UnknownNameError, match="no swarm named 'shpo'; did you mean 'shop'"):
            async with session("client", "shpo", host=host):
                raise NotImplementedError


async def test_a_session_is_used_open_or_not_at_all(program: Program) -> None:
    program.agent()
    async with program.chat() as chat:
        pass
    with pytest.raises(SessionError, match="is not open"):
        await chat.complete("hi")
    with pytest.raises(SessionError, match="is not open"):
        async for _ in chat.stream("hi"):
            raise NotImplementedError


@pytest.mark.requirement("kit:persist:conversation")
async def test_a_restart_resumes_the_conversation(program: Program) -> None:
    model = program.agent(
        steps=[call_tool("stock_level", sku="A"), "3.", "5."], tools=[stock_level]
    )
    async with program.chat() as chat:
        await chat.complete("How many?", payload={"page": 3})
    async with program.chat() as chat:
        await chat.complete("Sure?")
    assert [(m.role, m.content) for m in model.requests[-1].messages] == [
        ("user", "How many?"),
        ("assistant", ""),
        ("tool", "3 of A"),
        ("assistant", "3."),
        ("user", "Sure?"),
    ]
    assert [isinstance(row.event, SessionOpened) for row in await program.events()].count(True) == 1


@pytest.mark.requirement("S0-02")
async def test_an_agent_is_recorded_when_it_changed_and_only_then(program: Program) -> None:
    program.agent(steps=["one", "two"], tools=[stock_level], prompt="Sell.")
    for _ in range(2):
        async with program.chat() as chat:
            await chat.complete("hi")
    changed = Program(program.home)
    changed.agent(steps=["three"], prompt="Sell.")
    async with changed.chat() as chat:
        await chat.complete("hi")
    records = [r.event for r in await program.events() if isinstance(r.event, AgentConfigured)]
    assert [[tool["name"] for tool in record.tools] for record in records] == [["stock_level"], []]
    assert all(record.system == ["Sell."] for record in records)
    assert records[0].model.startswith("python:")


@pytest.mark.requirement("kit:talk:stream")
async def test_a_stream_shows_what_happens_in_order(program: Program) -> None:
    async with StubServer() as server:
        program.tool(always)
        with use_catalog(program.catalog):
            add_completion(completion_name="m", model="openai/any", base_url=server.base_url)
            add_agent(agent_name="seller", completion="m", tools=["always"])
        async with program.chat() as chat:
            events = [event async for event in chat.stream("How many?")]
    kinds = [type(event) for event in events]
    words = kinds.count(TextDelta)
    assert words == 4
    assert kinds == [ToolStarted, ToolFinished, *[TextDelta] * words, Answered]
    started, finished = events[0], events[1]
    assert isinstance(started, ToolStarted)
    assert isinstance(finished, ToolFinished)
    assert started.tool_id == finished.tool_id
    assert (finished.output, finished.is_error) == ("plenty", False)
    answered = events[-1]
    assert isinstance(answered, Answered)
    assert answered.text == "The tool says: plenty"
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == answered.text
    assert answered.usage.output_tokens > 0


async def always() -> str:
    """How many boxes are in stock."""
    return "plenty"


async def test_a_stream_raises_what_complete_raises(program: Program) -> None:
    down = ProviderDownError("no connection", provider="any")
    program.agent(steps=[down, "fine"])
    async with program.chat() as chat:
        with pytest.raises(ProviderDownError):
            async for _ in chat.stream("hi"):
                raise NotImplementedError
        assert await chat.complete("again") == "fine"


@pytest.mark.requirement("kit:talk:leave-stream")
async def test_leaving_a_stream_early_cancels_its_turn(program: Program) -> None:
    gate, is_cancelled = Gate(), anyio.Event()

    async def slow() -> str:
        try:
            await gate.open.wait()
        except anyio.get_cancelled_exc_class():
            is_cancelled.set()
            raise
        raise NotImplementedError

    model = program.agent(steps=[call_tool("slow"), "fine"], tools=[slow])
    with anyio.fail_after(5):
        async with program.chat() as chat:
            async with aclosing(chat.stream("hi")) as events:
                async for event in events:
                    assert isinstance(event, ToolStarted)
                    break
            assert is_cancelled.is_set()
            assert await chat.complete("again") == "fine"
    assert [m.content for m in model.requests[-1].messages] == [
        "hi",
        "[This message got no answer: turn interrupted]",
        "again",
    ]
    assert [run.status for run in await program.runs()] == ["answered", "interrupted"]


async def test_a_stream_that_somebody_still_reads_ends_with_its_session(program: Program) -> None:
    gate = Gate()
    program.agent(model=gate)
    is_told = anyio.Event()

    async def read(chat: Session) -> None:
        with pytest.raises(TurnInterruptedError, match="the session was closed"):
            async for _ in chat.stream("hi"):
                raise NotImplementedError
        is_told.set()

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group, program.chat() as chat:
            group.start_soon(read, chat)
            await gate.entered.wait()
    assert is_told.is_set()
    assert [run.status for run in await program.runs()] == ["interrupted"]


@pytest.mark.requirement("kit:provider:cancelled")
async def test_a_caller_that_gives_up_leaves_no_half_turn(program: Program) -> None:
    gate = Gate()
    program.agent(model=gate)
    async with program.chat() as chat:
        async with anyio.create_task_group() as group:
            group.start_soon(chat.complete, "hi")
            await gate.entered.wait()
            group.cancel_scope.cancel()
        gate.open.set()
        assert await chat.complete("again") == "re: again"
    assert [run.status for run in await program.runs()] == ["answered", "interrupted"]


async def test_a_caller_that_gives_up_waiting_never_began(program: Program) -> None:
    gate = Gate()
    program.agent(model=gate)
    async with program.chat() as chat, anyio.create_task_group() as group:
        group.start_soon(chat.complete, "first")
        await gate.entered.wait()
        async with anyio.create_task_group() as waiting:
            waiting.start_soon(chat.complete, "impatient")
            await anyio.wait_all_tasks_blocked()
            waiting.cancel_scope.cancel()
        gate.open.set()
    assert [run.question for run in await program.runs()] == ["first"]


@pytest.mark.requirement("kit:output:closed")
async def test_closing_interrupts_the_turn_and_refuses_those_that_wait(program: Program) -> None:
    gate = Gate()
    program.agent(model=gate)
    program.swarm()
    outcomes: dict[str, type[Exception]] = {}

    async def ask(chat: Session, text: str) -> None:
        try:
            await chat.complete(text)
        except (SessionError, TurnInterruptedError) as error:
            outcomes[text] = type(error)

    with anyio.fail_after(5):
        async with program.host() as host, anyio.create_task_group() as group:
            async with session("client", "shop", host=host) as chat:
                group.start_soon(ask, chat, "running")
                await gate.entered.wait()
                group.start_soon(ask, chat, "waiting")
                await anyio.wait_all_tasks_blocked()
            async with session("client", "shop", host=host) as again:
                gate.open.set()
                assert await again.complete("new") == "re: new"
    assert outcomes == {"running": TurnInterruptedError, "waiting": SessionError}
    runs = await program.runs()
    assert [(run.question, run.status) for run in runs] == [
        ("new", "answered"),
        ("running", "interrupted"),
    ]


async def test_an_error_of_the_body_comes_out_as_it_is(program: Program) -> None:
    program.agent(steps=["ok"])
    with pytest.raises(LookupError, match="mine"):
        async with program.chat() as chat:
            await chat.complete("hi")
            raise LookupError("mine")
    with pytest.raises(ProviderDownError):
        async with program.chat("other") as chat:
            raise ProviderDownError("gone", provider="any")


async def test_a_body_that_is_cancelled_closes_its_session(program: Program) -> None:
    gate = Gate()
    program.agent(model=gate)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:

            async def converse() -> None:
                async with program.chat() as chat:
                    await chat.complete("hi")

            group.start_soon(converse)
            await gate.entered.wait()
            group.cancel_scope.cancel()
        gate.open.set()
        async with program.chat() as chat:
            assert await chat.complete("again") == "re: again"
    assert [run.status for run in await program.runs()] == ["answered", "interrupted"]


@pytest.mark.requirement("kit:persist:half-turn")
async def test_a_turn_that_its_process_left_open_is_closed_at_the_next_start(
    program: Program,
) -> None:
    """A journal that ends in the middle of a turn, as a killed process leaves it."""
    model = program.agent(
        steps=[call_tool("stock_level", sku="A"), "3.", "ok"], tools=[stock_level]
    )
    async with program.chat() as chat:
        await chat.complete("How many?")
    with sqlite3.connect(program.home / "journal.sqlite3") as file:
        last = file.execute("SELECT max(seq) FROM events").fetchone()[0]
        file.execute("DELETE FROM events WHERE seq > ?", (last - 2,))
    file.close()
    async with program.chat() as chat:
        assert await chat.complete("Hello?") == "ok"
    assert [(m.role, m.content) for m in model.requests[-1].messages] == [
        ("user", "How many?"),
        ("assistant", "[This message got no answer: turn interrupted]"),
        ("user", "Hello?"),
    ]
    assert [run.status for run in await program.runs()] == ["answered", "interrupted"]


@pytest.mark.requirement("kit:navigate:unknown-active")
async def test_an_agent_that_left_the_swarm_hands_back_to_the_default(program: Program) -> None:
    program.agent("seller", [call_tool("transfer_to_clerk")], handoffs=["clerk"])
    program.agent("clerk", ["Here."])
    async with program.chat() as chat:
        await chat.complete("go")
    smaller = Program(program.home)
    smaller.agent("seller", ["Me again."])
    async with smaller.chat() as chat:
        assert chat.agent_name == "seller"
        assert await chat.complete("go") == "Me again."
