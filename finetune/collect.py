"""From captured conversations to training rows: one segment per answered turn.

A segment holds what the answering agent's model saw, its tool calls and outputs included, and
the answer. Feedback decides what becomes of it: a good answer is an example to imitate, a
corrected one a pair of a preferred and a non-preferred output. A wiki's own questions and
answers can be collected in place of the agents' conversations.
"""

from collections import Counter
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from finetune.context import row_context
from finetune.dataset import (
    AssistantMessage,
    DpoInput,
    DpoRow,
    FunctionDefinition,
    Message,
    SftRow,
    SystemMessage,
    ToolDefinition,
    UserMessage,
)
from swarm import Message as Said
from swarm.events import AgentConfigured, MessageAdded, Noted, TurnEnded, TurnStarted
from swarm.runtime import History, StoredEvent
from swarm.runtime.asking import summary_text
from swarm.store import (
    Database,
    Feedback,
    read_feedback,
    read_session,
    session_ids,
)

__all__ = ["Collection", "DropReason", "Segment", "collect"]

DropReason = Literal["no_answer", "placeholder", "tool_error", "offline", "low_rating", "no_wiki"]
"""Why a turn gave no row: it failed, nothing usable was said, a tool call went wrong, the offline
completion found no tool, people disliked it without a correction, or no wiki was asked."""


class Segment(BaseModel):
    """One answered turn, ready to become a row."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    run_id: str
    session_id: str
    agent_name: str
    context: tuple[Message, ...]
    """Everything before the answer, oldest first."""
    answer: str
    correct: str | None = None
    """What a person said the answer should have been."""
    rating: int | None = None
    tools: tuple[ToolDefinition, ...] = ()

    def sft_row(self) -> SftRow:
        """Return the example to imitate: the correction where there is one."""
        answer = AssistantMessage(content=self.correct or self.answer)
        return SftRow(messages=(*self.context, answer), tools=self.tools or None)

    def dpo_row(self) -> DpoRow | None:
        """Return the pair of a corrected answer, or None without a correction."""
        if self.correct is None or self.correct.strip() == self.answer.strip():
            return None
        if not self.answer.strip():
            return None  # the turn had no answer that could be the worse one
        # Weights are for supervised rows; a pair trains its two outputs only.
        context = tuple(
            m.model_copy(update={"weight": None}) if isinstance(m, AssistantMessage) else m
            for m in self.context
        )
        parallel = True if self.tools else None
        return DpoRow(
            input=DpoInput(
                messages=context, tools=self.tools or None, parallel_tool_calls=parallel
            ),
            preferred_output=(AssistantMessage(content=self.correct),),
            non_preferred_output=(AssistantMessage(content=self.answer),),
        )


class Collection(BaseModel):
    """What a journal gave."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    segments: tuple[Segment, ...]
    dropped: dict[DropReason, int]
    """Turns that gave no segment, by reason."""

    @property
    def sft_rows(self) -> list[SftRow]:
        """The supervised rows, in the order of the conversations."""
        return [segment.sft_row() for segment in self.segments]

    @property
    def dpo_rows(self) -> list[DpoRow]:
        """The preference rows: one for each corrected answer."""
        return [row for segment in self.segments if (row := segment.dpo_row()) is not None]


async def collect(
    database: Database,
    *,
    wiki_name: str | None = None,
    agent_name: str | None = None,
    min_rating: int = 3,
    context_messages: int = 20,
) -> Collection:
    """Read the segments of all sessions.

    Args:
        database: The journal's database.
        wiki_name: Collect what this wiki was asked and answered, not what agents said.
        agent_name: Only turns that this agent answered.
        min_rating: Turns rated below it are dropped unless they carry a correction.
        context_messages: Messages before the answer that a segment keeps, roughly.

    Raises:
        StoreError: The journal cannot be read.
    """
    feedback = await read_feedback(database)
    segments: list[Segment] = []
    dropped: Counter[DropReason] = Counter()
    for session_id in await session_ids(database):
        reader = _SessionReader(session_id, feedback, wiki_name, context_messages)
        for row in await read_session(database, session_id):
            found = reader.take(row)
            if found is None or (agent_name not in (None, reader.agent_name)):
                continue
            if isinstance(found, Segment) and found.correct is None:
                too_low = found.rating is not None and found.rating < min_rating
                found = "low_rating" if too_low else found
            if isinstance(found, Segment):
                segments.append(found)
            else:
                dropped[found] += 1
    return Collection(segments=tuple(segments), dropped=dict(sorted(dropped.items())))


