"""The recent messages of a conversation, and the view of them that a model gets."""

from collections import deque
from dataclasses import replace
from typing import NamedTuple

from swarm.events import Event, MessageAdded, TurnEnded, TurnStarted
from swarm.messages import Message

__all__ = ["History"]


class _Entry(NamedTuple):
    run_id: str | None
    message: Message
    is_question: bool
    """The user's message that started the turn."""


class History:
    """A bounded window of a session's messages, derived from its events.

    A turn that did not end with an answer contributes its question and one line that says so;
    its tool traffic is dropped, so no model ever sees half a turn.
    """

    def __init__(self, *, keep: int) -> None:
        self._keep = keep
        self._entries: deque[_Entry] = deque()
        self._was_cut = False

    def apply(self, event: Event) -> None:
        """Take in one event of the journal."""
        if isinstance(event, TurnStarted):
            self._append(_Entry(event.run_id, event.message, is_question=True))
        elif isinstance(event, MessageAdded):
            self._append(_Entry(event.run_id, event.message, is_question=False))
        elif isinstance(event, TurnEnded) and event.status != "answered":
            self._drop_half_turn(event)

    @property
    def messages(self) -> list[Message]:
        """The messages of the window, oldest first."""
        return [entry.message for entry in self._entries]

    def last_user_message(self) -> Message | None:
        """Return the newest message that the user wrote, not one of a tool."""
        for entry in reversed(self._entries):
            if entry.message.role == "user" and entry.message.mode == "user":
                return entry.message
        return None

    def view(self, agent_name: str, *, keep: int) -> list[Message]:
        """Return what an agent's model sees: at most about `keep` messages, oldest first.

        Tool calls stand next to their outputs and come whole or not at all, other agents' tool
        traffic is left out, and the user's newest message is always there.
        """
        outputs: dict[str, Message] = {}
        view: list[Message] = []  # the newest first
        has_question, is_cut = False, self._was_cut
        for _, message, _ in reversed(self._entries):
            if message.role == "tool":
                if message.agent_name == agent_name and message.tool_call_id is not None:
                    outputs[message.tool_call_id] = message
                continue
            if not message.content and not message.tool_calls:
                continue
            if has_question and len(view) >= keep:
                is_cut = True
                break
            if message.tool_calls:
                view += reversed(_with_outputs(message, outputs, agent_name))
            else:
                view.append(message)
                has_question = has_question or (message.role == "user" and message.mode == "user")
        # A window that was cut starts with something the user said.
        while is_cut and has_question and view[-1].role != "user":
            view.pop()
        view.reverse()
        return view

    def _append(self, entry: _Entry) -> None:
        self._entries.append(entry)
        # A turn longer than the window stays whole: its question must not fall out of it.
        while len(self._entries) > self._keep and self._entries[0].run_id != entry.run_id:
            self._entries.popleft()
            self._was_cut = True

    def _drop_half_turn(self, ended: TurnEnded) -> None:
        kept = [e for e in self._entries if e.run_id != ended.run_id or e.is_question]
        # The code only: a message may name servers, and the model could tell them to the user.
        reason = ended.failure.code.replace("_", " ") if ended.failure else ended.status
        note = Message(
            role="assistant",
            content=f"[This message got no answer: {reason}]",
            agent_name=ended.agent_name,
        )
        self._entries = deque(kept)
        self._append(_Entry(ended.run_id, note, is_question=False))


def _with_outputs(message: Message, outputs: dict[str, Message], agent_name: str) -> list[Message]:
    """Return a message that calls tools with the outputs that belong to it, or nothing."""
    calls = message.tool_calls
    found = [outputs[call.id] for call in calls if call.id in outputs]
    if message.agent_name != agent_name or not found:
        return [replace(message, tool_calls=())] if message.content else []
    if len(found) < len(calls):
        answered = tuple(call for call in calls if call.id in outputs)
        message = replace(message, tool_calls=answered)
    return [message, *found]
