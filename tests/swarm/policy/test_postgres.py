"""The same bans in PostgreSQL, with two hosts that write at the same time."""

import anyio
import pytest

from tests.postgres import PostgresServer
from tests.swarm.policy.conftest import PolicyShop, noting

pytestmark = pytest.mark.anyio


async def test_two_hosts_lose_no_ban_on_postgresql(
    postgres: PostgresServer, shop: PolicyShop
) -> None:
    heard: list[tuple[object, ...]] = []
    shop.program.store = postgres.fresh_url()
    shop.policy(callbacks={"on_ban_client": noting(heard)})
    shop.policy("other")
    clients = [f"kund\u00efn {number}" for number in range(8)]
    async with shop.open() as first, shop.open() as second:
        async with anyio.create_task_group() as group:
            for client_id in clients:
                for host in (first, second):
                    group.start_soon(host.policies.ban, client_id, "shop", "polite")
        assert sorted(str(names[0]) for names in heard) == clients
        guards = [await shop.guard(host) for host in (first, second)]
        for client_id in clients:
            for guard in guards:
                assert (await guard.check_input("hi", client_id)).policy_name == "polite"
        await first.policies.unban(clients[0], "shop", "polite")
        await first.policies.ban(clients[0], "shop", "other")
        assert (await guards[1].check_input("hi", clients[0])).policy_name == "other"
    async with shop.open() as host:
        assert not await host.policies.has_ban(clients[0], "shop", "polite")
        assert await host.policies.has_ban(clients[1], "shop", "polite")
