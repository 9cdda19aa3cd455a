"""The end of a turn: its answer, or why there is none, stored before anybody is told."""

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from swarm.errors import SessionError, StoreError, SwarmError
from swarm.events import Answered, Failure, TurnEnded, TurnStatus

if TYPE_CHECKING:
    from swarm.runtime.turn import Turn

__all__ = ["end_answered", "end_cancelled", "end_failed", "end_interrupted"]


async def end_answered(turn: "Turn", text: str) -> Answered:
    """End a turn with its answer, and return that once it is durable.

    Raises:
        StoreError: The answer could not be stored, so nobody gets it; the turn is not over.
    """
    session = turn.session
    before = session.total
    _end(turn, "answered", answer=text)
    try:
        await session.flush()
    except StoreError:
        # Nobody gets this answer, so the turn must not pass for answered later on.
        if session.withdraw():
            turn.is_over, session.total = False, before
        raise
    if session.told is not None:
        # Nobody may wait for ever for an observer of an answer that was given.
        with anyio.move_on_after(session.plan.spec.turn_timeout):
            await session.told.answered(turn.message, text)
    return Answered(text, session.agent_name, turn.run_id, turn.usage)


async def end_cancelled(turn: "Turn") -> Answered:
    """End a turn whose output was cancelled; the answer is empty.

    Raises:
        StoreError: It could not be stored.
    """
    _end(turn, "interrupted", Failure(code="cancelled", message="the output was cancelled"))
    await turn.session.flush()
    return Answered("", turn.session.agent_name, turn.run_id, turn.usage)


async def end_failed(turn: "Turn", error: SwarmError) -> None:
    """End a turn that an error has ended; that error matters more than one of storing it."""
    _end(turn, "failed", Failure(code=error.code, message=str(error)))
    if not isinstance(error, StoreError):
        await _flush_quietly(turn)


async def end_interrupted(turn: "Turn", error: BaseException) -> None:
    """End a turn whose caller is gone; the journal must not be left with half of it."""
    is_cancelled = isinstance(error, anyio.get_cancelled_exc_class())
    reason = "cancelled" if is_cancelled else type(error).__name__
    # A session that closed without waiting any longer is no writer: who opens it next writes
    # this end.
    with suppress(SessionError):
        _end(turn, "interrupted", Failure(code="turn_interrupted", message=reason))
    with anyio.move_on_after(5, shield=True):
        await _flush_quietly(turn)


async def _flush_quietly(turn: "Turn") -> None:
    with suppress(SwarmError):
        await turn.session.flush()


def _end(
    turn: "Turn", status: TurnStatus, failure: Failure | None = None, answer: str | None = None
) -> None:
    if turn.is_over:
        return
    turn.is_over = True
    session = turn.session
    session.total += turn.usage
    told = session.told if failure is not None else None
    before = session.history.messages if told is not None else []
    session.record(
        TurnEnded(
            run_id=turn.run_id,
            agent_name=session.agent_name,
            status=status,
            answer=answer,
            failure=failure,
            usage=turn.usage,
            total=session.total,
            seconds=round(time.monotonic() - turn.started, 6),
            is_placeholder=turn.is_placeholder,
        )
    )
    if told is not None and failure is not None:
        left = {id(message) for message in session.history.messages}
        told.popped([message for message in before if id(message) not in left])
        told.failed(turn.message, failure.code)
