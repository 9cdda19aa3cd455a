"""What joins a conversation without being answered: messages, and the line that hides old ones."""

from typing import TYPE_CHECKING

from pydantic import JsonValue

from swarm.events import HistoryFlushed, InstructionAdded, MessageAdded
from swarm.messages import Message
from swarm.runtime.said import judge_message, user_message
from swarm.runtime.turns import turn_of

if TYPE_CHECKING:
    from swarm.runtime.session import Session

__all__ = ["add_message", "hide_history", "keep_message"]


async def add_message(session: "Session", message: Message) -> None:
    """Put a message into the history: that of the running turn, or beside the turns.

    Raises:
        SessionError: The turn of the calling code is over.
        StoreError: It could not be stored.
    """
    turn = turn_of(session)
    run_id = turn.run_id if turn else None
    is_instruction = message.role in ("system", "developer")
    kind = InstructionAdded if is_instruction else MessageAdded
    session.record(kind(run_id=run_id, message=message))
    if turn is None:
        await session.flush()
    if session.told is not None:
        await session.told.committed(message)


async def keep_message(session: "Session", content: str, payload: JsonValue) -> bool:
    """Put what the client says into the history, as policies let it in; no agent answers it.

    Returns:
        Whether it was kept; not when a policy refuses it.

    Raises:
        CallbackError: A function of a policy failed.
        StoreError: It could not be stored.
    """
    message = user_message(content, payload)
    if session.plan.guard is not None:
        message, refusal = await judge_message(session, message)
        if refusal is not None:
            return False
    await add_message(session, message)
    return True


async def hide_history(session: "Session") -> None:
    """Hide what was said before from models.

    Raises:
        SessionError: The turn of the calling code is over.
        StoreError: It could not be stored.
    """
    turn = turn_of(session)
    run_id = turn.run_id if turn else None
    session.record(HistoryFlushed(run_id=run_id, agent_name=session.agent_name))
    if turn is None:
        await session.flush()
    if session.told is not None:
        await session.told.flushed()
