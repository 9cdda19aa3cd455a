"""Connections: earlier revisions, hangs, and what is left when a host has closed."""

import asyncio  # noqa: TID251 - to see all tasks of the loop
import sys
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from swarm import add_mcp, session, use_catalog
from swarm.errors import MissingExtraError, TurnInterruptedError
from swarm.mcp.errors import McpUnavailableError
from swarm.testing import call_tool
from tests.swarm.mcp.conftest import Shelves
from tests.swarm.program import Program, output_of

pytestmark = pytest.mark.anyio

LEGACY = Path(__file__).parent / "legacy.py"
HANGS = [sys.executable, "-c", "import sys; sys.stdin.read()"]


async def test_an_earlier_revision_announces_new_tools(program: Program) -> None:
    with use_catalog(program.catalog):
        add_mcp(mcp_name="legacy", command=[sys.executable, str(LEGACY)])
    model = program.agent(steps=[call_tool("grow"), call_tool("grown"), "Fine."], mcp=["legacy"])
    async with program.chat() as chat:
        assert await chat.complete("Go.") == "Fine."
    assert output_of(model.requests[1]) == "grown"
    assert [tool.name for tool in model.requests[1].tools] == ["grow"]
    assert "'grown' of MCP server 'legacy' is new since" in output_of(model.requests[2])


async def test_a_server_that_says_nothing_fails_everybody_once(program: Program) -> None:
    with use_catalog(program.catalog):
        add_mcp(mcp_name="hangs", command=HANGS, timeout=1)
    program.agent(mcp=["hangs"])
    program.swarm()
    failures: list[str] = []
    async with program.host() as host:

        async def talk(client_id: str) -> None:
            async with session(client_id, "shop", host=host) as chat:
                with pytest.raises(McpUnavailableError) as caught:
                    await chat.complete("Go.")
                failures.append(str(caught.value))

        # Ten waits, one after the other, would take longer.
        with anyio.fail_after(9):
            async with anyio.create_task_group() as group:
                for number in range(10):
                    group.start_soon(talk, f"client-{number}")
    assert failures == ["mcp 'hangs': no connection within 1 s"] * 10


async def test_a_host_leaves_no_task_behind(program: Program, shelves: Shelves) -> None:
    before = asyncio.all_tasks()
    program.agent(
        steps=[call_tool("stock", sku="A1"), call_tool("crash"), call_tool("pid"), "Fine."],
        mcp=[shelves.declare(program)],
    )
    async with program.chat() as chat:
        await chat.complete("Go.")
        assert len(asyncio.all_tasks()) > len(before)
    assert asyncio.all_tasks() == before


async def test_a_turn_that_is_cancelled_while_connecting_leaves_nothing(program: Program) -> None:
    before = asyncio.all_tasks()
    with use_catalog(program.catalog):
        add_mcp(mcp_name="hangs", command=HANGS)
    program.agent(mcp=["hangs"])
    async with program.chat() as chat:
        stream = chat.stream("Go.")
        async with anyio.create_task_group() as group:

            async def read() -> None:
                with pytest.raises(TurnInterruptedError):
                    async for _ in stream:
                        raise NotImplementedError

            group.start_soon(read)
            with anyio.fail_after(10):
                while len(asyncio.all_tasks()) < len(before) + 3:
                    await anyio.lowlevel.checkpoint()
            await chat.aclose()
    assert asyncio.all_tasks() == before


async def test_a_missing_library_is_named(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    with use_catalog(program.catalog):
        add_mcp(mcp_name="any", command=HANGS)
    program.agent(mcp=["any"])
    # What is None here counts as not installed.
    monkeypatch.setitem(sys.modules, "mcp", None)
    async with program.chat() as chat:
        with pytest.raises(MissingExtraError, match=r"pip install 'wikiswarm\[mcp\]'"):
            await chat.complete("Go.")
