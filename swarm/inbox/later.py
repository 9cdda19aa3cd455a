"""Brings what people decided after a turn to its conversation, each decision once.

What was done stands in the inbox before the conversation hears of it, and what the conversation
heard stands in the journal before the item is settled. Whoever comes after a crash looks into
both, so nothing is lost, and nothing is told or run twice.
"""

import logging

import anyio

from swarm.errors import SwarmError
from swarm.events import Answered, MessageAdded, TurnEnded, TurnStarted
from swarm.inbox.item import InboxItem, InboxStatus
from swarm.inbox.items import Items
from swarm.inbox.operator import OPERATOR
from swarm.inbox.parked import find_parked, run_parked
from swarm.messages import Message
from swarm.runtime.journal import StoredEvent
from swarm.runtime.session import Session

__all__ = ["answer_in_own_turn", "deliver_reply", "run_approved", "tell_outcome", "until_idle"]

_IDLE = 0.02
"""Seconds between two looks whether a turn has ended."""

_log = logging.getLogger("wikiswarm")


async def answer_in_own_turn(session: Session, content: str) -> Answered:
    """Let the active agent answer what a tool says, in a turn of its own."""
    # The one place that asks a session for such a turn.
    return await session.run_tool_turn(content)


async def deliver_reply(session: Session, items: Items, item: InboxItem) -> bool:
    """Bring an operator's reply to the conversation, unless its turn has.

    Returns:
        Whether it is settled; not yet, while the turn that took it is running.
    """
    reply = item.reply
    events = await _recent(session)
    if reply is not None and reply.taken_by is not None:
        if session.turn is not None and session.turn.run_id == reply.taken_by:
            return False
        if _has_answered(events, reply.taken_by):
            await _settle(items, item, "answered", "done")
            return True
    if reply is not None and not _has_message(events, item.id):
        text = reply.text or ""
        message = Message(
            role="assistant",
            content=text,
            agent_name=item.agent_name,
            payload={"inbox_id": item.id},
        )
        session.record(MessageAdded(message=message, model=OPERATOR))
        await session.flush()
        await _push(session, text, item.agent_name)
    await _settle(items, item, "answered", "done")
    return True


async def until_idle(session: Session) -> None:
    """Return once no turn of a session is running."""
    while session.turn is not None:  # noqa: ASYNC110 - a turn tells nobody that it ended
        await anyio.sleep(_IDLE)


async def run_approved(session: Session, items: Items, item: InboxItem) -> InboxItem | None:
    """Run an approved call, once; None when somebody else has taken it."""
    call = item.payload.call
    if call is None:
        return None
    parked = await find_parked(session, item.agent_name, call)
    if isinstance(parked, str):
        return await items.move(item.id, ("approved",), status="expired", reply={"reason": parked})
    begun = await items.move(item.id, ("approved",), status="running", reply={"was_begun": True})
    if begun is None:
        return None
    output: str | None = None
    is_error = True
    try:
        output, is_error = await run_parked(session, parked)
    finally:
        # Cut off in the middle, nobody knows what it did.
        changes = {"output": output, "is_error": is_error}
        status = "unknown" if output is None else "done"
        ended = await items.move(item.id, ("running",), status=status, reply=changes)
    return ended


async def tell_outcome(session: Session, items: Items, item: InboxItem) -> None:
    """Let the agent tell the user what became of a call, unless it has."""
    content = _outcome(item)
    if not _was_told(await _recent(session), item.id):
        try:
            answered = await answer_in_own_turn(session, content)
        except SwarmError as error:
            # The message is in the history all the same, and the next turn sees it.
            _log.warning("session %r: no answer to %s: %s", session.id, item.id, error)
        else:
            await _push(session, answered.text, answered.agent_name)
    if _was_told(await _recent(session), item.id):
        await _settle(items, item, item.status, item.status)


def _outcome(item: InboxItem) -> str:
    reply = item.reply
    reason = (reply.reason if reply else "") or "no reason was given"
    name = f"The call {_cut(item.call_text)} that waited for approval ({item.id})"
    if item.status == "done":
        output = (reply.output if reply else None) or ""
        return f"{name} was approved and ran. Its output: {output}"
    if item.status == "expired":
        return f"{name} was approved, but cannot run any more: {reason}"
    if reply is not None and reply.was_begun:
        return (
            f"{name} was cut off in the middle and may have had an effect. A person says: {reason}"
        )
    return f"{name} was refused by a person and did not run: {reason}"


async def _settle(items: Items, item: InboxItem, old: InboxStatus, new: InboxStatus) -> None:
    await items.move(item.id, (old,), status=new, is_settled=True)


async def _recent(session: Session) -> list[StoredEvent]:
    return await session.journal.read(session.id, last=4 * session.plan.window)


def _has_answered(events: list[StoredEvent], run_id: str) -> bool:
    ends = [row.event for row in events if isinstance(row.event, TurnEnded)]
    return any(end.run_id == run_id and end.status == "answered" for end in ends)


def _has_message(events: list[StoredEvent], item_id: str) -> bool:
    added = [row.event for row in events if isinstance(row.event, MessageAdded)]
    return any(event.message.payload == {"inbox_id": item_id} for event in added)


def _was_told(events: list[StoredEvent], item_id: str) -> bool:
    started = [row.event for row in events if isinstance(row.event, TurnStarted)]
    mark = f"that waited for approval ({item_id})"
    return any(e.message.mode == "tool" and mark in e.message.content for e in started)


async def _push(session: Session, text: str, agent_name: str) -> None:
    if session.connector is None:
        return
    try:
        await session.connector(text, agent_name)
    except Exception:
        _log.exception("the connector of session %r failed", session.id)


def _cut(text: str) -> str:
    return text if len(text) <= 2000 else f"{text[:2000]}…"
