"""Runs: what the journal says about each turn, for lists and reports."""

from dataclasses import dataclass

from swarm.errors import DataError
from swarm.events import Failure, TurnEnded, TurnStarted, TurnStatus
from swarm.messages import Usage
from swarm.runtime.journal import StoredEvent
from swarm.store.database import Database
from swarm.store.journal import decode_row

__all__ = ["Run", "find_run", "list_runs", "read_session", "session_ids"]


@dataclass(frozen=True, slots=True)
class Run:
    """One turn from question to answer."""

    run_id: str
    session_id: str
    swarm_name: str
    client_id: str
    agent_name: str
    status: TurnStatus | None
    """None while it runs, or when its process died and nobody resumed the session."""
    question: str
    answer: str | None
    failure: Failure | None
    started_at: float
    """Seconds since the epoch."""
    seconds: float
    usage: Usage
    is_placeholder: bool


async def list_runs(
    database: Database,
    *,
    agent_name: str | None = None,
    status: TurnStatus | None = None,
    limit: int = 100,
) -> list[Run]:
    """Return runs, the newest first.

    Args:
        database: The journal's database.
        agent_name: Only runs that this agent answered.
        status: Only runs that ended so.
        limit: At most so many.

    Raises:
        StoreError: The journal cannot be read.
    """
    import sqlalchemy as sa

    events = database.tables.events
    query = (
        sa.select(events)
        .where(events.c.kind.in_(("turn_started", "turn_ended")))
        .order_by(events.c.at.desc(), events.c.session_id, events.c.seq.desc())
    )
    ended: dict[str, TurnEnded] = {}
    runs: list[Run] = []
    rows = await database.run(lambda connection: connection.execute(query).all())
    for row in rows:
        if len(runs) >= limit:
            break
        event = decode_row(row.kind, row.payload)
        if isinstance(event, TurnEnded):
            ended[event.run_id] = event
        elif isinstance(event, TurnStarted):
            run = _run(row.session_id, row.at, event, ended.pop(event.run_id, None))
            if agent_name not in (None, run.agent_name) or status not in (None, run.status):
                continue
            runs.append(run)
    return runs


async def find_run(database: Database, run_id: str) -> tuple[Run, list[StoredEvent]]:
    """Return a run by its id, or by the beginning of it, with its events.

    Raises:
        DataError: No run, or several, begin so.
        StoreError: The journal cannot be read.
    """
    known = await list_runs(database, limit=1_000_000)
    found = [run for run in known if run_id and run.run_id.startswith(run_id)]
    if len(found) != 1:
        problem = "no run begins" if not found else f"{len(found)} runs begin"
        raise DataError(f"{problem} with {run_id!r}; see: wikiswarm runs list")
    events = await read_session(database, found[0].session_id)
    own = [row for row in events if getattr(row.event, "run_id", None) == found[0].run_id]
    return found[0], own


async def session_ids(database: Database) -> list[str]:
    """Return the ids of all sessions, in the order they began.

    Raises:
        StoreError: The journal cannot be read.
    """
    import sqlalchemy as sa

    events = database.tables.events
    query = (
        sa.select(events.c.session_id)
        .where(events.c.seq == 1)
        .order_by(events.c.at, events.c.session_id)
    )
    rows = await database.run(lambda connection: connection.execute(query).all())
    return [row.session_id for row in rows]


async def read_session(database: Database, session_id: str) -> list[StoredEvent]:
    """Return all events of a session, oldest first.

    Raises:
        StoreError: The journal cannot be read.
    """
    import sqlalchemy as sa

    events = database.tables.events
    query = sa.select(events).where(events.c.session_id == session_id).order_by(events.c.seq)
    rows = await database.run(lambda connection: connection.execute(query).all())
    return [
        StoredEvent(session_id, row.seq, row.at, decode_row(row.kind, row.payload)) for row in rows
    ]


def _run(session_id: str, at: float, started: TurnStarted, ended: TurnEnded | None) -> Run:
    swarm_name, _, client_id = session_id.partition("/")
    return Run(
        run_id=started.run_id,
        session_id=session_id,
        swarm_name=swarm_name,
        client_id=client_id,
        agent_name=ended.agent_name if ended else started.agent_name,
        status=ended.status if ended else None,
        question=started.message.content,
        answer=ended.answer if ended else None,
        failure=ended.failure if ended else None,
        started_at=at,
        seconds=ended.seconds if ended else 0.0,
        usage=ended.usage if ended else Usage(),
        is_placeholder=ended.is_placeholder if ended else False,
    )
