"""Where events are kept: SQLAlchemy Core over SQLite and PostgreSQL.

One append-only table of events, one of feedback; everything else is derived from them. Opening a
store imports SQLAlchemy, importing this package does not.
"""

from swarm.store.database import Database, open_database
from swarm.store.feedback import Feedback, add_feedback, read_feedback
from swarm.store.forget import Forgotten, forget_client
from swarm.store.journal import SqlJournal
from swarm.store.runs import (
    Run,
    Strategy,
    find_run,
    list_runs,
    read_session,
    session_ids,
    strategy_of,
)

__all__ = [
    "Database",
    "Feedback",
    "Forgotten",
    "Run",
    "SqlJournal",
    "Strategy",
    "add_feedback",
    "find_run",
    "forget_client",
    "list_runs",
    "open_database",
    "read_feedback",
    "read_session",
    "session_ids",
    "strategy_of",
]
