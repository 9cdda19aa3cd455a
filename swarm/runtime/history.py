"""The recent messages of a conversation, and the view of them that a model gets."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from swarm.events import (
    Event,
    HistoryFlushed,
    HistorySummarized,
    InstructionAdded,
    MessageAdded,
    TurnEnded,
    TurnStarted,
)
from swarm.messages import Message
from swarm.runtime.tokens import estimate_message

__all__ = ["History", "Overflow"]

_MOST_INSTRUCTIONS = 50
"""Committed system and developer messages that are kept, the newest."""


class _Entry(NamedTuple):
    run_id: str | None
    message: Message
    is_question: bool
    """The message that started the turn."""


class Overflow(NamedTuple):
    """Messages that an agent's window no longer holds and that no summary covers."""

    messages: list[Message]
    """What users and agents said, oldest first, without tool traffic."""
    last_run_id: str
    """The newest turn among them."""


class History:
    """A bounded window of a session's messages, derived from its events.

    A turn that did not end with an answer contributes its question and one line that says so;
    its tool traffic is dropped, so no model ever sees half a turn.
    """

    __slots__ = ("_entries", "_instructions", "_keep", "_shown", "_summaries", "_was_cut")

    def __init__(self, *, keep: int) -> None:
        self._keep = keep
        self._entries: deque[_Entry] = deque()
        self._shown = 0
        """How many of the newest entries came after the last flush."""
        self._was_cut = False
        # Most conversations have neither, and an idle session should cost little.
        self._instructions: list[Message] | None = None
        self._summaries: dict[str, HistorySummarized] | None = None

    def apply(self, event: Event) -> None:
        """Take in one event of the journal."""
        if isinstance(event, TurnStarted):
            self._append(_Entry(event.run_id, event.message, is_question=True))
        elif isinstance(event, MessageAdded):
            self._append(_Entry(event.run_id, event.message, is_question=False))
        elif isinstance(event, TurnEnded):
            if event.status != "answered":
                self._drop_half_turn(event)
        elif isinstance(event, InstructionAdded):
            self._instructions = [*(self._instructions or ()), event.message][-_MOST_INSTRUCTIONS:]
        elif isinstance(event, HistoryFlushed):
            self._shown, self._was_cut = 0, True
            self._instructions = self._summaries = None
        elif isinstance(event, HistorySummarized):
            self._summaries = {**(self._summaries or {}), event.agent_name: event}

    @property
    def messages(self) -> list[Message]:
        """The messages of the window, oldest first, those before a flush included."""
        return [entry.message for entry in self._entries]

    def instructions(self, agent_name: str) -> list[Message]:
        """Return the system and developer messages that were committed for an agent."""
        return [m for m in self._instructions or () if m.agent_name in (None, agent_name)]

    def summary(self, agent_name: str) -> str | None:
        """Return the summary of what an agent's window no longer holds."""
        found = (self._summaries or {}).get(agent_name)
        return found.text if found else None

    def last_message(self, role: str) -> Message | None:
        """Return the newest message of a role, such as `assistant`, that has content."""
        if role in ("system", "developer"):
            found = (m for m in reversed(self._instructions or ()) if m.role == role)
            return next(found, None)
        return self._newest(lambda message: message.role == role and bool(message.content))

    def last_user_message(self) -> Message | None:
        """Return the newest message that the user wrote, not one of a tool.

        It may be empty, when a policy took out all of it; an older one is not what was asked.
        """
        return self._newest(lambda message: message.role == "user" and message.mode == "user")

    def view(self, agent_name: str, *, keep: int, tokens: int | None = None) -> list[Message]:
        """Return what an agent's model sees, oldest first.

        Tool calls stand next to their outputs and come whole or not at all, other agents' tool
        traffic is left out, and the user's newest message is always there.

        Args:
            agent_name: The agent.
            keep: About how many messages.
            tokens: About how many tokens; without a limit when absent.
        """
        outputs: dict[str, Message] = {}
        view: list[Message] = []  # the newest first
        has_question, is_cut, spent = False, self._was_cut, 0
        for _, message, _ in self._visible(agent_name):
            if message.role == "tool":
                if message.agent_name == agent_name and message.tool_call_id is not None:
                    outputs[message.tool_call_id] = message
                continue
            if not message.content and not message.tool_calls:
                continue
            if has_question and len(view) >= keep:
                is_cut = True
                break
            shown = [message]
            if message.tool_calls:
                shown = _with_outputs(message, outputs, agent_name)
            if tokens is not None:
                spent += sum(map(estimate_message, shown))
                if has_question and spent > tokens:
                    is_cut = True
                    break
            view += reversed(shown)
            if not has_question:
                has_question = message.role == "user" and message.mode == "user"
        if not has_question and is_cut and (question := self.last_user_message()) is not None:
            # The history was hidden in the middle of a turn; its question must not be.
            view.append(question)
        # A window that was cut starts with something the user said.
        while is_cut and has_question and view[-1].role != "user":
            view.pop()
        view.reverse()
        return view

    def overflow(self, agent_name: str, *, keep: int, tokens: int | None) -> Overflow | None:
        """Return what an agent no longer sees and what no summary holds, or None."""
        view = self.view(agent_name, keep=keep, tokens=tokens)
        seen = {id(message) for message in view}
        left: list[_Entry] = []
        for entry in self._visible(agent_name):
            message = entry.message
            if message.role in ("user", "assistant") and message.content:
                # A copy without some of its calls is another object; its turn is seen all the same.
                if not left and (id(message) in seen or message.tool_calls):
                    continue
                left.append(entry)
        runs = [entry.run_id for entry in left if entry.run_id is not None]
        if not runs:
            return None
        return Overflow([entry.message for entry in reversed(left)], runs[0])

    def _visible(self, agent_name: str) -> Iterator[_Entry]:
        """Yield the entries since the last flush and the agent's summary, the newest first."""
        covered = self._summaries.get(agent_name) if self._summaries else None
        for entry in islice(reversed(self._entries), self._shown):
            if covered is not None and entry.run_id == covered.last_run_id:
                return
            yield entry

    def _newest(self, fits: Callable[[Message], bool]) -> Message | None:
        messages = (entry.message for entry in reversed(self._entries))
        return next((message for message in messages if fits(message)), None)

    def _append(self, entry: _Entry) -> None:
        self._entries.append(entry)
        self._shown += 1
        # A turn longer than the window stays whole: its question must not fall out of it.
        while len(self._entries) > self._keep and (
            entry.run_id is None or self._entries[0].run_id != entry.run_id
        ):
            self._entries.popleft()
            if self._shown > len(self._entries):
                self._shown, self._was_cut = len(self._entries), True

    def _drop_half_turn(self, ended: TurnEnded) -> None:
        hidden = len(self._entries) - self._shown
        kept: list[_Entry] = []
        for place, entry in enumerate(self._entries):
            if entry.run_id != ended.run_id or entry.is_question:
                kept.append(entry)
            elif place < hidden:
                hidden -= 1
        # The code only: a message may name servers, and the model could tell them to the user.
        reason = ended.failure.code.replace("_", " ") if ended.failure else ended.status
        note = Message(
            role="assistant",
            content=f"[This message got no answer: {reason}]",
            agent_name=ended.agent_name,
        )
        self._entries = deque(kept)
        self._shown = len(kept) - hidden
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
