"""What clients say, checked at the door."""

from dataclasses import replace
from typing import Literal

from pydantic import JsonValue
from pydantic_core import to_json

from swarm.errors import DeclarationError
from swarm.messages import Message
from swarm.runtime.tools import output_text

__all__ = ["user_message"]


def user_message(
    content: str, payload: JsonValue, *, mode: Literal["user", "tool"] = "user"
) -> Message:
    """Return what a client, or the program in its place, says as a message.

    Raises:
        DeclarationError: A client says nothing, the content is no text, or the payload not JSON.
    """
    try:
        message = Message(role="user", content=content, payload=payload, mode=mode)
        if not content.isascii():
            message = replace(message, content=output_text(content))
        if payload is not None:
            to_json(payload)
    except ValueError as wrong:  # pydantic's errors are all of this class
        reason = " ".join(str(wrong).split("\n")[1:3]) or str(wrong)
        raise DeclarationError(f"a message is text, and its payload JSON: {reason}") from None
    if mode == "user" and not content.strip():
        raise DeclarationError("a message needs text; this one is empty")
    return message
