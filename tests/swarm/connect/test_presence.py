"""Who is online, by sessions and by marks, across the hosts of a store."""

from functools import partial

import anyio
import pytest

from swarm import get_online, is_online, mark_offline, mark_online, session
from swarm.errors import InvalidIdError, SessionError, UnknownNameError
from tests.postgres import PostgresServer
from tests.swarm.connect.clock import echo
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


@pytest.fixture
def shops(program: Program) -> Program:
    """A program with swarms whose names a pattern would mix up."""
    program.agent(model=echo)
    for name in ("shop", "shop2", "s_op"):
        program.swarm(name)
    return program


@pytest.mark.requirement("kit:persist:online")
async def test_a_session_that_is_open_anywhere_is_online(shops: Program) -> None:
    async with shops.host() as host, shops.host() as other:
        assert not await is_online("client", "shop", host=host)
        async with session("client", "shop", host=other):
            assert await is_online("client", "shop", host=host)
            assert not await is_online("client", "shop2", host=host)
            assert not await is_online("clien", "shop", host=host)
            assert await get_online("shop", host=host) == ["client"]
            assert await get_online("s_op", host=host) == []
        assert not await is_online("client", "shop", host=host)
        assert await get_online("shop", host=host) == []


async def test_a_mark_counts_until_it_is_taken_back(shops: Program) -> None:
    async with shops.host() as host, shops.host() as other:
        await mark_online("b", "shop", host=host)
        await mark_online("b", "shop", host=host)
        await mark_online("a", "shop", host=host)
        await mark_online("c", "shop2", host=host)
        assert await get_online("shop", host=other) == ["a", "b"]
        await mark_offline("b", "shop", host=host)
        assert await get_online("shop", host=other) == ["a"]
        async with session("a", "shop", host=other):
            await mark_offline("a", "shop", host=host)
            assert await is_online("a", "shop", host=host)


async def test_each_host_takes_back_its_own_marks_only(shops: Program) -> None:
    async with shops.host() as host, shops.host() as other:
        await mark_online("client", "shop", host=host)
        await mark_online("client", "shop", host=other)
        await mark_offline("client", "shop", host=host)
        assert await is_online("client", "shop", host=host)
        await mark_offline("client", "shop", host=other)
        assert not await is_online("client", "shop", host=host)


async def test_marks_end_with_their_host(shops: Program) -> None:
    async with shops.host() as host:
        async with shops.host() as other:
            await mark_online("client", "shop", host=other)
            assert await is_online("client", "shop", host=host)
        assert not await is_online("client", "shop", host=host)
    async with shops.host():
        assert await get_online("shop") == []


async def test_many_marks_at_once(shops: Program) -> None:
    names = [f"client-{number:02}" for number in range(40)]
    async with shops.host():
        async with anyio.create_task_group() as group:
            for name in names:
                group.start_soon(mark_online, name, "shop")
        assert await get_online("shop") == names


async def test_presence_on_postgresql(postgres: PostgresServer, shops: Program) -> None:
    shops.store = postgres.fresh_url()
    async with shops.host() as host, shops.host() as other:
        async with anyio.create_task_group() as group:
            for used in (host, other):
                for number in range(5):
                    group.start_soon(partial(mark_online, f"client-{number}", "shop", host=used))
        await mark_offline("client-0", "shop", host=host)
        async with session("client-9", "shop", host=other):
            expected = [f"client-{number}" for number in (0, 1, 2, 3, 4, 9)]
            assert await get_online("shop", host=host) == expected
        assert await get_online("s_op", host=host) == []


async def test_names_are_checked(shops: Program) -> None:
    with pytest.raises(SessionError, match="no host is open"):
        await get_online("shop")
    async with shops.host():
        with pytest.raises(UnknownNameError, match="did you mean 'shop'"):
            await get_online("shpo")
        with pytest.raises(UnknownNameError):
            await mark_online("client", "nowhere")
        for verb in (mark_online, mark_offline, is_online):
            with pytest.raises(InvalidIdError):
                await verb("a/b", "shop")
