"""Conversations as plain turns of text, for formats that hold nothing else.

Everything that a plain turn cannot say is a loss with its place. No format is known here.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from finetune.dataset.formats.loss import Loss, RowRefusedError
from finetune.dataset.json_text import JsonPath
from finetune.dataset.rows import (
    AssistantMessage,
    DpoInput,
    ImagePart,
    Message,
    OutputMessage,
    SftRow,
    TextPart,
    ToolMessage,
)

__all__ = ["Exchange", "Role", "Turn", "exchanges", "plain_turns", "tool_losses"]

Role = Literal["system", "user", "assistant"]
"""Who speaks in a plain turn."""


class Turn(NamedTuple):
    """One message of text."""

    role: Role
    text: str
    path: JsonPath


class Exchange(NamedTuple):
    """A question and its answer."""

    question: str
    answer: str


def tool_losses(row: SftRow | DpoInput) -> list[Loss]:
    """Return what is lost with the row's declarations of tools."""
    if not row.tools:
        return []
    return [Loss("tools_lost", f"{len(row.tools)} declared tools", ("tools",))]


def plain_turns(
    messages: Sequence[Message | OutputMessage], path: JsonPath, losses: list[Loss]
) -> list[Turn]:
    """Return the messages as turns of text, without calls and tool messages.

    Args:
        messages: The conversation or an output.
        path: Where it is in the row.
        losses: Gets everything that the turns do not say.

    Raises:
        RowRefusedError: The last message of the assistant is a call, so the answer is missing.
    """
    turns: list[Turn] = []
    answer_at = max(
        (at for at, m in enumerate(messages) if isinstance(m, AssistantMessage)), default=-1
    )
    for at, message in enumerate(messages):
        here = (*path, at)
        if isinstance(message, ToolMessage):
            losses.append(Loss("tool_result_lost", "what a tool answered", here))
            continue
        text = _text(message, here, losses)
        if isinstance(message, AssistantMessage):
            losses.extend(
                Loss("tool_call_lost", f"a call of {call.function.name!r}", here)
                for call in message.tool_calls or ()
            )
            if message.tool_calls and not text:
                if at == answer_at:
                    reason = "the last answer is a tool call, which the format cannot hold"
                    raise RowRefusedError.of("not_expressible", reason, here)
                continue
            if message.weight == 0:
                reason = "the format has no weights; the message will be trained"
                losses.append(Loss("weight_not_applied", reason, here))
        if message.name:
            losses.append(Loss("name_lost", f"the speaker's name {message.name[:40]!r}", here))
        role: Role = "system" if message.role == "developer" else message.role
        if message.role == "developer":
            losses.append(Loss("developer_as_system", "written as a system message", here))
        turns.append(Turn(role, text, here))
    return turns


def exchanges(turns: Sequence[Turn], losses: list[Loss]) -> tuple[str, list[Exchange], str]:
    """Return the system text, the finished exchanges, and a last question without an answer.

    Raises:
        RowRefusedError: The assistant speaks before anybody asked.
    """
    system: list[str] = []
    sides: list[Turn] = []
    for turn in turns:
        if turn.role == "system":
            if sides:
                losses.append(Loss("system_moved", "moved to the start", turn.path))
            if system:
                losses.append(Loss("systems_joined", "joined to the first", turn.path))
            system.append(turn.text)
        elif sides and sides[-1].role == turn.role:
            losses.append(Loss("turns_merged", f"a second {turn.role} message", turn.path))
            sides[-1] = sides[-1]._replace(text=f"{sides[-1].text}\n\n{turn.text}")
        else:
            sides.append(turn)
    if sides and sides[0].role == "assistant":
        reason = "the assistant speaks first; the format needs a question before"
        raise RowRefusedError.of("not_expressible", reason, sides[0].path)
    pairs = zip(sides[::2], sides[1::2], strict=False)
    open_question = sides[-1].text if len(sides) % 2 else ""
    found = [Exchange(question.text, answer.text) for question, answer in pairs]
    return "\n\n".join(system), found, open_question


def _text(message: Message | OutputMessage, path: JsonPath, losses: list[Loss]) -> str:
    content = message.content
    if isinstance(message, AssistantMessage) and message.refusal:
        if content is None:
            losses.append(Loss("refusal_as_content", "the refusal is written as text", path))
            return message.refusal
        losses.append(Loss("field_dropped", "a refusal beside content", path))
    if content is None or isinstance(content, str):
        return content or ""
    texts = [part.text for part in content if isinstance(part, TextPart)]
    images = sum(isinstance(part, ImagePart) for part in content)
    losses.extend([Loss("image_lost", "an image", path)] * images)
    if len(texts) > 1:
        losses.append(Loss("parts_joined", f"{len(texts)} parts joined by line breaks", path))
    return "\n".join(texts)
