"""How long a row is, estimated without a tokenizer.

Every figure from here is an estimate and is named one: real counts need the base model's own
tokenizer and chat template, which the training step has.
"""

import json
from collections.abc import Iterable
from typing import NamedTuple

from finetune.dataset.rows import (
    AssistantMessage,
    Content,
    DpoRow,
    FunctionDefinition,
    Message,
    SftRow,
    TextPart,
    ToolDefinition,
)

__all__ = ["ESTIMATE_METHOD", "RowTokens", "estimate_text", "estimate_tokens"]

ESTIMATE_METHOD = "UTF-8 bytes / 4, plus 4 per message"
"""How the figures were made, for reports."""

_PER_MESSAGE = 4
_PER_IMAGE = 765  # one image of 1024 x 1024 at high detail


class RowTokens(NamedTuple):
    """Estimated tokens of one row."""

    total: int
    """Everything that is billed: tools, conversation and outputs."""
    trained: int
    """What carries loss: assistant messages without weight 0, or the outputs."""
    longest: int
    """The longest sequence that the model sees at once."""


def estimate_tokens(row: SftRow | DpoRow) -> RowTokens:
    """Return the estimated tokens of a row."""
    if isinstance(row, SftRow):
        total = _tools(row.tools) + _messages(row.messages)
        trained = _messages(
            m for m in row.messages if isinstance(m, AssistantMessage) and m.weight != 0
        )
        return RowTokens(total, trained, total)
    shared = _tools(row.input.tools) + _messages(row.input.messages)
    better, worse = _messages(row.preferred_output), _messages(row.non_preferred_output)
    return RowTokens(shared + better + worse, better + worse, shared + max(better, worse))


def estimate_text(text: str) -> int:
    """Return the estimated tokens of a text by itself."""
    # Half a surrogate pair, possible in rows made in Python, must not stop an estimate.
    return -(-len(text.encode("utf-8", "replace")) // 4)


def _messages(messages: Iterable[Message]) -> int:
    return sum(_PER_MESSAGE + _message(message) for message in messages)


def _message(message: Message) -> int:
    tokens = _content(message.content) if message.content is not None else 0
    if isinstance(message, AssistantMessage):
        tokens += estimate_text(message.refusal or "")
        for call in message.tool_calls or ():
            tokens += (
                estimate_text(call.function.name)
                + estimate_text(call.function.arguments)
                + _PER_MESSAGE
            )
    return tokens


def _content(content: Content) -> int:
    if isinstance(content, str):
        return estimate_text(content)
    return sum(estimate_text(p.text) if isinstance(p, TextPart) else _PER_IMAGE for p in content)


def _tools(tools: tuple[ToolDefinition, ...] | None) -> int:
    return sum(_function(tool.function) + _PER_MESSAGE for tool in tools or ())


def _function(function: FunctionDefinition) -> int:
    schema = json.dumps(function.parameters, ensure_ascii=False)
    return (
        estimate_text(function.name)
        + estimate_text(function.description or "")
        + estimate_text(schema)
    )
