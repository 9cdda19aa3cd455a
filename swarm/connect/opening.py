"""Opens sessions for the verbs of this package, and says which are live."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from swarm.errors import SessionError
from swarm.host import Host
from swarm.runtime.directory import live_sessions
from swarm.runtime.session import Connector, Session, SessionMode
from swarm.runtime.turn import current_turn

__all__ = ["find_sessions", "open_as", "refuse_own_turn", "require_live"]


@asynccontextmanager
async def open_as(
    mode: SessionMode,
    client_id: str,
    swarm_name: str,
    host: Host,
    connector: Connector | None = None,
) -> AsyncGenerator[Session, None]:
    """Open a session that says which verb opened it.

    Raises:
        ValidationError: The declarations have problems.
        SetupError: A model lacks its key or extra.
        SessionError: The same conversation is open already.
    """
    session = await host.open_session(client_id, swarm_name)
    session.mode, session.connector = mode, connector
    async with session:
        yield session


def find_sessions(client_id: str, swarm_name: str) -> list[Session]:
    """Return the live sessions of a client in a swarm: one for each host that has it open."""
    live = live_sessions(client_id)
    return [session for session in live if session.plan.spec.swarm_name == swarm_name]


def require_live(session: Session) -> None:
    """Raise when a session was closed, since others may write to its conversation now.

    Raises:
        SessionError: It was.
    """
    if session not in live_sessions(session.client_id):
        raise SessionError(f"session {session.id!r} was closed")


def refuse_own_turn(session: Session, what: str) -> None:
    """Raise when the code that runs belongs to a turn that it would wait for.

    Raises:
        SessionError: It does; says what it cannot do.
    """
    turn = current_turn.get()
    if turn is not None and turn.session is session and not turn.is_over:
        raise SessionError(f"a tool cannot {what}, which waits for the turn of the tool")
