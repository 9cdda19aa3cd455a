"""Which turn a verb means: the one whose code is calling, or the one that runs."""

from contextvars import ContextVar
from typing import TYPE_CHECKING

from swarm.errors import SessionError

if TYPE_CHECKING:
    from swarm.runtime.session import Session
    from swarm.runtime.turn import Turn

__all__ = ["current_turn", "running_turn", "turn_of"]

current_turn: ContextVar["Turn | None"] = ContextVar("wikiswarm_turn", default=None)
"""The turn whose code is running."""


def turn_of(session: "Session") -> "Turn | None":
    """Return the turn that calling code belongs to or may change; None when none is running.

    Raises:
        SessionError: The code belongs to a turn that is over.
    """
    turn = current_turn.get()
    if turn is not None and turn.session is session:
        if turn.is_over:
            raise SessionError(f"the turn {turn.run_id} of this code is over")
        return turn
    turn = session.turn
    return None if turn is None or turn.is_over else turn


def running_turn(session: "Session", verb: str) -> "Turn":
    """Return the turn that a verb needs.

    Raises:
        SessionError: No turn is running.
    """
    turn = current_turn.get()
    if turn is None or turn.session is not session:
        turn = session.turn
    if turn is None or turn.is_over:
        raise SessionError(f"{verb}: no turn of client {session.client_id!r} is running")
    return turn
