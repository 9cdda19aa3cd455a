"""How long a row is, and what counts it.

`ESTIMATE` needs no files: it divides bytes, and says that it estimates. Exact counts need the
base model's own tokenizer and chat template, which `model_tokenizer` reads.
"""

import json
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from finetune.dataset.rows import (
    AssistantMessage,
    Content,
    DpoRow,
    FunctionDefinition,
    Message,
    OutputMessage,
    SftRow,
    TextPart,
    ToolDefinition,
)

__all__ = [
    "ESTIMATE",
    "ESTIMATE_METHOD",
    "PartTokens",
    "RowTokens",
    "Tokenizer",
    "estimate_text",
    "estimate_tokens",
]

ESTIMATE_METHOD = "UTF-8 bytes / 4, plus 4 per message"
"""How the figures were made, for reports."""

_PER_MESSAGE = 4
_PER_IMAGE = 765  # one image of 1024 x 1024 at high detail


class PartTokens(NamedTuple):
    """The tokens of one part of a row."""

    field: str
    """A role, `tools`, `preferred_output` or `non_preferred_output`."""
    tokens: int


class RowTokens(NamedTuple):
    """The tokens of one row."""

    total: int
    """Everything that is billed: tools, conversation and outputs."""
    trained: int
    """What carries loss: assistant messages without weight 0, or the outputs."""
    longest: int
    """The longest sequence that the model sees at once."""
    parts: tuple[PartTokens, ...] = ()
    """Tools if there are any, then each message by its role, then the outputs."""


class Tokenizer(Protocol):
    """Counts the tokens of rows; one of a model may also know which of them are trained."""

    @property
    def method(self) -> str:
        """How the counts are made, in words, for reports."""
        ...

    @property
    def is_estimate(self) -> bool:
        """Whether the counts are estimates."""
        ...

    @property
    def knows_trained(self) -> bool:
        """Whether `RowTokens.trained` is what a trainer will train, by the chat template."""
        ...

    @property
    def max_length(self) -> int | None:
        """The longest sequence that the model takes; None where nobody says."""
        ...

    @property
    def control_tokens(self) -> frozenset[str]:
        """Texts such as `<|im_end|>` that steer the model, and stand in no honest message."""
        ...

    def measure(self, row: SftRow | DpoRow) -> RowTokens:
        """Return the tokens of a row.

        Raises:
            TemplateRefusedError: The model's chat template cannot write the row.
        """
        ...


class _Estimate:
    method = ESTIMATE_METHOD
    is_estimate = True
    knows_trained = False
    max_length = None
    control_tokens = frozenset[str]()

    def measure(self, row: SftRow | DpoRow) -> RowTokens:
        return estimate_tokens(row)


ESTIMATE: Tokenizer = _Estimate()
"""Counts without a tokenizer."""


def estimate_tokens(row: SftRow | DpoRow) -> RowTokens:
    """Return the estimated tokens of a row."""
    parts: list[PartTokens] = []
    total = trained = 0
    if isinstance(row, SftRow):
        if row.tools:
            total = _tools(row.tools)
            parts.append(PartTokens("tools", total))
        for message in row.messages:
            tokens = _message(message)
            total += tokens
            if isinstance(message, AssistantMessage) and message.weight != 0:
                trained += tokens
            parts.append(PartTokens(message.role, tokens))
        return RowTokens(total, trained, total, tuple(parts))
    if row.input.tools:
        parts.append(PartTokens("tools", _tools(row.input.tools)))
    parts += [PartTokens(message.role, _message(message)) for message in row.input.messages]
    shared = sum(part.tokens for part in parts)
    better, worse = _messages(row.preferred_output), _messages(row.non_preferred_output)
    parts.append(PartTokens("preferred_output", better))
    parts.append(PartTokens("non_preferred_output", worse))
    outputs = better + worse
    return RowTokens(shared + outputs, outputs, shared + max(better, worse), tuple(parts))


def estimate_text(text: str) -> int:
    """Return the estimated tokens of a text by itself."""
    if text.isascii():
        return -(-len(text) // 4)
    # Half a surrogate pair, possible in rows made in Python, must not stop an estimate.
    return -(-len(text.encode("utf-8", "replace")) // 4)


def _messages(messages: Iterable[OutputMessage]) -> int:
    return sum(_message(message) for message in messages)


def _message(message: Message | OutputMessage) -> int:
    content = message.content
    tokens = _PER_MESSAGE
    if content is not None:
        tokens += estimate_text(content) if isinstance(content, str) else _parts(content)
    if isinstance(message, AssistantMessage):
        tokens += estimate_text(message.refusal or "")
        for call in message.tool_calls or ():
            function = call.function
            tokens += estimate_text(function.name) + estimate_text(function.arguments)
            tokens += _PER_MESSAGE
    return tokens


def _parts(content: Content) -> int:
    return sum(
        estimate_text(part.text) if isinstance(part, TextPart) else _PER_IMAGE
        for part in content
        if not isinstance(part, str)
    )


def _tools(tools: tuple[ToolDefinition, ...]) -> int:
    return sum(_function(tool.function) + _PER_MESSAGE for tool in tools)


def _function(function: FunctionDefinition) -> int:
    schema = json.dumps(function.parameters, ensure_ascii=False)
    return (
        estimate_text(function.name)
        + estimate_text(function.description or "")
        + estimate_text(schema)
    )
