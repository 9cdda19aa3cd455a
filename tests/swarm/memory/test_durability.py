"""What is acknowledged is kept, and a change is there as a whole or not at all."""

import time
from pathlib import Path

import anyio
import pytest

from swarm import State, Storage, session
from tests.swarm.memory.children import NAMES, change, shop
from tests.swarm.store.children import start


@pytest.mark.requirement("kit:persist:memory")
@pytest.mark.parametrize("delay", [0.0, 0.003, 0.01, 0.03, 0.06])
def test_a_killed_process_loses_nothing_that_was_acknowledged(tmp_path: Path, delay: float) -> None:
    """kit:state:persist, kit:storage:persist."""
    home = tmp_path / "home"
    acknowledged = {"state": 0, "items": 0}
    process, pipe = start(change, str(home))
    try:
        while not acknowledged["items"]:
            assert pipe.poll(20)
            kind, number = pipe.recv()
            acknowledged[kind] = number
        time.sleep(delay)
        process.kill()
        process.join()
        assert process.exitcode == -9
        while pipe.poll(0):
            try:
                kind, number = pipe.recv()
            except EOFError:
                break
            acknowledged[kind] = number
    finally:
        process.kill()
        process.join()
        pipe.close()

    async def check() -> None:
        async with shop(home).host() as host, session("client", "shop", host=host):
            count = await State.get("count", **NAMES)
            items = await Storage.list("counted", **NAMES)
            assert count in (acknowledged["state"], acknowledged["state"] + 1)
            batches = len(items) // 3
            assert batches in (acknowledged["items"], acknowledged["items"] + 1)
            expected = [f"{n}-{part}" for n in range(1, batches + 1) for part in range(3)]
            assert [item["id"] for item in items] == expected
            assert await State.set("count", lambda old: old + 1, **NAMES) == count + 1

    anyio.run(check)
