"""What policies cost a turn: at most one read of the database, and nothing without them."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
import sqlalchemy.event

from swarm import Host, session
from tests.swarm.policy.conftest import PolicyShop, giving

pytestmark = pytest.mark.anyio


@contextmanager
def statements(host: Host) -> Generator[list[str]]:
    """Collect what is sent to a host's database."""
    seen: list[str] = []

    def see(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    sqlalchemy.event.listen(host.database.engine, "before_cursor_execute", see)
    yield seen
    sqlalchemy.event.remove(host.database.engine, "before_cursor_execute", see)


async def test_a_check_reads_once_however_many_policies_there_are(shop: PolicyShop) -> None:
    for number in range(8):
        shop.policy(f"policy-{number}", deny=["gun"], redact=["email"])
    shop.policy("fleeting", persist=False)
    async with shop.open() as host:
        guard = await shop.guard(host)
        await guard.check_input("hi", "anna")  # makes the table
        with statements(host) as seen:
            await guard.check_input("hi", "anna")
            await guard.check_output("hi", "anna")
    assert len(seen) == 1
    assert seen[0].startswith("SELECT policy_bans.policy_name")


async def test_policies_without_kept_bans_read_nothing(shop: PolicyShop) -> None:
    shop.policy("fleeting", persist=False)
    shop.policy("own", get_banned_clients=giving([]))
    async with shop.open() as host:
        guard = await shop.guard(host)
        with statements(host) as seen:
            await guard.check_input("hi", "anna")
    assert seen == []


async def test_a_swarm_without_policies_never_touches_bans(shop: PolicyShop) -> None:
    shop.program.agent(steps=["hello"])
    async with shop.open() as host:
        with statements(host) as seen:
            async with session("anna", "shop", host=host) as chat:
                await chat.complete("hi")
        assert not [statement for statement in seen if "policy_bans" in statement]
        tables = await host.database.run(lambda c: sa.inspect(c).get_table_names())
        assert "policy_bans" not in tables
