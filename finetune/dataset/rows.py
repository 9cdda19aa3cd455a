"""The rows of training files, in the exact shapes of OpenAI's supervised and preference formats.

The models hold shape only: keys, types and roles. What must hold between the parts of a row is
in `rules`. A row is written with the key order of the format, without absent keys, and an
assistant message that only calls tools keeps its `content: null`.
"""

import json
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    StrictBool,
    Tag,
    model_serializer,
)

__all__ = [
    "AssistantMessage",
    "Content",
    "DatasetKind",
    "DeveloperMessage",
    "DpoInput",
    "DpoRow",
    "FunctionCall",
    "FunctionDefinition",
    "ImagePart",
    "ImageUrl",
    "Message",
    "OutputMessage",
    "SftRow",
    "SystemMessage",
    "TextPart",
    "ToolCall",
    "ToolDefinition",
    "ToolMessage",
    "UserMessage",
    "encode_plain",
    "encode_row",
]

DatasetKind = Literal["sft", "dpo"]
"""Supervised rows, or preference rows."""


class _Record(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, revalidate_instances="always"
    )

    written_as_null: ClassVar[frozenset[str]] = frozenset()

    # Not `exclude_none`, which would also drop `"default": null` from inside a tool's JSON Schema.
    @model_serializer(mode="wrap")
    def _without_absent_keys(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written = self.written_as_null
        return {k: v for k, v in handler(self).items() if v is not None or k in written}


class TextPart(_Record):
    """A piece of text in a content list."""

    type: Literal["text"] = "text"
    text: str


class ImageUrl(_Record):
    """Where an image is."""

    url: str
    """An https address or a base64 data URL."""
    detail: Literal["auto", "low", "high"] | None = None


class ImagePart(_Record):
    """An image in a content list of a user message."""

    type: Literal["image_url"] = "image_url"
    image_url: ImageUrl


# The brackets keep these tags apart from every key of the format in pydantic's error locations.
def _content_tag(value: object) -> str:
    return "(text)" if isinstance(value, str) else "(parts)"


_Part = Annotated[TextPart | ImagePart, Field(discriminator="type")]
Content = Annotated[
    Annotated[str, Tag("(text)")]
    | Annotated[tuple[_Part, ...], Tag("(parts)"), Field(min_length=1)],
    Discriminator(_content_tag),
]
"""Plain text, or a list of parts."""


class FunctionCall(_Record):
    """The function that a call names, and what it passes."""

    name: str
    arguments: str
    """A JSON object as a string, not an object."""


class ToolCall(_Record):
    """One call of a tool by the assistant."""

    id: str
    """Names the call; its tool message carries the same id."""
    type: Literal["function"] = "function"
    function: FunctionCall


class FunctionDefinition(_Record):
    """A function that the assistant may call."""

    name: str
    description: str | None = None
    parameters: dict[str, JsonValue] | None = None
    """JSON Schema of the arguments; a function without it takes none."""
    strict: StrictBool | None = None


class ToolDefinition(_Record):
    """One entry of a row's `tools`."""

    type: Literal["function"] = "function"
    function: FunctionDefinition


class SystemMessage(_Record):
    """What the assistant is told before the conversation."""

    role: Literal["system"] = "system"
    content: Content
    name: str | None = None


class DeveloperMessage(_Record):
    """The system message of reasoning models."""

    role: Literal["developer"] = "developer"
    content: Content
    name: str | None = None


class UserMessage(_Record):
    """What the user says."""

    role: Literal["user"] = "user"
    content: Content
    name: str | None = None


class AssistantMessage(_Record):
    """What the assistant says, calls or refuses; the part of a row that is trained."""

    written_as_null: ClassVar[frozenset[str]] = frozenset({"content"})

    role: Literal["assistant"] = "assistant"
    content: Content | None = None
    refusal: str | None = None
    name: str | None = None
    tool_calls: Annotated[tuple[ToolCall, ...], Field(min_length=1)] | None = None
    weight: Annotated[int, Field(strict=True, ge=0, le=1)] | None = None
    """0 keeps the message out of the loss; absent means 1."""


class ToolMessage(_Record):
    """What a tool answered."""

    role: Literal["tool"] = "tool"
    tool_call_id: str
    content: Content
    name: str | None = None
    """The tool's name, which some loaders want beside the id."""


Message = Annotated[
    SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage,
    Field(discriminator="role"),
]
"""One message of a conversation, told apart by its role."""

OutputMessage = Annotated[AssistantMessage | ToolMessage, Field(discriminator="role")]
"""One message of a preference row's output."""


class SftRow(_Record):
    """One conversation to learn from."""

    messages: Annotated[tuple[Message, ...], Field(min_length=1)]
    tools: tuple[ToolDefinition, ...] | None = None
    parallel_tool_calls: StrictBool | None = None


class DpoInput(_Record):
    """The conversation that both outputs of a preference row answer."""

    messages: Annotated[tuple[Message, ...], Field(min_length=1)]
    tools: tuple[ToolDefinition, ...] | None = None
    parallel_tool_calls: StrictBool | None = None


class DpoRow(_Record):
    """One conversation with a better and a worse continuation."""

    input: DpoInput
    preferred_output: Annotated[tuple[OutputMessage, ...], Field(min_length=1)]
    non_preferred_output: Annotated[tuple[OutputMessage, ...], Field(min_length=1)]


def encode_row(row: SftRow | DpoRow) -> bytes:
    """Return the row's line without its newline; equal rows give equal bytes.

    Raises:
        ValueError: The row holds NaN, infinity, or text that UTF-8 cannot carry.
    """
    data = _plain(row)
    if data is None:
        text = _quick(row)
        if text is None:
            text = json.dumps(
                row.model_dump(), ensure_ascii=False, allow_nan=False, separators=(",", ":")
            )
        data = _unbroken(text.encode("utf-8"))
    return data


def encode_plain(messages: Iterable[tuple[str, str]]) -> bytes | None:
    """Return the line of a supervised row that has nothing but messages of a role and a text.

    Args:
        messages: Role and text of each.

    Returns:
        The line without its newline; None where UTF-8 cannot carry a text.
    """
    try:
        return _unbroken(
            orjson.dumps(
                {"messages": [{"role": role, "content": content} for role, content in messages]}
            )
        )
    except TypeError:
        return None  # half a surrogate pair


def _unbroken(data: bytes) -> bytes:
    # Legal inside JSON, but readers that split with str.splitlines() would cut the row there.
    if not data.isascii():
        for mark in ("\u0085", "\u2028", "\u2029"):
            data = data.replace(mark.encode(), b"\\u%04x" % ord(mark))
    return data


def _plain(row: SftRow | DpoRow) -> bytes | None:
    """Return the JSON of a row whose messages have a role and a text only, as most have.

    It takes a fifth of the time of `_quick`, and None says that the row is not as simple.
    """
    if not isinstance(row, SftRow) or row.tools is not None or row.parallel_tool_calls is not None:
        return None
    messages: list[tuple[str, str]] = []
    for message in row.messages:
        content = message.content
        if not isinstance(content, str) or message.name is not None or message.role == "tool":
            return None
        if message.role == "assistant" and not (
            message.refusal is message.tool_calls is message.weight is None
        ):
            return None
        messages.append((message.role, content))
    return encode_plain(messages)  # where it cannot, the last encoder says so


def _quick(row: SftRow | DpoRow) -> str | None:
    """Return the text from pydantic's encoder, twice as fast, where it writes the same."""
    # Only the schemas of tools hold numbers, some of which the two encoders spell differently.
    if row.tools if isinstance(row, SftRow) else row.input.tools:
        return None
    try:
        return row.model_dump_json()
    except ValueError:
        return None  # the other encoder says what UTF-8 cannot carry
