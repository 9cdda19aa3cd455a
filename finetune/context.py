"""What a model saw before it answered, as the messages of a training row.

Which turns become rows, and what they are worth, is the business of `finetune.collect`.
"""

import json
from collections.abc import Sequence

from finetune.dataset import (
    CODES,
    AssistantMessage,
    FunctionCall,
    Message,
    SystemMessage,
    ToolCall,
    ToolDefinition,
    ToolMessage,
    UserMessage,
)
from finetune.dataset.tool_rules import call_findings
from swarm import Message as Said
from swarm import ToolCall as SaidCall

__all__ = ["row_context"]


def row_context(
    view: Sequence[Said],
    agent_name: str,
    system: Sequence[str],
    tools: Sequence[ToolDefinition],
    question: Said,
) -> tuple[Message, ...] | None:
    """Return the messages before an answer, or None when a call of its turn fits no tool.

    Only what the agent did in the turn itself is to be trained: what was said before, by others,
    or was replaced by a later answer has weight 0. Of earlier turns, calls that fit no tool which
    the row declares are left out: the agent may have had other tools then, or made a mistake.

    Args:
        view: What the model saw, without its answer.
        agent_name: The agent that answered.
        system: Its prompt and system lines.
        tools: What it was offered.
        question: The message that the turn answers, a user's or the program's.
    """
    reader = _Reader(agent_name, tools)
    questions = [i for i, m in enumerate(view) if m.role == "user" and m == question]
    turn_start = questions[-1] if questions else 0
    for index, message in enumerate(view):
        if message.role == "user":
            reader.rows.append(UserMessage(content=message.content))
        elif message.role == "tool":
            reader.add_output(message)
        elif message.role == "assistant" and not reader.add_assistant(
            message, is_earlier=index < turn_start
        ):
            return None
    rows = reader.rows
    # Replaced by the answer, which comes where it stood.
    while rows and isinstance(rows[-1], AssistantMessage):
        rows.pop()
    return (*([SystemMessage(content="\n".join(system))] if system else []), *rows)


class _Reader:
    """Renders messages one after the other."""

    def __init__(self, agent_name: str, tools: Sequence[ToolDefinition]) -> None:
        self.rows: list[Message] = []
        self._agent_name = agent_name
        self._tools = tools
        self._taken: set[str] = set()
        self._open: dict[str, str] = {}
        """The row's id of each call that waits for its output."""

    def add_output(self, message: Said) -> None:
        call_id = self._open.pop(message.tool_call_id or "", None)
        if call_id is not None:
            self.rows.append(ToolMessage(tool_call_id=call_id, content=message.content))

    def add_assistant(self, message: Said, *, is_earlier: bool) -> bool:
        """Add what an agent said and called; returns False for a call that spoils its turn."""
        calls: list[ToolCall] = []
        self._open.clear()
        for said in message.tool_calls:
            call = self._call(said)
            if call is not None:
                calls.append(call)
                self._open[said.id] = call.id
            elif not is_earlier:
                return False
        if calls or message.content:
            is_trained = bool(calls) and not is_earlier and message.agent_name == self._agent_name
            self.rows.append(
                AssistantMessage(
                    content=message.content or None,
                    tool_calls=tuple(calls) or None,
                    weight=None if is_trained else 0,
                )
            )
        return True

    def _call(self, said: SaidCall) -> ToolCall | None:
        function = FunctionCall(name=said.name, arguments=_arguments(said.arguments))
        call = ToolCall(id=said.id, type="function", function=function)
        found = call_findings(call, (), self._tools)
        if any(CODES[finding.code].severity == "error" for finding in found):
            return None
        # Some servers count the calls of each answer from the start.
        number = 1
        while call.id in self._taken:
            number += 1
            call = call.model_copy(update={"id": f"{said.id}_{number}"})
        self._taken.add(call.id)
        return call


def _arguments(text: str) -> str:
    """Return arguments as one JSON object, where a model left them out or encoded them twice."""
    try:
        value: object = json.loads(text or "{}")
        if isinstance(value, str):
            return value
    except json.JSONDecodeError:
        return text
    return "{}" if value is None else text or "{}"
