"""`complete`: one order per client, none between clients, nothing mixed up, errors passed on."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swarm import CompletionRequest, ToolContext, complete, session, use_catalog
from swarm.errors import InvalidIdError, ProviderDownError, SessionError, UnknownNameError
from swarm.runtime import find_live
from swarm.testing import call_tool
from tests.swarm.connect.clock import Gate, echo, settle
from tests.swarm.program import Program, output_of

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("kit:talk:complete")
async def test_the_history_goes_on_with_the_next_call(program: Program) -> None:
    model = program.agent(steps=["one", "two"])
    program.swarm()
    async with program.host() as host:
        assert await complete("first", "client", "shop", {"page": 1}) == "one"
        assert await complete("second", "client", "shop", host=host) == "two"
        with pytest.raises(SessionError, match="no live session"):
            find_live("client")
    assert [m.content for m in model.requests[1].messages] == ["first", "one", "second"]
    assert model.requests[1].messages[0].payload == {"page": 1}


async def test_without_a_host_each_call_brings_one(program: Program, home: Path) -> None:
    program.agent(model=echo)
    program.swarm()
    answers: list[str] = []

    async def ask(content: str) -> None:
        answers.append(await complete(content, "client", "shop"))

    with use_catalog(program.catalog):
        async with anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(ask, str(number))
    assert answers == [f"re: {number}" for number in range(5)]


@pytest.mark.requirement("kit:talk:complete-errors")
async def test_a_provider_error_reaches_the_caller_and_the_next_call_works(
    program: Program,
) -> None:
    program.agent(steps=[ProviderDownError("no connection", provider="stub"), "ok"])
    program.swarm()
    async with program.host():
        with pytest.raises(ProviderDownError):
            await complete("hi", "client", "shop")
        assert await complete("again", "client", "shop") == "ok"


async def test_names_are_checked_at_the_door(program: Program) -> None:
    program.agent()
    program.swarm()
    async with program.host():
        with pytest.raises(InvalidIdError):
            await complete("hi", "../client", "shop")
        with pytest.raises(UnknownNameError, match="did you mean 'shop'"):
            await complete("hi", "client", "shpo")


async def test_a_call_that_was_cancelled_lets_the_next_one_go(program: Program) -> None:
    gate = Gate()
    program.agent(model=gate)
    program.swarm()
    async with program.host(), anyio.create_task_group() as group:
        async with anyio.create_task_group() as left:
            left.start_soon(complete, "never answered", "client", "shop")
            await gate.entered()
            group.start_soon(complete, "waits", "client", "shop")
            await settle()
            left.cancel_scope.cancel()
        await gate.entered()
        gate.release()
    assert gate.asked == ["never answered", "waits"]
    assert [run.status for run in await program.runs()] == ["answered", "interrupted"]


async def test_a_conversation_that_is_open_is_refused(program: Program) -> None:
    program.agent(model=echo)
    program.swarm()
    async with program.host() as host, session("client", "shop", host=host) as chat:
        with pytest.raises(SessionError, match="open already"):
            await complete("hi", "client", "shop")
        assert await chat.complete("hi") == "re: hi"


async def test_a_tool_cannot_wait_for_itself(program: Program) -> None:
    async def nested(context: ToolContext) -> str:
        """Ask once more."""
        return await complete("inner", context.client_id, "shop")

    model = program.agent(steps=[call_tool("nested"), "done"], tools=[nested])
    program.swarm()
    async with program.host():
        with anyio.fail_after(5):
            assert await complete("outer", "client", "shop") == "done"
    assert "would wait for itself; use `execute` instead" in output_of(model.requests[1])


async def test_two_tools_that_ask_for_each_others_clients_do_not_hang(program: Program) -> None:
    async def other(context: ToolContext) -> str:
        """Ask the other client's conversation."""
        name = "b" if context.client_id == "a" else "a"
        return await complete("from a tool", name, "shop")

    def model(request: CompletionRequest) -> object:
        if request.messages[-1].role == "tool":
            return f"tool: {request.messages[-1].content}"
        return call_tool("other")

    program.agent(model=model, tools=[other])
    program.swarm()
    async with program.host():
        with anyio.fail_after(5):
            assert "would wait for itself" in await complete("start", "a", "shop")


async def test_a_tool_may_ask_another_swarm_for_the_same_client(program: Program) -> None:
    async def ask_other(context: ToolContext) -> str:
        """Ask the other swarm."""
        return await complete("inner", context.client_id, "other")

    model = program.agent(steps=[call_tool("ask_other"), "inner answer", "done"], tools=[ask_other])
    program.swarm("shop")
    program.swarm("other")
    async with program.host():
        with anyio.fail_after(5):
            assert await complete("outer", "client", "shop") == "done"
    assert output_of(model.requests[2]) == "inner answer"


@pytest.mark.requirement("kit:talk:complete-order")
@settings(max_examples=25)
@given(
    sent=st.lists(st.integers(0, 3), min_size=1, max_size=24),
    seed=st.integers(0, 2**32),
)
async def test_clients_keep_their_order_and_see_nothing_of_each_other(
    sent: Sequence[int], seed: int
) -> None:
    """Messages of four clients in random order, answered in random order."""
    order = Random(seed)
    waiting: list[anyio.Event] = []
    running: set[str] = set()
    seen: dict[str, list[str]] = {}

    async def model(request: CompletionRequest) -> str:
        client = str(request.client_id)
        assert client not in running, "two turns of one client at once"
        running.add(client)
        event = anyio.Event()
        waiting.append(event)
        await event.wait()
        running.discard(client)
        seen[client] = [message.content for message in request.messages]
        return f"re: {request.messages[-1].content}"

    answers: dict[int, str] = {}

    async def ask(number: int, client: str) -> None:
        answers[number] = await complete(f"{client} says {number}", client, "shop")

    with TemporaryDirectory() as folder:
        program = Program(Path(folder))
        program.agent(model=model)
        program.swarm()
        async with program.host(), anyio.create_task_group() as group:
            for number, client in enumerate(sent):
                group.start_soon(ask, number, f"client-{client}")
            with anyio.fail_after(20):
                while len(answers) < len(sent):
                    if not waiting:
                        await anyio.lowlevel.checkpoint()
                        continue
                    waiting.pop(order.randrange(len(waiting))).set()
    expected = {n: f"re: client-{client} says {n}" for n, client in enumerate(sent)}
    assert answers == expected
    for client in set(sent):
        name = f"client-{client}"
        own = [number for number, other in enumerate(sent) if other == client]
        said = [text for n in own for text in (f"{name} says {n}", expected[n])]
        assert seen[name] == said[:-1]


async def test_different_clients_run_at_the_same_time(program: Program) -> None:
    gate = Gate()
    program.agent(model=gate)
    program.swarm()
    async with program.host(), anyio.create_task_group() as group:
        for client in ("a", "b", "c"):
            group.start_soon(complete, client, client, "shop")
        for _ in range(3):
            await gate.entered()
        gate.release(3)
    assert sorted(gate.asked) == ["a", "b", "c"]
