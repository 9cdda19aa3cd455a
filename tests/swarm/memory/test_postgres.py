"""The same tables in PostgreSQL, with two hosts that write at the same time."""

from typing import Any

import anyio
import pytest

from swarm.memory.owner import EVERYBODY, Owner
from tests.postgres import PostgresServer
from tests.swarm.memory.conftest import Declare, Open
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio
ANNA = Owner("shop", "anna")


async def test_two_hosts_lose_nothing_on_postgresql(
    postgres: PostgresServer, program: Program, declare: Declare, opened: Open
) -> None:
    program.store = postgres.fresh_url()
    declare(state_name="count", default=0, shared=True)
    declare(state_name="note", default={"a": 1})
    declare(storage_name="goods", default=[{"id": 1, "text": "aspirin"}], shared=True)
    declare(embedding_name="own", create=_embed)
    declare(storage_name="own_goods", embedding="own")

    def add_one(old: int) -> int:
        return old + 1

    async def work(host: Any, number: int) -> None:
        await host.memory.states.set("count", add_one, ANNA)
        await host.memory.storages.upsert("goods", {"id": f"item {number}"}, ANNA)

    async with opened() as first, opened() as second:
        async with anyio.create_task_group() as group:
            for number in range(12):
                group.start_soon(work, (first, second)[number % 2], number)
        await first.memory.storages.upsert("own_goods", {"id": "\x7e", "text": "\x00 ü"}, ANNA)
        await first.memory.states.set("note", "\x00\ud800", ANNA)
    async with opened() as host:
        states, storages = host.memory.states, host.memory.storages
        assert await states.get("count", EVERYBODY) == 12
        assert await states.get("note", ANNA) == "\x00\ud800"
        assert len(await storages.list("goods", EVERYBODY)) == 13
        found = await storages.take("own_goods", "ü", 1, None, ANNA)
        assert [item["id"] for item in found] == ["~"]
        await states.clear("note", ANNA)
        assert await states.get("note", ANNA) == {"a": 1}
        assert await storages.create_numeric_index("goods", ANNA) == 2


def _embed(texts: list[str]) -> list[list[float]]:
    return [[float(len(text)), 1.0] for text in texts]
