"""A session replayed: one segment per answered turn, with where it came from.

A segment holds what the answering agent's model saw, its tool calls and outputs included, and
the answer. Which segments become training rows is the business of `finetune.collect`.
"""

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
from finetune.dataset.sample import Provenance
from swarm import Message as Said
from swarm.errors import ProviderTimeoutError, TurnTimeoutError
from swarm.events import (
    AgentConfigured,
    MessageAdded,
    Noted,
    SessionOpened,
    TurnEnded,
    TurnStarted,
)
from swarm.runtime import History, StoredEvent
from swarm.runtime.asking import summary_text
from swarm.store import Feedback, strategy_of

__all__ = ["DropReason", "Segment", "SessionReader"]

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
    provenance: Provenance = Provenance()
    """Everything that the journal knows of the turn."""

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


class SessionReader:
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
        self._project: str | None = None
        self._client_id = session_id.partition("/")[2]
        self._model: str | None = None
        self._speaker: str | None = None
        self.agent_name = ""
        """Of the turn that ended last, like the run's id and its start."""
        self.run_id = ""
        self.started_at = 0.0

    def take(self, row: StoredEvent) -> Segment | DropReason | None:
        """Take in one event; returns something at the end of a turn only."""
        event = row.event
        self._history.apply(event)
        if isinstance(event, SessionOpened):
            self._project, self._client_id = event.project, event.client_id
        elif isinstance(event, TurnStarted):
            self._question, self.started_at = event.message, row.at
            self._model = self._speaker = None
            self._notes, self._has_tool_error = [], False
            self._last_is_offline = self._has_tool = False
        elif isinstance(event, AgentConfigured):
            self._agents[event.agent_name] = event
        elif isinstance(event, MessageAdded):
            is_tool = event.message.role == "tool"
            self._has_tool = self._has_tool or is_tool
            self._has_tool_error = self._has_tool_error or (is_tool and event.is_error)
            self._last_is_offline = event.model == "offline"
            if event.model is not None:
                self._model, self._speaker = event.model, event.message.agent_name
        elif isinstance(event, Noted) and event.topic == "wiki.answer":
            self._notes.append(dict(event.data))
        elif isinstance(event, TurnEnded):
            self.agent_name, self.run_id = event.agent_name, event.run_id
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
            provenance=self._provenance(ended, correct, rating),
        )

    def _provenance(self, ended: TurnEnded, correct: str | None, rating: int | None) -> Provenance:
        configured = self._agents.get(self._speaker or ended.agent_name)
        declared = configured.model if configured is not None else None
        usage = ended.usage
        at = self.started_at
        if correct is not None:
            # It is as new as what the person wrote, whenever the question was asked.
            at = self._feedback[ended.run_id].at
        return Provenance(
            source="journal",
            project=self._project,
            session_id=self._session_id,
            run_id=ended.run_id,
            client_id=self._client_id,
            author=self._client_id,
            agent_name=ended.agent_name,
            model=self._model,
            strategy=strategy_of(self._model, declared),
            status=_status(ended),
            rating=rating,
            is_corrected=True if correct is not None else None,
            at=at,
            seconds=ended.seconds,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost=usage.known_cost,
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
            provenance=self._provenance(ended, correct, rating),
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
        correct = correct if len(asked) == 1 else None
        model = note.get("model")
        provenance = self._provenance(ended, correct, rating)
        # The tokens are those of the turn; what the wiki's model took of them is not known.
        changed = {"model": model if isinstance(model, str) else None, "strategy": None}
        return Segment(
            run_id=ended.run_id,
            session_id=self._session_id,
            agent_name=ended.agent_name,
            context=(UserMessage(content=question),),
            answer=answer,
            correct=correct,
            rating=rating,
            provenance=provenance.model_copy(update=changed),
        )


def _status(ended: TurnEnded) -> Literal["answered", "failed", "timeout", "cancelled"]:
    if ended.status == "answered":
        return "answered"
    if ended.status == "interrupted":
        return "cancelled"
    code = ended.failure.code if ended.failure is not None else ""
    return "timeout" if code in (TurnTimeoutError.code, ProviderTimeoutError.code) else "failed"


def _tools(configured: AgentConfigured | None) -> tuple[ToolDefinition, ...]:
    if configured is None:
        return ()
    return tuple(
        ToolDefinition(function=FunctionDefinition.model_validate(dict(tool)))
        for tool in configured.tools
    )
