"""Messages that join a conversation without being answered."""

from typing import NamedTuple

from pydantic import JsonValue

from swarm.connect.opening import require_live
from swarm.runtime.additions import keep_message
from swarm.runtime.said import user_message
from swarm.runtime.session import Session

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
    user_message(content, payload)
    return Said(content, payload)


async def commit_said(session: Session, said: Said) -> None:
    """Keep what a client said in the history; the next answer knows it.

    What a policy refuses is not kept.

    Raises:
        SessionError: The session is closed.
        StoreError: The journal failed.
    """
    require_live(session)
    await keep_message(session, said.content, said.payload)
