"""Journals of conversations in which a wiki answered, written as a session writes them."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from swarm.events import Noted, SessionOpened, TurnEnded, TurnStarted
from swarm.messages import Message
from swarm.store import Database, SqlJournal
from wiki import WikiAnswer

__all__ = ["Turn", "write_turns"]


class Turn(NamedTuple):
    """One question to a wiki."""

    model: str
    rating: int | None = None
    text: str = "A pack costs 4.80 euros."
    question: str = "What does a pack cost?"
    confidence: float | None = None
    is_fallback: bool = False


async def write_turns(
    database: Database,
    turns: Sequence[Turn],
    *,
    client_id: str = "ann",
    wiki_name: str = "pharma",
    project: str | None = None,
) -> list[str]:
    """Write a conversation and return the ids of its runs."""
    journal = SqlJournal(database)
    session_id = f"shop/{client_id}"
    await journal.acquire(session_id)
    opened = SessionOpened(
        swarm_name="shop", client_id=client_id, agent_name="seller", version="1", project=project
    )
    journal.append(session_id, 1, opened)
    runs: list[str] = []
    seq, ticket = 1, 0
    for index, turn in enumerate(turns):
        run_id = f"{client_id}{index:05}"
        answer = WikiAnswer(
            text=turn.text,
            wiki_name=wiki_name,
            model=turn.model,
            confidence=turn.confidence,
            seconds=0.1,
            is_fallback=turn.is_fallback,
        )
        message = Message(role="user", content=turn.question, agent_name="seller")
        noted = {"question": turn.question, **answer.model_dump(mode="json")}
        for event in (
            TurnStarted(run_id=run_id, agent_name="seller", message=message),
            Noted(run_id=run_id, topic="wiki.answer", data=noted),
            TurnEnded(run_id=run_id, agent_name="seller", status="answered", answer=turn.text),
        ):
            seq += 1
            ticket = journal.append(session_id, seq, event)
        runs.append(run_id)
        if index % 500 == 499:
            await journal.flush(session_id, ticket)
    await journal.flush(session_id, ticket)
    await journal.flush(session_id, journal.release(session_id))
    given = [
        {"run_id": run_id, "payload": f'{{"rating": {turn.rating}}}', "at": time.time()}
        for run_id, turn in zip(runs, turns, strict=True)
        if turn.rating is not None
    ]
    if given:
        # As `add_feedback` writes them, all in one transaction.
        insert = sa.insert(database.tables.feedback)
        await database.run(lambda connection: connection.execute(insert, given))
    return runs
