"""One agent without a swarm: it answers, remembers, is captured, and keeps to its own store."""

from pathlib import Path

import pytest

from swarm import Agent, Catalog, Host, add_tool, use_catalog
from swarm.errors import DuplicateNameError, ValidationError
from swarm.store import list_runs, open_database

pytestmark = pytest.mark.anyio


def find_tea(name: str = "green") -> str:
    """Find a tea by its name."""
    return f"{name} tea costs four euros"


@pytest.fixture
def catalog() -> Catalog:
    with use_catalog(Catalog()) as catalog:
        add_tool(find_tea)
    return catalog


@pytest.mark.requirement("S0-08")
async def test_an_agent_answers_and_is_captured(tmp_path: Path, catalog: Catalog) -> None:
    with use_catalog(catalog):
        agent = Agent("seller", model="offline", prompt="Sell.", tools=["find_tea"], home=tmp_path)
        assert "tea costs four euros" in await agent.chat("find a tea")
        async with agent:
            assert "tea costs" in await agent.chat("find a tea again", "other")
    database = open_database(tmp_path)
    try:
        runs = await list_runs(database, agent_name="seller")
    finally:
        database.close()
    assert [run.question for run in runs] == ["find a tea again", "find a tea"]
    assert all(run.status == "answered" for run in runs)
    # What the agent needed is declared for it alone.
    assert catalog.agents.names == []


@pytest.mark.requirement("S0-09")
async def test_an_agent_keeps_its_conversations_in_the_store_that_it_was_given(
    tmp_path: Path, catalog: Catalog
) -> None:
    store = f"sqlite:///{tmp_path / 'own.db'}"
    with use_catalog(catalog):
        async with Host(catalog=catalog, home=tmp_path / "home") as host:
            await Agent("one", model="offline", tools=["find_tea"]).chat("find a tea")
            own = Agent("two", model="offline", tools=["find_tea"], store=store, home=tmp_path)
            await own.chat("find a tea")
            assert [run.agent_name for run in await list_runs(host.database)] == ["one"]
    database = open_database(tmp_path, store)
    try:
        assert [run.agent_name for run in await list_runs(database)] == ["two"]
    finally:
        database.close()


async def test_a_conversation_goes_on_with_the_next_message(tmp_path: Path) -> None:
    with use_catalog(Catalog()):
        async with Agent(
            "seller", model="python:tests.swarm.connect.test_agent:count", home=tmp_path
        ) as agent:
            assert [await agent.chat("a"), await agent.chat("b"), await agent.chat("c", "x")] == [
                "1",
                "2",
                "1",
            ]


def count(request: object) -> str:
    """Say how many messages of the user there are."""
    messages = getattr(request, "messages", ())
    return str(sum(message.role == "user" for message in messages))


async def test_bad_names_are_refused(tmp_path: Path, catalog: Catalog) -> None:
    with use_catalog(catalog):
        with pytest.raises(ValidationError, match="nonsense"):
            await Agent("seller", model="nonsense", home=tmp_path).chat("hello")
        with pytest.raises(ValidationError, match="no tool named 'tea'"):
            await Agent("seller", model="offline", tools=["tea"], home=tmp_path).chat("hello")
        from swarm import add_agent

        add_agent(agent_name="seller", completion="c")
        with pytest.raises(DuplicateNameError):
            Agent("seller", model="offline")
