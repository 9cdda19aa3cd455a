"""Forgetting a client, on each database: nothing of it is left, and nothing else is gone."""

from typing import Any

import pytest
import sqlalchemy as sa

from swarm import CompletionRequest, State, add_state, add_swarm, session, use_catalog
from swarm.errors import InvalidIdError, SessionError
from swarm.policy.tables import BanTable
from swarm.store import Database, Feedback, add_feedback, forget_client, list_runs
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio

_PRIVATE = "my telephone is plum-orchard-seven"


def model(request: CompletionRequest) -> str:
    """Answer."""
    return f"I heard: {request.messages[-1].content}"


async def talk(program: Program, client_id: str, text: str, *, project: str | None = None) -> None:
    """Say something, rate it and write it into a state."""
    async with (
        program.host(project=project) as host,
        session(client_id, "shop", host=host) as chat,
    ):
        await chat.complete(text)
        await State.set("notes", text, client_id=client_id, agent_name="seller")
        (run,) = [r for r in await list_runs(host.database) if r.client_id == client_id]
        await add_feedback(host.database, Feedback(run_id=run.run_id, correct=f"{text}!"))


def declared(program: Program) -> Program:
    """Return a program with a swarm and a state."""
    with use_catalog(program.catalog):
        add_state(state_name="notes", default="")
    program.agent("seller", model=model, states=["notes"])
    program.swarm("shop")
    return program


async def everything(database: Database) -> str:
    """Return all that the database holds, as one text."""

    def read(connection: sa.Connection) -> str:
        found: list[str] = []
        metadata = sa.MetaData()
        metadata.reflect(connection)
        for table in metadata.sorted_tables:
            found += [repr(row) for row in connection.execute(sa.select(table))]
        return "\n".join(found)

    return await database.run(read)


async def test_nothing_that_a_client_said_is_left(program: Program) -> None:
    declared(program)
    await talk(program, "ada", _PRIVATE)
    await talk(program, "ada-2", "Good day")
    async with program.host() as host:
        database = host.database
        await BanTable(database).add("shop", "ada", "rude")
        trial = await forget_client(database, "ada", is_trial=True)
        assert _PRIVATE in await everything(database)
        done = await forget_client(database, "ada")
        assert done == trial
        assert done.sessions == ("shop/ada",)
        assert len(done.run_ids) == done.rows["feedback"] == done.rows["memory_cells"] == 1
        left = await everything(database)
        assert _PRIVATE not in left
        assert "Good day!" in left
        assert [run.client_id for run in await list_runs(database)] == ["ada-2"]
        assert await BanTable(database).policies_of("shop", "ada", ["rude"]) == {"rude"}
        again = await forget_client(database, "ada")
        assert (again.sessions, dict(again.rows)) == ((), {})
    if program.store is None:
        files = sorted(program.home.glob("journal.sqlite3*"))
        assert files
        assert not any(_PRIVATE.encode() in file.read_bytes() for file in files)


async def test_an_open_session_cannot_bring_back_what_was_forgotten(program: Program) -> None:
    declared(program)
    async with program.host() as host:
        chat = session("ada", "shop", host=host)
        opened = await chat.__aenter__()
        await opened.complete(_PRIVATE)
        async with program.host() as other:
            await forget_client(other.database, "ada")
            with pytest.raises(SessionError):
                await opened.complete(_PRIVATE)
            assert _PRIVATE not in await everything(other.database)
        with pytest.raises(SessionError):
            await chat.__aexit__(None, None, None)


@pytest.mark.requirement("S0-43")
async def test_forgetting_can_be_limited_to_a_project(program: Program) -> None:
    declared(program)
    with use_catalog(program.catalog):
        add_swarm(swarm_name="bar", agent_list=["seller"], default_agent="seller")
    await talk(program, "ada", "in the north", project="north")
    async with (
        program.host(project="south") as host,
        session("ada", "bar", host=host) as chat,
    ):
        await chat.complete("in the south")
    async with program.host() as host:
        done = await forget_client(host.database, "ada", project="north")
        assert done.sessions == ("shop/ada",)
        assert [run.question for run in await list_runs(host.database)] == ["in the south"]


@pytest.mark.parametrize("client_id", ["", "a/b", "shop/ada"])
async def test_only_a_client_can_be_forgotten(program: Program, client_id: Any) -> None:
    async with program.host() as host:
        with pytest.raises(InvalidIdError):
            await forget_client(host.database, client_id)
