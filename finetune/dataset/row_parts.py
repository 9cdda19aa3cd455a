"""Rows as tokenizers and chat templates take them: parts with their texts, and plain messages.

What counts the texts is in `model_tokenizer` and `tiktoken_files`.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from finetune.dataset.rows import AssistantMessage, DpoInput, DpoRow, Message, OutputMessage, SftRow
from finetune.dataset.tokens import PartTokens, RowTokens

__all__ = [
    "PER_MESSAGE",
    "bare_tokens",
    "count_parts",
    "template_messages",
    "template_tools",
]

PER_MESSAGE = 4
"""Tokens that a chat template is taken to write around a message, where there is none."""


def count_parts(
    row: SftRow | DpoRow, count: Callable[[list[str]], list[int]]
) -> tuple[PartTokens, ...]:
    """Return the tokens of the texts of each part of a row.

    Args:
        row: The row.
        count: Returns the tokens of each of some texts.
    """
    names, texts = _texts(row)
    parts: list[PartTokens] = []
    for (field, is_new), tokens in zip(names, count(texts), strict=True):
        if is_new:
            parts.append(PartTokens(field, tokens))
        else:
            parts[-1] = PartTokens(field, parts[-1].tokens + tokens)
    return tuple(parts)


def bare_tokens(row: SftRow | DpoRow, parts: tuple[PartTokens, ...]) -> RowTokens:
    """Add what a template would write around the messages, by the estimate's rule."""
    sizes = [part.tokens + PER_MESSAGE for part in parts]
    if isinstance(row, DpoRow):
        *shared, better, worse = sizes
        both = better + worse
        return RowTokens(sum(shared) + both, both, sum(shared) + max(better, worse), parts)
    trained, first = 0, len(parts) - len(row.messages)
    for message, size in zip(row.messages, sizes[first:], strict=True):
        if isinstance(message, AssistantMessage) and message.weight != 0:
            trained += size
    return RowTokens(sum(sizes), trained, sum(sizes), parts)


def template_messages(messages: Sequence[Message | OutputMessage]) -> list[dict[str, Any]]:
    """Return messages without absent keys, the arguments of calls as objects."""
    plain: list[dict[str, Any]] = []
    for message in messages:
        data = {key: value for key, value in message.model_dump().items() if value is not None}
        for call in data.get("tool_calls", ()):
            # What is no JSON is reported elsewhere; the template sees what is written.
            with suppress(ValueError, RecursionError):
                call["function"]["arguments"] = json.loads(call["function"]["arguments"])
        plain.append(data)
    return plain


def template_tools(part: SftRow | DpoInput) -> list[dict[str, Any]] | None:
    """Return the declared tools; None where there are none."""
    return [tool.model_dump() for tool in part.tools] if part.tools else None


def _texts(row: SftRow | DpoRow) -> tuple[list[tuple[str, bool]], list[str]]:
    """Return the texts of a row, with their field and whether a new part begins with them."""
    names: list[tuple[str, bool]] = []
    texts: list[str] = []
    part = row if isinstance(row, SftRow) else row.input
    if part.tools:
        names.append(("tools", True))
        texts.append(json.dumps(template_tools(part), ensure_ascii=False))
    lists: list[tuple[str, Sequence[Message | OutputMessage]]] = [("", part.messages)]
    if isinstance(row, DpoRow):
        lists += [
            ("preferred_output", row.preferred_output),
            ("non_preferred_output", row.non_preferred_output),
        ]
    for field, messages in lists:
        for at, message in enumerate(messages):
            names.append((field or message.role, not field or at == 0))
            texts.append(_said(message))
    return names, [text.encode("utf-8", "replace").decode() for text in texts]


def _said(message: Message | OutputMessage) -> str:
    content = message.content
    pieces = [content] if isinstance(content, str) else []
    if isinstance(content, tuple):
        pieces = [part.text for part in content if part.type == "text"]
    if isinstance(message, AssistantMessage):
        pieces.append(message.refusal or "")
        for call in message.tool_calls or ():
            pieces += [call.function.name, call.function.arguments]
    return "\n".join(filter(None, pieces))
