"""Hosts: what sessions share, where the state and the keys come from, opening and closing."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from swarm import (
    CompletionRequest,
    CompletionSpec,
    Host,
    ToolContext,
    add_agent,
    add_completion,
    add_policy,
    add_swarm,
    current_catalog,
    current_host,
    get_online,
    is_online,
    mark_online,
    run_sync,
    session,
    use_catalog,
)
from swarm.environment import read_environment
from swarm.errors import DeclarationError, SessionError, SetupError, StoreError, ValidationError
from swarm.host import default_home
from swarm.testing import call_tool
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


async def test_a_session_without_a_host_brings_one(program: Program, home: Path) -> None:
    program.agent(steps=["ok", "inner"])
    program.swarm()
    with use_catalog(program.catalog):
        assert current_host() is None
        async with session("client", "shop") as chat:
            host = current_host()
            assert host is not None
            assert host.home == home
            assert await chat.complete("hi") == "ok"
            async with session("other", "shop") as inner:
                assert current_host() is host
                assert await inner.complete("hi") == "inner"
        assert current_host() is None
    assert (home / "journal.sqlite3").is_file()


async def test_a_tool_finds_the_host_of_its_turn_also_where_none_is_open_around_the_session(
    program: Program, tmp_path: Path
) -> None:
    """As in a server, which opens its host in one task and answers in others."""
    found: list[Host | None] = []

    async def look(context: ToolContext) -> str:
        found.append(current_host())
        async with Host(catalog=program.catalog, home=tmp_path / "own") as own:
            assert current_host() is own
            async with session("other", "shop") as inner:
                assert inner.journal is own.journal
        found.append(current_host())
        assert not await is_online("nobody", "shop")
        async with session("third", "shop") as inner:
            found.append(current_host())
            assert await inner.complete("hi") == "inner"
        return "seen"

    program.agent(steps=[call_tool("look"), "inner", "ok"], tools=[look])
    program.swarm()
    is_open, may_close = anyio.Event(), anyio.Event()
    hosts: list[Host] = []

    async def serve() -> None:
        async with program.host() as host:
            hosts.append(host)
            is_open.set()
            await may_close.wait()

    async with anyio.create_task_group() as group:
        group.start_soon(serve)
        await is_open.wait()
        assert current_host() is None
        async with session("client", "shop", host=hosts[0]) as chat:
            assert await chat.complete("hi") == "ok"
        may_close.set()
    assert found == [hosts[0]] * 3


async def test_many_sessions_without_a_host_at_once(program: Program, home: Path) -> None:
    program.agent(model=_ok)
    program.swarm()

    async def converse(number: int) -> None:
        async with session(f"client-{number}", "shop") as chat:
            assert await chat.complete("hi") == "ok"

    with use_catalog(program.catalog):
        async with anyio.create_task_group() as group:
            for number in range(12):
                group.start_soon(converse, number)
    program.home = home
    assert len(await program.runs()) == 12


@pytest.mark.requirement("S4-20")
async def test_a_completion_is_opened_once_for_all_its_agents(program: Program) -> None:
    program.agent("one", model=_ok)
    with use_catalog(program.catalog):
        add_agent(agent_name="two", completion="one_model")
    program.swarm()
    async with (
        program.host() as host,
        session("a", "shop", host=host) as first,
        session("b", "shop", host=host) as second,
    ):
        assert first.plan is second.plan
        agents = first.plan.agents
        assert agents["one"].completion is agents["two"].completion


async def test_a_shared_resource_is_started_once_and_stopped_with_the_host(
    program: Program,
) -> None:
    log: list[str] = []

    async def start() -> tuple[str, Callable[[], Awaitable[None]]]:
        await anyio.lowlevel.checkpoint()
        log.append("start")

        async def stop() -> None:
            log.append("stop")

        return "resource", stop

    async with program.host() as host:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(host.shared, "key", start)
        assert await host.shared("key", start) == "resource"
        assert log == ["start"]
    assert log == ["start", "stop"]


@pytest.mark.requirement("kit:register:checked-when-opened")
async def test_problems_of_the_declarations_come_before_any_session(program: Program) -> None:
    with use_catalog(program.catalog):
        add_agent(agent_name="seller", completion="missing")
        add_swarm(swarm_name="shop", agent_list=["seller"], default_agent="seller")
    with pytest.raises(ValidationError) as caught:
        async with program.chat():
            raise NotImplementedError
    assert [problem.where for problem in caught.value.problems] == ["agents.seller.completion"]


async def test_a_host_that_is_not_open(program: Program) -> None:
    host = program.host()
    with pytest.raises(SessionError, match="the host is not open"):
        await host.open_session("client", "shop")
    with pytest.raises(SessionError, match="the host is not open"):
        _ = host.database


async def test_a_host_may_be_closed_in_another_task(program: Program) -> None:
    host = program.host()

    async def enter() -> None:
        await host.__aenter__()

    async with anyio.create_task_group() as group:
        group.start_soon(enter)
    await host.__aexit__(None, None, None)
    with pytest.raises(SessionError):
        _ = host.database


async def test_a_home_that_cannot_be_is_told_before_the_first_message(
    program: Program, tmp_path: Path
) -> None:
    program.agent(steps=["unused"])
    program.home = tmp_path / "file"
    program.home.write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match="choose another with --home or WIKISWARM_HOME"):
        async with program.chat():
            raise NotImplementedError


async def test_every_reference_is_resolved_in_a_plan(program: Program) -> None:
    spec = CompletionSpec(completion_name="m", model="offline", fallback=["offline"])
    async with program.host() as host:
        completion = await host.completion(spec)
        assert await host.completion(spec) is completion
        assert completion.model == "offline"


def test_the_home_is_a_folder_beside_or_the_one_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("WIKISWARM_HOME", raising=False)
    assert default_home() == Path(".wikiswarm")
    monkeypatch.setenv("WIKISWARM_HOME", "")
    assert default_home() == Path(".wikiswarm")
    monkeypatch.setenv("WIKISWARM_HOME", str(tmp_path))
    assert default_home() == tmp_path


@pytest.mark.requirement("S4-21", "S1-01")
def test_keys_come_from_the_environment_or_a_file_beside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = [
        "# a comment",
        "OPENAI_API_KEY=from-file",
        "export COHERE_API_KEY = 'quoted'",
        'WITH_EQUALS="a=b"',
        "WITH_NOTE=value # not part of it",
        "no line",
        "",
    ]
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8-sig")
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    monkeypatch.setenv("COHERE_API_KEY", "")
    found = read_environment(tmp_path)
    assert found["OPENAI_API_KEY"] == "from-environment"
    assert found["COHERE_API_KEY"] == "quoted"
    assert found["WITH_EQUALS"] == "a=b"
    assert found["WITH_NOTE"] == "value"
    assert read_environment(tmp_path / "nowhere") == dict(os.environ)
    (tmp_path / ".env").write_bytes(b"KEY=\xff\xfe")
    with pytest.raises(SetupError, match="it is not UTF-8"):
        read_environment(tmp_path)


def test_a_program_that_is_not_async(program: Program) -> None:
    program.agent(steps=["ok"])
    program.swarm()

    async def main(text: str) -> str:
        async with program.host() as host, session("client", "shop", host=host) as chat:
            return await chat.complete(text)

    assert run_sync(main, "hi") == "ok"


def test_what_was_called_already_is_told() -> None:
    async def main() -> None: ...

    called: Any = main()
    with pytest.raises(DeclarationError, match=r"itself: run_sync\(main\), not main\(\)$"):
        run_sync(called)


async def test_the_catalog_of_a_host_is_the_current_one_by_default(program: Program) -> None:
    with use_catalog(program.catalog):
        add_completion(completion_name="m", get_completion=_answer)
        host = Host(home=program.home)
    assert host.catalog is program.catalog
    assert current_catalog() is not program.catalog


async def test_a_host_that_was_closed_can_be_opened_again(program: Program) -> None:
    with use_catalog(program.catalog):
        add_policy(policy_name="polite", deny=["gun"])
    program.agent(steps=["one", "two"])
    program.swarm(policies=["polite"])
    host = program.host()
    for answer in ("one", "two"):
        async with host, session("client", "shop", host=host) as chat:
            assert await chat.complete("hi") == answer
            await mark_online("other", "shop", host=host)
            assert await get_online("shop", host=host) == ["client", "other"]


def _ok(request: CompletionRequest) -> str:
    return "ok"


async def _answer(request: CompletionRequest) -> str:
    raise NotImplementedError
