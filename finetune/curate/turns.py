"""What is asked in a row, and what is learnt to be answered."""

from typing import NamedTuple

from finetune.curate.plain import plain_row
from finetune.dataset.rows import Content, DpoRow, SftRow

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
    if (said := plain_row(row)) is not None:
        return Turns(said.said_by("user"), said.said_by("assistant"), "")
    # Roles are compared, as `isinstance` of pydantic's models takes ten times as long.
    if isinstance(row, DpoRow):
        # The input's own answers are context, and the worse output is what not to say.
        asked = [m.content for m in row.input.messages if m.role == "user"]
        said = [m for m in row.preferred_output if m.role == "assistant" and m.weight != 0]
    else:
        asked = [m.content for m in row.messages if m.role == "user"]
        said = [m for m in row.messages if m.role == "assistant" and m.weight != 0]
    answers = [_text(message.content) for message in said if message.content is not None]
    calls = [call.function.arguments for message in said for call in message.tool_calls or ()]
    return Turns("\n".join(map(_text, asked)), "\n".join(answers), "\n".join(calls))


def _text(content: Content) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in content if part.type == "text")
