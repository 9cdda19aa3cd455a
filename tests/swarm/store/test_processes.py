"""Several processes on one conversation: one order, whoever is killed or stopped."""

import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from swarm import Host, session
from swarm.events import TurnEnded, TurnStarted
from tests.swarm.store.children import doze, shop, start, take_turns

_TURNS = 5


@pytest.mark.requirement("kit:concurrency:two-processes")
@pytest.mark.requirement("S0-01")
def test_processes_that_take_turns_on_one_session_keep_one_order(
    tmp_path: Path, store: str | None
) -> None:
    """kit:session:one-writer."""
    home = tmp_path / "home"
    names = ("red", "green", "blue")
    children = [start(take_turns, str(home), store, name, _TURNS) for name in names]
    answered: dict[str, str] = {}
    for process, pipe in children:
        for _ in range(_TURNS):
            assert pipe.poll(30), "a process waits for ever"
            name, number, answer = pipe.recv()
            answered[f"{name} {number}"] = answer
        process.join()
        assert process.exitcode == 0

    async def check() -> None:
        program = shop(home)
        program.store = store
        rows = await program.events()
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        asked = [row.event.message.content for row in rows if isinstance(row.event, TurnStarted)]
        ended = [row.event for row in rows if isinstance(row.event, TurnEnded)]
        assert len(asked) == len(ended) == 2 * len(names) * _TURNS
        assert {end.status for end in ended} == {"answered"}
        for first, second in zip(asked[::2], asked[1::2], strict=True):
            assert second == f"{first} again", "another process came in between"
            assert answered[first] == f"answer: did {first}"
        for name in names:
            own = [text for text in asked if text.startswith(name) and "again" not in text]
            assert own == [f"{name} {number}" for number in range(_TURNS)]

    anyio.run(check)


@pytest.mark.requirement("S0-01")
def test_a_process_that_is_stopped_loses_its_session_and_writes_nothing_when_it_wakes_up(
    tmp_path: Path, store: str | None
) -> None:
    """kit:session:fencing."""
    home = tmp_path / "home"
    process, pipe = start(doze, str(home), store, 0.5)
    assert process.pid is not None
    try:
        assert pipe.poll(20)
        assert pipe.recv() == "answer: did before"
        os.kill(process.pid, signal.SIGSTOP)
        program = shop(home)

        async def take_over() -> None:
            async with (
                Host(
                    catalog=program.catalog, home=home, store=store, environment={}, lease_wait=20
                ) as host,
                session("client", "shop", host=host) as chat,
            ):
                assert [m.content for m in chat.history.messages if m.role == "user"] == ["before"]
                assert await chat.complete("mine") == "answer: did mine"
                assert process.pid is not None
                os.kill(process.pid, signal.SIGCONT)
                (tmp_path / "go").touch()
                said = [await anyio.to_thread.run_sync(_receive, pipe) for _ in range(3)]
                assert said[0].startswith(
                    "refused: another process writes to session 'shop/client'"
                )
                assert said[1:] == ["answer: did beside", "closed"]
                assert await chat.complete("still mine") == "answer: did still mine"

        anyio.run(take_over)
    finally:
        process.kill()
        process.join()

    async def check() -> None:
        program.store = store
        rows = await program.events()
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        asked = [row.event.message.content for row in rows if isinstance(row.event, TurnStarted)]
        assert asked == ["before", "mine", "still mine"]

    anyio.run(check)


def test_the_session_of_a_process_that_was_killed_is_free_at_once(
    tmp_path: Path, store: str | None
) -> None:
    home = tmp_path / "home"
    process, pipe = start(doze, str(home), store, 600.0)
    assert pipe.poll(20)
    assert pipe.recv() == "answer: did before"
    process.kill()
    process.join()
    program = shop(home)
    program.store = store

    async def resume() -> None:
        async with program.chat() as chat:
            assert await chat.complete("after") == "answer: did after"

    anyio.run(resume)


def _receive(pipe: Connection) -> str:
    assert pipe.poll(20), "the process that woke up says nothing"
    return pipe.recv()
