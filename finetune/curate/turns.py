"""What is asked in a row, and what is learnt to be answered."""

from typing import NamedTuple

from finetune.dataset.rows import (
    AssistantMessage,
    Content,
    DpoRow,
    Message,
    OutputMessage,
    SftRow,
    TextPart,
    UserMessage,
)

__all__ = ["Turns", "turns_of"]


class Turns(NamedTuple):
    """The two sides of a row."""

    question: str
    """All user messages, a line end between them."""
    answer: str
    """All answers that are learnt: no weight of 0, and of a preference row the preferred output."""
    calls: str
    """Arguments of the tool calls among them."""


def turns_of(row: SftRow | DpoRow) -> Turns:
    """Return what is asked in a row, and what is learnt."""
    messages: list[Message | OutputMessage]
    if isinstance(row, DpoRow):
        # The input's own answers are context, and the worse output is what not to say.
        asked = [m.content for m in row.input.messages if isinstance(m, UserMessage)]
        messages = [*row.preferred_output]
    else:
        asked = [m.content for m in row.messages if isinstance(m, UserMessage)]
        messages = [*row.messages]
    answers: list[str] = []
    calls: list[str] = []
    for message in messages:
        if isinstance(message, AssistantMessage) and message.weight != 0:
            if message.content is not None:
                answers.append(_text(message.content))
            calls += [call.function.arguments for call in message.tool_calls or ()]
    return Turns("\n".join(map(_text, asked)), "\n".join(answers), "\n".join(calls))


def _text(content: Content) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in content if isinstance(part, TextPart))
