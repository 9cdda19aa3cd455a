"""What is acknowledged is kept: processes that are killed with SIGKILL, disks that are full."""

import time
from pathlib import Path

import anyio
import pytest

from swarm import Message
from swarm.events import Answered, Event, TurnEnded, TurnStarted
from tests.swarm.program import Program
from tests.swarm.store.children import shop, start, starve, talk

STEPS = [
    f"{label} {count}"
    for label in ("model-first", "tool-start", "tool-end", "model-second", "acknowledged")
    for count in (1, 3)
]
# The first ones open the session; those of a turn follow.
TRANSACTIONS = [f"{label} {count}" for label in ("begin", "commit") for count in range(1, 7)]
MOMENTS = [0.0, 0.002, 0.005, 0.01, 0.03, 0.05]
"""Seconds after the first answer; what they hit is up to the machine."""


def _kill_at(home: Path, store: str | None, step: str, delay: float = 0.0) -> dict[int, str]:
    """Return the answers that a child reported before it was killed."""
    process, pipe = start(talk, str(home), store, step)
    answers: dict[int, str] = {}
    try:
        while pipe.poll(20):
            kind, value = pipe.recv()
            if kind == "stopped":
                break
            number, text = value
            answers[number] = text
            if not step:
                time.sleep(delay)
                break
        else:
            raise AssertionError(f"the child never came to {step!r}")
        process.kill()
        process.join()
        assert process.exitcode == -9
        while pipe.poll(0):
            try:
                kind, value = pipe.recv()
            except EOFError:
                break
            if kind == "answer":
                answers[value[0]] = value[1]
    finally:
        process.kill()
        process.join()
        pipe.close()
    return answers


async def _check(home: Path, store: str | None, answers: dict[int, str]) -> int:
    """Check a journal that a killed process left; returns how many turns were interrupted."""
    seen: list[list[Message]] = []
    program = shop(home)
    program.store = store
    async with program.chat() as chat:
        history = chat.history.messages
        assert await chat.complete("and then?") == "answer: did and then?"
        seen.append(chat.history.view("seller", keep=1000))
    rows = await program.events()
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    events = [row.event for row in rows]
    for number, text in answers.items():
        assert text == f"answer: did question {number}"
        assert [e.answer for e in _ends(events, f"question {number}")] == [text]
    started = [event for event in events if isinstance(event, TurnStarted)]
    ends = [event for event in events if isinstance(event, TurnEnded)]
    assert sorted(e.run_id for e in started) == sorted(e.run_id for e in ends)
    interrupted = [end for end in ends if end.status == "interrupted"]
    assert len(interrupted) <= 1
    # In a history, a turn is whole, or a question and one line.
    lost = {e.message.content for e in started for end in interrupted if e.run_id == end.run_id}
    expected: list[str] = []
    for event in started[:-1]:
        question = event.message.content
        if question in lost:
            expected += ["user", "assistant"]
        else:
            expected += ["user", "assistant", "tool", "assistant"]
    assert [message.role for message in history] == expected
    assert [m.role for m in seen[0]] == [*expected, "user", "assistant", "tool", "assistant"]
    return len(interrupted)


def _ends(events: list[Event], question: str) -> list[TurnEnded]:
    runs = {
        e.run_id for e in events if isinstance(e, TurnStarted) and e.message.content == question
    }
    return [event for event in events if isinstance(event, TurnEnded) and event.run_id in runs]


@pytest.mark.requirement("S0-01")
@pytest.mark.parametrize("step", [*STEPS, *TRANSACTIONS])
def test_a_kill_at_a_named_step_loses_nothing_that_was_acknowledged(
    tmp_path: Path, store: str | None, step: str
) -> None:
    answers = _kill_at(tmp_path / "home", store, step)
    label, count = step.split()
    if label == "acknowledged":
        assert len(answers) == int(count)
    assert list(answers) == list(range(len(answers)))
    interrupted = anyio.run(_check, tmp_path / "home", store, answers)
    if label in ("tool-end", "model-second"):
        assert interrupted == 1, "a tool that ran has left no trace"


@pytest.mark.requirement("kit:persist:killed")
@pytest.mark.parametrize("delay", MOMENTS)
def test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged(
    tmp_path: Path, store: str | None, delay: float
) -> None:
    answers = _kill_at(tmp_path / "home", store, "", delay)
    assert answers
    anyio.run(_check, tmp_path / "home", store, answers)


def test_a_full_disk_is_told_before_the_first_message_and_loses_nothing(tmp_path: Path) -> None:
    process, pipe = start(starve, str(tmp_path / "home"))
    try:
        said: list[str] = []
        while pipe.poll(20):
            try:
                said.append(pipe.recv())
            except EOFError:
                break
    finally:
        process.kill()
        process.join()
    opening, before, starved, again, after = said
    assert opening.startswith("StoreError: the journal ")
    assert opening.endswith("writable, and is there space left?")
    assert before == "answer: did before"
    assert starved.startswith("StoreError: the journal ")
    assert again.startswith("StoreError: the journal ")
    assert after == "answer: did after"

    async def check() -> None:
        program = shop(tmp_path / "home")
        async with program.chat() as chat:
            contents = [m.content for m in chat.history.messages if m.role == "user"]
            assert contents == ["before", "starved", "starved again", "after"]
        rows = await program.events()
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        statuses = [row.event.status for row in rows if isinstance(row.event, TurnEnded)]
        assert statuses == ["answered", "failed", "failed", "answered"]

    anyio.run(check)


@pytest.mark.anyio
async def test_a_stream_shows_no_word_before_its_question_is_kept(program: Program) -> None:
    program.agent(steps=["some words"])
    async with program.chat() as chat:
        async for event in chat.stream("the question"):
            kinds = [row.event.kind for row in await program.events()]
            assert "turn_started" in kinds
            assert "turn_ended" in kinds or not isinstance(event, Answered)
