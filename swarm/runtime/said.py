"""What clients say, checked at the door, and judged by the policies."""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import anyio
from pydantic import JsonValue
from pydantic_core import to_json

from swarm.errors import DeclarationError, TurnTimeoutError
from swarm.events import Answered
from swarm.messages import Message, Usage
from swarm.runtime.guard import Verdict
from swarm.runtime.tools import output_text

if TYPE_CHECKING:
    from swarm.runtime.session import Session

__all__ = ["judge_message", "user_message"]


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


async def judge_message(session: "Session", message: Message) -> tuple[Message, Answered | None]:
    """Return a message as the policies let it in, or the answer in their name.

    Raises:
        TurnTimeoutError: The policies gave no verdict in time.
        CallbackError: A function of a policy failed.
        StoreError: The refusal could not be stored.
    """
    guard, limit = session.plan.guard, session.plan.spec.turn_timeout
    verdict: Verdict | None = None
    with anyio.move_on_after(limit):
        if guard is not None:
            verdict = await guard.check_input(message.content, session.client_id)
    if verdict is None:
        text = f"the policies gave no verdict within {limit:g} s"
        raise TurnTimeoutError(text, **session.names)
    is_valid = verdict.policy_name is None
    if session.told is not None:
        session.told.judged("input", message.content, verdict.text, is_valid=is_valid)
    if is_valid:
        return replace(message, content=verdict.text), None
    # What was refused is kept nowhere.
    session.note("policy.refused", {"policy_name": verdict.policy_name, "direction": "input"})
    await session.flush()
    return message, Answered(verdict.text, session.agent_name, "", Usage())
