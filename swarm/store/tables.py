"""The tables of a store, the same ones in every database."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["Tables", "make_tables"]


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables, made once per database."""

    events: "sqlalchemy.Table"
    feedback: "sqlalchemy.Table"
    leases: "sqlalchemy.Table"
    """Who may write to a session, and the fencing token of that right; rows are never deleted."""
    writers: "sqlalchemy.Table"
    """Until when each open journal counts as alive; one row, however many sessions it holds."""
    meta: "sqlalchemy.Table"
    metadata: "sqlalchemy.MetaData"


def make_tables() -> Tables:
    """Return the tables."""
    import sqlalchemy as sa

    metadata = sa.MetaData()
    events = sa.Table(
        "events",
        metadata,
        sa.Column("session_id", sa.String(400), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Index("events_kind_at", "kind", "at"),
    )
    feedback = sa.Table(
        "feedback",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.String(32), nullable=False, index=True),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    leases = sa.Table(
        "leases",
        metadata,
        sa.Column("session_id", sa.String(400), primary_key=True),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
    )
    writers = sa.Table(
        "writers",
        metadata,
        sa.Column("owner", sa.String(200), primary_key=True),
        sa.Column("expires_at", sa.Double, nullable=False),
    )
    meta = sa.Table(
        "meta",
        metadata,
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    return Tables(events, feedback, leases, writers, meta, metadata)
