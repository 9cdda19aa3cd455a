"""Messages that join a conversation without being answered."""

from typing import NamedTuple

from pydantic import JsonValue
from pydantic import ValidationError as PydanticError

from swarm.connect.opening import require_live
from swarm.errors import DeclarationError
from swarm.events import MessageAdded
from swarm.messages import Message
from swarm.runtime.session import Session
from swarm.runtime.tools import output_text

__all__ = ["Said", "check_said", "commit_said"]


class Said(NamedTuple):
    """What a client said."""

    content: str
    payload: JsonValue = None


def check_said(content: str, payload: JsonValue) -> Said:
    """Return a message, if it is one.

    Raises:
        DeclarationError: The content is no text, or the payload is not JSON.
    """
    try:
        Message(role="user", content=content, payload=payload).model_dump_json()
    except (PydanticError, ValueError):
        raise DeclarationError("a message is text, and its payload JSON") from None
    return Said(content, payload)


async def commit_said(session: Session, said: Said) -> None:
    """Keep what a client said in the history; the next answer knows it.

    Raises:
        SessionError: The session is closed.
        StoreError: The journal failed.
    """
    require_live(session)
    message = Message(
        role="user",
        content=output_text(said.content),
        payload=said.payload,
        agent_name=session.agent_name,
    )
    session.record(MessageAdded(message=message))
    await session.flush()
