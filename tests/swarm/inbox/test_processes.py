"""What people are asked survives the process that asked."""

from pathlib import Path

import pytest

from swarm import session
from tests.swarm.inbox.children import approve, ask, office, paid, park
from tests.swarm.inbox.conftest import Elsewhere, wait_for_item
from tests.swarm.program import Program
from tests.swarm.store.children import start

pytestmark = pytest.mark.anyio


async def test_a_question_survives_a_killed_process(
    program: Program, store: str | None, elsewhere: Elsewhere
) -> None:
    program.store = store
    process, pipe = start(ask, str(program.home), store)
    try:
        assert pipe.poll(20)
        assert pipe.recv() == "asks"
        async with elsewhere() as inbox:
            item = await wait_for_item(inbox, status="waiting")
            process.kill()
            process.join()
            assert process.exitcode == -9
            await inbox.reply(item.id, "Here I am.")
    finally:
        process.kill()
        process.join()
    program = office(program.home, store)
    for _ in range(2):
        async with program.chat(swarm_name="desk") as chat:
            assert [message.content for message in chat.history.messages] == [
                "Help?",
                "[This message got no answer: turn interrupted]",
                "Here I am.",
            ]


async def test_a_parked_call_survives_a_killed_process(
    program: Program, store: str | None, elsewhere: Elsewhere
) -> None:
    program.store = store
    home = program.home
    process, pipe = start(park, str(home), store)
    try:
        assert pipe.poll(20)
        assert "waits for a person's approval" in pipe.recv()
    finally:
        process.kill()
        process.join()
    async with elsewhere() as inbox:
        (item,) = await inbox.list()
        assert (item.status, item.call_text) == ("waiting", 'pay({"euros":5})')
    child, pipe = start(approve, str(home), store)
    assert pipe.poll(20)
    assert pipe.recv() == item.id
    child.join()
    async with elsewhere() as inbox:
        now = await inbox.show(item.id)
        assert (now.status, now.decided_by) == ("approved", "child")
    assert paid(home) == []


async def test_a_session_that_never_asked_does_not_run_the_calls_of_others(
    program: Program, elsewhere: Elsewhere
) -> None:
    """Only the conversation that asked hears of a decision."""
    shop: Program = office(program.home)
    async with shop.host() as host:
        async with session("anna", "shop", host=host) as anna:
            await anna.complete("Pay!")
        async with elsewhere() as inbox:
            (item,) = await inbox.list()
            await inbox.approve(item.id)
        async with session("bert", "shop", host=host) as bert:
            assert bert.history.messages == []
    assert paid(Path(program.home)) == []
