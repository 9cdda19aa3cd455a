"""All texts of a row, one by one, and the same row with some of them changed.

What detectors have to see: contents and their text parts, refusals, names of speakers, and every
string and number inside the arguments of tool calls. The declarations of tools are the
program's, not the users', and are left out.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, cast

from finetune.dataset.json_text import JsonPath, JsonTextError, parse
from finetune.dataset.rows import (
    AssistantMessage,
    DpoRow,
    Message,
    OutputMessage,
    SftRow,
    TextPart,
    ToolMessage,
)

__all__ = ["Part", "Text", "change_texts", "texts_of"]

Part = Literal["content", "refusal", "name", "argument"]
"""What kind of text it is."""


class Text(NamedTuple):
    """One text of a row."""

    path: JsonPath
    """Where it is. Inside `arguments`, which is JSON in a string, the path goes on."""
    role: str
    part: Part
    text: str


def texts_of(row: SftRow | DpoRow) -> Iterator[Text]:
    """Yield the texts of a row in their order; empty ones are left out."""
    for where, messages in _lists(row):
        for at, message in enumerate(messages):
            yield from _texts(message, (*where, at))


def change_texts(row: SftRow | DpoRow, change: Callable[[Text], str | None]) -> SftRow | DpoRow:
    """Return the row with changed texts; the row itself where nothing changes.

    Args:
        row: The row.
        change: Is given each text, and returns what to put there, or None to leave it.

    Raises:
        ValueError: A new text makes the row one that its format refuses.
    """
    changed = {
        text.path: new
        for text in texts_of(row)
        if (new := change(text)) is not None and new != text.text
    }
    if not changed:
        return row
    data = row.model_dump()
    for path, new in changed.items():
        _put(data, path, new)
    return type(row).model_validate(data)


def _lists(row: SftRow | DpoRow) -> Iterator[tuple[JsonPath, tuple[Message | OutputMessage, ...]]]:
    if isinstance(row, SftRow):
        yield ("messages",), row.messages
    else:
        yield ("input", "messages"), row.input.messages
        yield ("preferred_output",), row.preferred_output
        yield ("non_preferred_output",), row.non_preferred_output


def _texts(message: Message | OutputMessage, path: JsonPath) -> Iterator[Text]:
    role, content = message.role, message.content
    if message.name and not isinstance(message, ToolMessage):
        yield Text((*path, "name"), role, "name", message.name)
    if isinstance(content, str):
        if content:
            yield Text((*path, "content"), role, "content", content)
    elif content is not None:
        for at, part in enumerate(content):
            if isinstance(part, TextPart) and part.text:
                yield Text((*path, "content", at, "text"), role, "content", part.text)
    if not isinstance(message, AssistantMessage):
        return
    if message.refusal:
        yield Text((*path, "refusal"), role, "refusal", message.refusal)
    for at, call in enumerate(message.tool_calls or ()):
        place = (*path, "tool_calls", at, "function", "arguments")
        yield from _arguments(call.function.arguments, place, role)


def _arguments(text: str, path: JsonPath, role: str) -> Iterator[Text]:
    try:
        value = parse(text)
    except JsonTextError:
        # Not JSON, so nobody will read it as such; what stands in it counts all the same.
        if text:
            yield Text(path, role, "argument", text)
        return
    yield from _leaves(value, path, role)


def _leaves(value: Any, path: JsonPath, role: str) -> Iterator[Text]:
    if isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            yield from _leaves(inner, (*path, key), role)
    elif isinstance(value, list):
        for at, inner in enumerate(cast("list[Any]", value)):
            yield from _leaves(inner, (*path, at), role)
    elif isinstance(value, str):
        if value:
            yield Text(path, role, "argument", value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield Text(path, role, "argument", json.dumps(value))


def _put(data: Any, path: JsonPath, new: str) -> None:
    node = data
    for at, step in enumerate(path[:-1]):
        if step == "arguments" and isinstance(node[step], str) and at < len(path) - 1:
            arguments: Any = parse(node[step])
            _put(arguments, path[at + 1 :], new)
            node[step] = json.dumps(arguments, ensure_ascii=False)
            return
        node = node[step]
    node[path[-1]] = new
