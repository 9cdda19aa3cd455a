"""A ban that was acknowledged is kept, also when the process is killed."""

import time
from pathlib import Path

import anyio
import pytest

from swarm import Policy
from tests.swarm.policy.children import ban_everybody, shop
from tests.swarm.store.children import start


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.03])
def test_a_killed_process_loses_no_ban_that_was_acknowledged(tmp_path: Path, delay: float) -> None:
    home, acknowledged = tmp_path / "home", list[str]()
    process, pipe = start(ban_everybody, str(home))
    try:
        assert pipe.poll(20)
        time.sleep(delay)
        process.kill()
        process.join()
        assert process.exitcode == -9
        while pipe.poll(0):
            try:
                acknowledged.append(pipe.recv())
            except EOFError:
                break
    finally:
        process.kill()
        process.join()
        pipe.close()
    assert acknowledged

    async def check() -> None:
        async with shop(home).host():
            for client_id in acknowledged:
                names = {"swarm_name": "shop", "policy_name": "polite"}
                assert await Policy.has_ban(client_id=client_id, **names)

    anyio.run(check)
