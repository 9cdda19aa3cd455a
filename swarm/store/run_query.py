"""The query of runs: each turn's start beside its end, what its model said, and its rating.

Everything stands in the events' JSON, which both databases can look into.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from swarm.store.database import Database

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["RunParts", "json_field", "runs_query"]


class RunParts(NamedTuple):
    """What a query of runs can be narrowed by."""

    started: "sqlalchemy.FromClause"
    run_id: Any
    agent: Any
    of_end: Callable[[str], Any]
    rating: Any
    project: Any


def runs_query(database: Database) -> tuple[Any, RunParts]:
    """Return the query of all runs, the newest first, and its parts."""
    import sqlalchemy as sa

    events, feedback, field = (
        database.tables.events,
        database.tables.feedback,
        json_field(database),
    )
    started, ended, opened = events.alias("started"), events.alias("ended"), events.alias("opened")
    later, spoken = events.alias("later"), events.alias("spoken")
    # A session's turns come one after the other, so the next end is the end of this one.
    next_end = (
        sa.select(later.c.seq)
        .where(
            later.c.session_id == started.c.session_id,
            later.c.kind == "turn_ended",
            later.c.seq > started.c.seq,
        )
        .order_by(later.c.seq)
        .limit(1)
        .scalar_subquery()
    )
    said = (
        sa.select(spoken.c.payload)
        .where(
            spoken.c.session_id == started.c.session_id,
            spoken.c.kind == "message_added",
            spoken.c.seq > started.c.seq,
            sa.or_(ended.c.seq.is_(None), spoken.c.seq < ended.c.seq),
            field(spoken.c.payload, "model").is_not(None),
        )
        .order_by(spoken.c.seq.desc())
        .limit(1)
        .correlate(started, ended)
        .scalar_subquery()
    )
    run_id = field(started.c.payload, "run_id")
    given = field(feedback.c.payload, "rating")
    rating = (
        sa.select(sa.cast(given, sa.Integer))
        .where(feedback.c.run_id == run_id, given.is_not(None))
        .order_by(feedback.c.id.desc())
        .limit(1)
        .correlate(started)
        .scalar_subquery()
    )
    query = (
        sa.select(
            started.c.session_id,
            started.c.seq,
            started.c.at,
            started.c.payload.label("started"),
            ended.c.seq.label("ended_seq"),
            ended.c.payload.label("ended"),
            opened.c.kind.label("opened_kind"),
            opened.c.payload.label("opened"),
            said.label("said"),
            rating.label("rating"),
        )
        .select_from(started)
        .outerjoin(
            ended, sa.and_(ended.c.session_id == started.c.session_id, ended.c.seq == next_end)
        )
        .outerjoin(opened, sa.and_(opened.c.session_id == started.c.session_id, opened.c.seq == 1))
        .where(started.c.kind == "turn_started")
        .order_by(started.c.at.desc(), started.c.session_id, started.c.seq.desc())
    )

    def of_end(name: str) -> Any:
        return field(ended.c.payload, name)

    agent = sa.func.coalesce(of_end("agent_name"), field(started.c.payload, "agent_name"))
    project = sa.func.coalesce(field(opened.c.payload, "project"), "")
    return query, RunParts(started, run_id, agent, of_end, rating, project)


def json_field(database: Database) -> Callable[[Any, str], Any]:
    """Return what takes a key out of a column of JSON, as text, in the database's own words."""
    import sqlalchemy as sa
    from sqlalchemy.dialects.postgresql import JSONB

    if database.engine.dialect.name == "sqlite":
        return lambda column, name: sa.func.json_extract(column, f"$.{name}", type_=sa.Text)
    return lambda column, name: sa.cast(column, JSONB)[name].astext
