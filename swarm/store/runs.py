"""Runs: what the journal says about each turn, for lists and reports."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from swarm.errors import DataError
from swarm.events import (
    AgentConfigured,
    Failure,
    MessageAdded,
    SessionOpened,
    TurnEnded,
    TurnStarted,
    TurnStatus,
)
from swarm.messages import Usage
from swarm.runtime.journal import StoredEvent
from swarm.store.database import Database
from swarm.store.journal import decode_row
from swarm.store.run_query import RunParts, json_field, runs_query

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["Run", "Strategy", "find_run", "list_runs", "read_session", "session_ids", "strategy_of"]

Strategy = Literal["declared", "fallback", "offline"]
"""How the model that answered was chosen: the agent's own, one that stepped in, or no model."""

_TOGETHER = 500
"""Sessions that one query names; databases limit the parameters of a statement."""


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
    project: str | None = None
    """The tenant that it belongs to."""
    model: str | None = None
    """The reference of the model that spoke last; None when no model did."""
    strategy: Strategy | None = None
    """How that model was chosen; None when no model spoke."""
    rating: int | None = None
    """What people gave it, from 1 to 5."""


async def list_runs(
    database: Database,
    *,
    agent_name: str | None = None,
    status: TurnStatus | Literal["completed"] | None = None,
    since: float | None = None,
    min_rating: int | None = None,
    project: str | Sequence[str] | None = None,
    limit: int = 100,
) -> list[Run]:
    """Return runs, the newest first; the database itself filters them.

    Args:
        database: The journal's database.
        agent_name: Only runs that this agent answered.
        status: Only runs that ended so; `completed` means `answered`.
        since: Only runs that started then or later, in seconds since the epoch.
        min_rating: Only runs that people rated at least so.
        project: Only runs of this project, or of these; `""` stands for no project.
        limit: At most so many.

    Raises:
        StoreError: The journal cannot be read.
    """
    wanted = "answered" if status == "completed" else status

    def narrow(query: Any, parts: "RunParts") -> Any:
        if agent_name is not None:
            query = query.where(parts.agent == agent_name)
        if wanted is not None:
            query = query.where(parts.of_end("status") == wanted)
        if since is not None:
            query = query.where(parts.started.c.at >= since)
        if min_rating is not None:
            query = query.where(parts.rating >= min_rating)
        if project is not None:
            query = query.where(parts.project.in_(_names(project)))
        return query.limit(limit)

    return await _find(database, narrow)


async def find_run(
    database: Database, run_id: str, *, project: str | Sequence[str] | None = None
) -> tuple[Run, list[StoredEvent]]:
    """Return a run by its id, or by the beginning of it, with its events.

    Args:
        database: The journal's database.
        run_id: The id, or its beginning.
        project: Only a run of this project, or of these; see `list_runs`.

    Raises:
        DataError: No run, or several, begin so.
        StoreError: The journal cannot be read.
    """

    def narrow(query: Any, parts: "RunParts") -> Any:
        query = query.where(parts.run_id.startswith(run_id, autoescape=True))
        if project is not None:
            query = query.where(parts.project.in_(_names(project)))
        return query

    # Ids are letters and digits; anything else is no id, and some of it no text for a database.
    is_id = run_id.isascii() and run_id.isalnum()
    found = await _find(database, narrow) if is_id else []
    if len(found) != 1:
        problem = "no run begins" if not found else f"{len(found)} runs begin"
        raise DataError(f"{problem} with {run_id!r}; see: wikiswarm runs list")
    events = await read_session(database, found[0].session_id)
    own = [row for row in events if getattr(row.event, "run_id", None) == found[0].run_id]
    return found[0], own


async def session_ids(
    database: Database, *, project: str | Sequence[str] | None = None
) -> list[str]:
    """Return the ids of all sessions, in the order they began.

    Args:
        database: The journal's database.
        project: Only sessions of this project, or of these; see `list_runs`.

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
    if project is not None:
        field = json_field(database)
        named = sa.func.coalesce(field(events.c.payload, "project"), "")
        query = query.where(named.in_(_names(project)))
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


def _names(project: str | Sequence[str]) -> list[str]:
    return [project] if isinstance(project, str) else list(project)


async def _find(database: Database, narrow: Callable[[Any, RunParts], Any]) -> list[Run]:
    import sqlalchemy as sa

    query = narrow(*runs_query(database))
    configured = database.tables.events

    def read(connection: "sqlalchemy.Connection") -> tuple[Any, list[Any]]:
        rows = connection.execute(query).all()
        ids = sorted({row.session_id for row in rows})
        agents: list[Any] = []
        for first in range(0, len(ids), _TOGETHER):
            some = sa.select(configured).where(
                configured.c.session_id.in_(ids[first : first + _TOGETHER]),
                configured.c.kind == "agent_configured",
            )
            agents += connection.execute(some.order_by(configured.c.seq)).all()
        return rows, agents

    rows, agents = await database.run(read)
    known: defaultdict[str, list[tuple[int, AgentConfigured]]] = defaultdict(list)
    for row in agents:
        event = decode_row(row.kind, row.payload)
        if isinstance(event, AgentConfigured):
            known[row.session_id].append((row.seq, event))
    return [_run(row, known[row.session_id]) for row in rows]


def _run(row: Any, agents: Sequence[tuple[int, AgentConfigured]]) -> Run:
    started = decode_row("turn_started", row.started)
    ended = None if row.ended is None else decode_row("turn_ended", row.ended)
    said = None if row.said is None else decode_row("message_added", row.said)
    opened = None if row.opened is None else decode_row(row.opened_kind, row.opened)
    assert isinstance(started, TurnStarted)
    assert ended is None or isinstance(ended, TurnEnded)
    model = said.model if isinstance(said, MessageAdded) else None
    speaker = said.message.agent_name if isinstance(said, MessageAdded) else None
    # What the agent was at that time: it is written down before its model is asked.
    until = row.seq if row.ended_seq is None else row.ended_seq
    declared = [e.model for seq, e in agents if e.agent_name == speaker and seq <= until]
    swarm_name, _, client_id = row.session_id.partition("/")
    return Run(
        run_id=started.run_id,
        session_id=row.session_id,
        swarm_name=swarm_name,
        client_id=client_id,
        agent_name=ended.agent_name if ended else started.agent_name,
        status=ended.status if ended else None,
        question=started.message.content,
        answer=ended.answer if ended else None,
        failure=ended.failure if ended else None,
        started_at=row.at,
        seconds=ended.seconds if ended else 0.0,
        usage=ended.usage if ended else Usage(),
        is_placeholder=ended.is_placeholder if ended else False,
        project=opened.project if isinstance(opened, SessionOpened) else None,
        model=model,
        strategy=strategy_of(model, declared[-1] if declared else None),
        rating=row.rating,
    )


def strategy_of(model: str | None, declared: str | None) -> Strategy | None:
    """Return how a model was chosen, by what the agent declared and what answered."""
    if model is None:
        return None
    if model == "offline":
        return "offline"
    return "declared" if declared in (None, model) else "fallback"
