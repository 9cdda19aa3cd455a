"""Turns into items: what a person is shown, and the keys under which it is found again."""

import hashlib
from collections import Counter
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import orjson

from swarm.completion import CompletionRequest
from swarm.inbox.item import NewItem, Payload, ShownMessage
from swarm.messages import Message, ToolCall

if TYPE_CHECKING:
    from swarm.runtime.session import Session
    from swarm.runtime.turn import Turn

__all__ = ["Questions", "approval_item", "same_call"]

_MOST_SHOWN = 20
"""Messages that a person is shown."""

_LONGEST = 4000
"""Characters of a message that a person is shown."""


class Questions:
    """Makes the items of operators; asked the same again, a turn gets the next item."""

    def __init__(self) -> None:
        self._asked: WeakKeyDictionary[Turn, Counter[str]] = WeakKeyDictionary()

    def item(self, turn: "Turn", agent_name: str, request: CompletionRequest) -> NewItem:
        """Return the item of what a turn asks an operator now.

        The key is made of the session, the run and what was said, so a run that is continued
        after a restart finds the reply to what it had asked.
        """
        messages = [m for m in request.messages if m.role != "system"]
        said = [[m.role, m.content] for m in messages]
        digest = _digest(turn.session.id, turn.run_id, agent_name, said)
        asked = self._asked.setdefault(turn, Counter())
        asked[digest] += 1
        key = _digest(digest, asked[digest])
        return _new(key, "question", turn.session, turn.run_id, agent_name, messages)


def approval_item(
    session: "Session", run_id: str, agent_name: str, call: ToolCall, description: str
) -> NewItem:
    """Return the item of a tool call."""
    key = _digest(session.id, run_id, call.id, call.name)
    messages = session.history.messages[-_MOST_SHOWN:]
    return _new(key, "approval", session, run_id, agent_name, messages, call, description)


def same_call(one: ToolCall | None, other: ToolCall | None) -> bool:
    """Whether two calls ask for the same, however their arguments are written."""
    if one is None or other is None or one.name != other.name:
        return False
    try:
        return bool(orjson.loads(one.arguments) == orjson.loads(other.arguments))
    except orjson.JSONDecodeError:
        return one.arguments == other.arguments


def _new(
    key: str,
    kind: str,
    session: "Session",
    run_id: str,
    agent_name: str,
    messages: list[Message],
    call: ToolCall | None = None,
    description: str = "",
) -> NewItem:
    users = [m.content for m in messages if m.role == "user"]
    shown = [m for m in messages[-_MOST_SHOWN:] if m.content]
    view = tuple(
        ShownMessage(role=m.role, content=_cut(m.content), agent_name=m.agent_name) for m in shown
    )
    text = users[-1] if users else ""
    payload = Payload(text=text, view=view, call=call, description=description)
    return NewItem.model_validate(
        {
            "key": key,
            "kind": kind,
            "session_id": session.id,
            "swarm_name": session.plan.spec.swarm_name,
            "client_id": session.client_id,
            "agent_name": agent_name,
            "run_id": run_id,
            "payload": payload,
        }
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n[cut: {len(text)} characters]"


def _digest(*parts: object) -> str:
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()
