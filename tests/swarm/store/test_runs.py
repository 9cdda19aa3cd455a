"""Runs: what the journal says about each turn."""

import pytest

from swarm import CompletionRequest, ToolCall, session
from swarm.errors import DataError, ProviderDownError
from swarm.events import MessageAdded
from swarm.store import find_run, list_runs, read_session, session_ids
from swarm.testing import call_tool
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


async def stock_level(sku: str) -> str:
    """How many boxes are in stock."""
    return f"3 of {sku}"


def model(request: CompletionRequest) -> str:
    """Answer, or fail when it is told to."""
    text = request.messages[-1].content
    if text == "fail":
        raise ProviderDownError("no connection", provider="any")
    return f"re: {text}"


@pytest.mark.requirement("kit:persist:always")
@pytest.mark.requirement("S0-15")
async def test_runs_are_listed_by_agent_and_status_newest_first(program: Program) -> None:
    program.agent("seller", model=model)
    program.agent("clerk", model=model)
    program.swarm("shop")
    async with program.host() as host:
        for client, texts in (("a", ["one", "fail"]), ("b", ["two"])):
            async with session(client, "shop", host=host) as chat:
                for text in texts:
                    try:
                        await chat.complete(text)
                    except ProviderDownError:
                        assert text == "fail"
        database = host.database
        assert [run.question for run in await list_runs(database)] == ["two", "fail", "one"]
        answered = await list_runs(database, status="answered")
        assert [(run.client_id, run.answer) for run in answered] == [
            ("b", "re: two"),
            ("a", "re: one"),
        ]
        (failed,) = await list_runs(database, status="failed")
        assert failed.failure is not None
        assert (failed.failure.code, failed.answer) == ("provider_down", None)
        assert [run.question for run in await list_runs(database, limit=1)] == ["two"]
        assert await list_runs(database, limit=0) == []
        assert len(await list_runs(database, agent_name="seller")) == 3
        assert await list_runs(database, agent_name="clerk") == []
        assert await session_ids(database) == ["shop/a", "shop/b"]


@pytest.mark.requirement("kit:docs:runs")
@pytest.mark.requirement("S0-02", "S0-03", "S0-04", "S0-06")
async def test_a_run_has_its_messages_calls_outputs_and_times(program: Program) -> None:
    steps = [call_tool("stock_level", "id-1", sku="A"), "3 of A are left."]
    program.agent(steps=steps, tools=[stock_level])
    async with program.chat() as chat:
        await chat.complete("How many?")
    async with program.host() as host:
        (listed,) = await list_runs(host.database)
        run, events = await find_run(host.database, listed.run_id[:6])
    assert run == listed
    assert (run.swarm_name, run.client_id, run.agent_name) == ("shop", "client", "seller")
    added = [row.event for row in events if isinstance(row.event, MessageAdded)]
    assert [(e.message.role, e.message.content) for e in added] == [
        ("assistant", ""),
        ("tool", "3 of A"),
        ("assistant", "3 of A are left."),
    ]
    assert added[0].message.tool_calls == (
        ToolCall(id="id-1", name="stock_level", arguments='{"sku":"A"}'),
    )
    assert added[1].message.tool_call_id == "id-1"
    assert all(e.model and e.model.startswith("python:") for e in (added[0], added[2]))
    assert run.seconds > 0
    assert abs(events[-1].at - run.started_at) < 60


async def test_a_run_is_found_by_the_beginning_of_its_id_or_not_at_all(program: Program) -> None:
    program.agent(model=model)
    async with program.chat() as chat:
        for number in range(20):
            await chat.complete(str(number))
    async with program.host() as host:
        for wrong in ("", "zz", "_", "%"):
            with pytest.raises(DataError, match="no run begins with"):
                await find_run(host.database, wrong)
        runs = await list_runs(host.database)
        first = [run.run_id[0] for run in runs]
        shared = next(letter for letter in first if first.count(letter) > 1)
        with pytest.raises(DataError, match=f"{first.count(shared)} runs begin with '{shared}'"):
            await find_run(host.database, shared)


async def test_a_session_that_nobody_had_is_empty(program: Program) -> None:
    async with program.host() as host:
        assert await read_session(host.database, "shop/nobody") == []
        assert await session_ids(host.database) == []