class _SessionReader:
    """Replays a session and gives back a segment at the end of each turn."""

    def __init__(
        self,
        session_id: str,
        feedback: dict[str, Feedback],
        wiki_name: str | None,
        context_messages: int,
    ) -> None:
        self._session_id = session_id
        self._feedback = feedback
        self._wiki_name = wiki_name
        self._keep = context_messages
        self._history = History(keep=max(200, 4 * context_messages))
        self._agents: dict[str, AgentConfigured] = {}
        self._notes: list[dict[str, JsonValue]] = []
        self._has_tool_error = False
        self._last_is_offline = False
        self._has_tool = False
        self._question = Said(role="user")
        self.agent_name = ""

    def take(self, row: StoredEvent) -> Segment | DropReason | None:
        """Take in one event; returns something at the end of a turn only."""
        event = row.event
        self._history.apply(event)
        if isinstance(event, TurnStarted):
            self._question = event.message
            self._notes, self._has_tool_error = [], False
            self._last_is_offline = self._has_tool = False
        elif isinstance(event, AgentConfigured):
            self._agents[event.agent_name] = event
        elif isinstance(event, MessageAdded):
            is_tool = event.message.role == "tool"
            self._has_tool = self._has_tool or is_tool
            self._has_tool_error = self._has_tool_error or (is_tool and event.is_error)
            self._last_is_offline = event.model == "offline"
        elif isinstance(event, Noted) and event.topic == "wiki.answer":
            self._notes.append(dict(event.data))
        elif isinstance(event, TurnEnded):
            self.agent_name = event.agent_name
            return self._segment(event)
        return None

    def _segment(self, ended: TurnEnded) -> Segment | DropReason:
        said = self._feedback.get(ended.run_id)
        correct = said.correct if said else None
        rating = said.rating if said else None
        found = self._answered(ended, correct, rating)
        if isinstance(found, Segment) or correct is None or self._wiki_name is not None:
            return found
        # What went wrong most needs the correction; the wrong way there is left out.
        system = self._agents[ended.agent_name].system if ended.agent_name in self._agents else ()
        lines = (SystemMessage(content="\n".join(system)),) if system else ()
        return Segment(
            run_id=ended.run_id,
            session_id=self._session_id,
            agent_name=ended.agent_name,
            context=(*lines, UserMessage(content=self._question.content)),
            answer=ended.answer or "",
            correct=correct,
            rating=rating,
        )

    def _answered(
        self, ended: TurnEnded, correct: str | None, rating: int | None
    ) -> Segment | DropReason:
        if ended.status != "answered" or ended.answer is None:
            return "no_answer"
        if ended.is_placeholder:
            return "placeholder"
        if self._has_tool_error:
            return "tool_error"
        if self._last_is_offline and not self._has_tool:
            return "offline"
        if self._wiki_name is not None:
            return self._wiki_segment(ended, correct, rating)
        view = self._history.view(ended.agent_name, keep=self._keep)
        configured = self._agents.get(ended.agent_name)
        system = [*(configured.system if configured else ())]
        # What was committed for the agent, and what its window had lost: the model saw both.
        system += [message.content for message in self._history.instructions(ended.agent_name)]
        summary = self._history.summary(ended.agent_name)
        system += [summary_text(summary)] if summary is not None else []
        tools = _tools(configured)
        context = row_context(view[:-1], ended.agent_name, system, tools, self._question)
        if context is None:
            return "tool_error"
        return Segment(
            run_id=ended.run_id,
            session_id=self._session_id,
            agent_name=ended.agent_name,
            context=context,
            answer=ended.answer,
            correct=correct,
            rating=rating,
            tools=tools,
        )

    def _wiki_segment(
        self, ended: TurnEnded, correct: str | None, rating: int | None
    ) -> Segment | DropReason:
        asked = [note for note in self._notes if note.get("wiki_name") == self._wiki_name]
        if not asked:
            return "no_wiki"
        # A person corrects the answer of the turn; with several questions nobody knows which.
        note = asked[-1]
        answer, question = str(note.get("text", "")), str(note.get("question", ""))
        if not answer.strip() or not question.strip():
            return "no_answer"
        return Segment(
            run_id=ended.run_id,
            session_id=self._session_id,
            agent_name=ended.agent_name,
            context=(UserMessage(content=question),),
            answer=answer,
            correct=correct if len(asked) == 1 else None,
            rating=rating,
        )


def _tools(configured: AgentConfigured | None) -> tuple[ToolDefinition, ...]:
    if configured is None:
        return ()
    return tuple(
        ToolDefinition(function=FunctionDefinition.model_validate(dict(tool)))
        for tool in configured.tools
    )
