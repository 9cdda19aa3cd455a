"""`fork` and `scope`: sessions and declarations apart from the rest."""

import logging
from pathlib import Path

import anyio
import pytest

from swarm import (
    add_agent,
    add_swarm,
    complete,
    current_catalog,
    fork,
    get_agent_name,
    scope,
    session,
    use_catalog,
)
from swarm.connect import ClientLiveError
from swarm.declare import override_agent
from swarm.errors import (
    InvalidIdError,
    SessionError,
    UnknownNameError,
    ValidationError,
)
from swarm.runtime import find_live
from swarm.runtime.directory import live_sessions
from tests.swarm.connect.clock import echo
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("kit:talk:fork")
async def test_a_fork_has_a_session_of_its_own_and_ends_with_its_function(
    program: Program,
) -> None:
    program.agent(model=echo)
    program.swarm()

    async def run(client_id: str, agent_name: str) -> tuple[str, str, str]:
        forked = find_live(client_id)
        answer = await forked.complete("report")
        return forked.mode, agent_name, answer

    def plain(client_id: str, agent_name: str) -> str:
        return f"{client_id} {agent_name}"

    async with program.host() as host, session("client", "shop", host=host) as chat:
        found = await fork(run, client_id="report-1", swarm_name="shop")
        assert found == ("scope", "seller", "re: report")
        assert await fork(plain, client_id="report-1", swarm_name="shop") == "report-1 seller"
        assert live_sessions("report-1") == []
        assert chat.history.messages == []
        assert await get_agent_name("client") == "seller"


@pytest.mark.requirement("kit:talk:fork-errors")
async def test_an_error_of_a_fork_is_told_and_reaches_the_caller(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    program.agent(model=echo)
    program.swarm()
    told: list[Exception] = []

    def on_error(error: Exception) -> None:
        told.append(error)
        raise ValueError("the observer fails as well")

    async def run(client_id: str, agent_name: str) -> None:
        raise ZeroDivisionError("no")

    async with program.host():
        with pytest.raises(ZeroDivisionError) as caught:
            await fork(run, client_id="f", swarm_name="shop")
        with caplog.at_level(logging.ERROR, "wikiswarm"), pytest.raises(ZeroDivisionError):
            await fork(run, client_id="f", swarm_name="shop", on_error=on_error)
        assert isinstance(caught.value, ZeroDivisionError)
        assert [type(error) for error in told] == [ZeroDivisionError]
        assert "callback 'on_error' of fork failed: ValueError" in caplog.text
        assert live_sessions("f") == []


@pytest.mark.requirement("kit:talk:fork-live")
async def test_a_fork_needs_a_client_of_its_own(program: Program) -> None:
    program.agent(model=echo)
    program.swarm("shop")
    program.swarm("other")

    async def run(client_id: str, agent_name: str) -> None:
        raise NotImplementedError

    async with program.host() as host, session("client", "shop", host=host):
        with pytest.raises(ClientLiveError, match="'client' is live in swarm 'shop'") as caught:
            await fork(run, client_id="client", swarm_name="other")
        assert isinstance(caught.value, SessionError)
        with pytest.raises(InvalidIdError):
            await fork(run, client_id="", swarm_name="shop")


async def test_a_fork_that_is_cancelled_frees_its_client(program: Program) -> None:
    program.agent(model=echo)
    program.swarm()
    began = anyio.Event()

    async def wait(client_id: str, agent_name: str) -> None:
        began.set()
        await anyio.sleep_forever()

    async def run(client_id: str, agent_name: str) -> str:
        return "second"

    async with program.host():
        async with anyio.create_task_group() as group:

            async def forked() -> None:
                await fork(wait, client_id="f", swarm_name="shop")

            group.start_soon(forked)
            await began.wait()
            group.cancel_scope.cancel()
        assert await fork(run, client_id="f", swarm_name="shop") == "second"


@pytest.mark.requirement("kit:talk:scope")
async def test_what_a_scope_declares_and_overrides_stays_inside(program: Program) -> None:
    program.agent(model=echo, placeholder="outer")
    program.swarm()

    async def run() -> str:
        assert current_catalog() is not program.catalog
        add_agent(agent_name="nurse", completion="seller_model")
        add_swarm(swarm_name="clinic", agent_list=["nurse"], default_agent="nurse")
        with override_agent("seller", placeholder="inner"):
            async with session("client", "shop") as chat:
                assert chat.agent.spec.placeholder == "inner"
        return await complete("hi", "client", "clinic")

    with use_catalog(program.catalog):
        async with program.host() as host:
            assert await scope(run) == "re: hi"
            assert program.catalog.swarms.names == ["shop"]
            assert program.catalog.agents.names == ["seller"]
            async with session("client", "shop", host=host) as chat:
                assert chat.agent.spec.placeholder == "outer"
            with pytest.raises(UnknownNameError):
                await complete("hi", "client", "clinic")


async def test_two_scopes_at_once_do_not_see_each_other(program: Program) -> None:
    program.agent(model=echo, placeholder="outer")
    program.swarm()
    both = [anyio.Event(), anyio.Event()]
    seen: dict[int, str] = {}

    async def attempt(number: int) -> None:
        async def run() -> str:
            with override_agent("seller", placeholder=f"scope {number}"):
                both[number].set()
                await both[1 - number].wait()
                async with session(f"client-{number}", "shop") as chat:
                    return chat.agent.spec.placeholder

        seen[number] = await scope(run)

    with use_catalog(program.catalog):
        async with program.host(), anyio.create_task_group() as group:
            group.start_soon(attempt, 0)
            group.start_soon(attempt, 1)
    assert seen == {0: "scope 0", 1: "scope 1"}


async def test_overrides_of_a_scope_replace_fields(program: Program, home: Path) -> None:
    program.agent(model=echo, prompt="kept", placeholder="outer")
    program.swarm()

    def run() -> tuple[object, str]:
        spec = current_catalog().agents.get("seller")
        return spec.prompt, spec.placeholder

    with use_catalog(program.catalog):
        assert await scope(run, agent={"seller": {"placeholder": "inner"}}) == ("kept", "inner")
        assert run() == ("kept", "outer")
        with pytest.raises(UnknownNameError, match="no agent named 'sellre'; did you mean"):
            await scope(run, agent={"sellre": {}})
        with pytest.raises(UnknownNameError, match="no kind named 'agnet'; did you mean 'agent'"):
            await scope(run, agnet={"seller": {}})
        with pytest.raises(ValidationError, match=r"agents\.seller\.plcaeholder: unknown field"):
            await scope(run, agent={"seller": {"plcaeholder": "x"}})
        assert run() == ("kept", "outer")


async def test_an_error_of_a_scope_reaches_the_caller(program: Program) -> None:
    async def run() -> None:
        raise ZeroDivisionError

    before = current_catalog()
    with pytest.raises(ZeroDivisionError):
        await scope(run)
    assert current_catalog() is before
