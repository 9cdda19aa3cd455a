"""Where events are kept: SQLAlchemy Core over SQLite and PostgreSQL.

One append-only table of events, one of feedback; everything else is derived from them. Opening a
store imports SQLAlchemy, importing this package does not.
"""

from swarm.store.database import Database, open_database
from swarm.store.feedback import Feedback, add_feedback, read_feedback
from swarm.store.journal import SqlJournal
from swarm.store.runs import Run, find_run, list_runs, read_session, session_ids

__all__ = [
    "Database",
    "Feedback",
    "Run",
    "SqlJournal",
    "add_feedback",
    "find_run",
    "list_runs",
    "open_database",
    "read_feedback",
    "read_session",
    "session_ids",
]
