"""Runs: what the journal says about each turn."""

from typing import Any

import pytest

from swarm import CompletionRequest, Host, ToolCall, session
from swarm.errors import DataError, InvalidIdError, ProviderDownError, SessionError
from swarm.events import MessageAdded
from swarm.store import (
    Feedback,
    add_feedback,
    find_run,
    list_runs,
    read_session,
    session_ids,
    strategy_of,
)
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


async def ask(
    program: Program, client_id: str, *questions: str, project: str | None = None
) -> list[str]:
    """Ask in a session of a project; returns the ids of the runs, in order."""
    async with program.host(project=project) as host:
        async with session(client_id, "shop", host=host) as chat:
            for question in questions:
                try:
                    await chat.complete(question)
                except ProviderDownError:
                    assert question == "fail"
        runs = await list_runs(host.database)
        return [run.run_id for run in reversed(runs) if run.client_id == client_id]


@pytest.mark.requirement("S0-07", "S0-15", "S0-43")
async def test_the_database_filters_runs_by_project_rating_and_time(program: Program) -> None:
    program.agent("seller", model=model)
    program.swarm("shop")
    first = await ask(program, "ada", "one", "two", "fail", project="north")
    second = await ask(program, "bob", "three", project="south")
    await ask(program, "cy", "four")
    async with program.host() as host:
        database = host.database
        await add_feedback(database, Feedback(run_id=first[0], rating=5))
        await add_feedback(database, Feedback(run_id=first[0], correct="uno"))
        await add_feedback(database, Feedback(run_id=first[1], rating=2))
        await add_feedback(database, Feedback(run_id=second[0], rating=4))

        async def asked(**options: Any) -> list[str]:
            return [run.question for run in await list_runs(database, **options)]

        assert await asked(project="north") == ["fail", "two", "one"]
        assert await asked(project=["south", ""]) == ["four", "three"]
        assert await asked(project="") == ["four"]
        assert await asked(project="west") == []
        assert await asked(project=[]) == []
        assert await asked(min_rating=4) == ["three", "one"]
        assert await asked(min_rating=4, project="south") == ["three"]
        assert await asked(status="completed", project="north", limit=1) == ["two"]
        started = {run.question: run.started_at for run in await list_runs(database)}
        assert await asked(since=started["three"]) == ["four", "three"]
        (rated,) = await list_runs(database, min_rating=5)
        assert (rated.project, rated.rating, rated.client_id) == ("north", 5, "ada")
        assert await session_ids(database, project="south") == ["shop/bob"]
        assert await session_ids(database, project="") == ["shop/cy"]
        with pytest.raises(DataError, match="no run begins"):
            await find_run(database, second[0], project="north")


@pytest.mark.requirement("S0-02")
async def test_a_run_names_its_model_and_how_it_was_chosen(program: Program) -> None:
    program.agent("seller", model=model)
    program.swarm("shop")
    await ask(program, "ada", "one")
    async with program.host() as host:
        (run,) = await list_runs(host.database)
    assert run.model is not None
    assert run.strategy == "declared"
    assert strategy_of("spare", "own") == "fallback"
    assert strategy_of("offline", "offline") == "offline"
    assert strategy_of(None, "own") is None


@pytest.mark.requirement("S0-43")
async def test_a_session_of_one_project_cannot_be_opened_by_another(program: Program) -> None:
    program.agent("seller", model=model, keep_messages=2)
    program.swarm("shop")
    # More turns than the window of history holds, so that the session's first event is not in it.
    await ask(program, "ada", *(f"question {number}" for number in range(90)), project="north")
    await ask(program, "cy", "four")
    for project, client_id in (("south", "ada"), (None, "ada"), ("south", "cy")):
        with pytest.raises(SessionError, match="belongs to") as caught:
            await ask(program, client_id, "What was said?", project=project)
        assert "north" not in str(caught.value)
    assert len(await ask(program, "ada", "again", project="north")) == 91


@pytest.mark.requirement("S0-07")
async def test_the_project_comes_from_the_environment_and_is_a_plain_name(
    program: Program,
) -> None:
    host = Host(home=program.home, environment={"WIKISWARM_PROJECT": "north"})
    assert host.project == "north"
    for name in ("a b", "a/b", "x" * 65):
        with pytest.raises(InvalidIdError, match="project"):
            Host(home=program.home, environment={}, project=name)
