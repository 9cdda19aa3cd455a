"""Which sessions are live in this process, so that verbs find theirs by client id."""

from typing import TYPE_CHECKING

from swarm.bus import Bus
from swarm.errors import SessionError
from swarm.runtime.turns import current_turn

if TYPE_CHECKING:
    from swarm.runtime.session import Session

__all__ = ["add_live", "find_live", "is_live", "live_buses", "live_sessions", "remove_live"]

_live: dict[str, list["Session"]] = {}


def add_live(session: "Session") -> None:
    """Register a session.

    Raises:
        SessionError: The same conversation is live already.
    """
    others = _live.setdefault(session.client_id, [])
    # Another host has a journal of its own, so the same names are another conversation there.
    if any(other.id == session.id and other.journal is session.journal for other in others):
        raise SessionError(f"client {session.client_id!r} has session {session.id!r} open already")
    others.append(session)
    session.plan.catalog.bus.add_client(session.client_id)


def remove_live(session: "Session") -> None:
    """Forget a session."""
    known = _live.get(session.client_id, [])
    others = [other for other in known if other is not session]
    if len(others) < len(known):
        session.plan.catalog.bus.remove_client(session.client_id)
    if others:
        _live[session.client_id] = others
    else:
        _live.pop(session.client_id, None)


def is_live(client_id: str) -> bool:
    """Return whether a client has a live session in this process."""
    return client_id in _live


def find_live(client_id: str) -> "Session":
    """Return the session that a verb means: the one whose turn is running, or the only one.

    Raises:
        SessionError: The client has no live session, or several in different swarms.
    """
    turn = current_turn.get()
    if turn is not None and turn.session.client_id == client_id:
        return turn.session
    sessions = _live.get(client_id, [])
    if len(sessions) == 1:
        return sessions[0]
    if not sessions:
        raise SessionError(f"client {client_id!r} has no live session")
    swarms = ", ".join(session.plan.spec.swarm_name for session in sessions)
    raise SessionError(f"client {client_id!r} is live in several swarms: {swarms}")


def live_buses(client_id: str) -> set[Bus]:
    """Return the buses of a client's live sessions; those of one catalog share one."""
    return {session.plan.catalog.bus for session in _live.get(client_id, ())}


def live_sessions(client_id: str) -> list["Session"]:
    """Return the live sessions of a client, in all swarms and hosts of this process."""
    return list(_live.get(client_id, ()))
