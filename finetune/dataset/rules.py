"""What must hold between the parts of one row; the shape itself is settled before.

`check_row` yields findings for supervised rows (one conversation) and preference rows (a
conversation and two outputs). Tools and calls are in `tool_rules`, files in `check`.
"""

import json
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from finetune.dataset.json_text import JsonPath, JsonTextError, parse
from finetune.dataset.problem import Finding
from finetune.dataset.rows import (
    AssistantMessage,
    Content,
    DeveloperMessage,
    DpoInput,
    DpoRow,
    ImagePart,
    Message,
    OutputMessage,
    SftRow,
    SystemMessage,
    TextPart,
    ToolMessage,
    UserMessage,
)
from finetune.dataset.tool_rules import call_findings, pairing_findings, tool_findings

__all__ = ["check_row", "is_faultless", "normalised", "plain_text"]

_PLACEHOLDERS = frozenset({"", "noop", "n/a", "none", "null", "-", "..."})
_MESSAGES_ONLY = {"messages"}
_TEXT_ONLY = {"role", "content"}
_SETTING_ROLES = frozenset({"system", "developer"})
_TALK = {"user", "assistant"}
_LENGTH_RATIO = 4
_LENGTH_FLOOR = 200  # characters; below it a ratio says nothing about verbosity


def check_row(row: SftRow | DpoRow) -> Iterator[Finding]:
    """Yield everything that is wrong with a row of valid shape, in the order of its parts."""
    if isinstance(row, SftRow):
        if _is_faultless(row):
            return
        yield from _conversation(row, ())
        yield from _roles(row.messages)
    else:
        yield from _preference(row)


def plain_text(content: Content | None) -> str:
    """Return the text of a message's content, its text parts joined, images left out."""
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(part.text for part in content if isinstance(part, TextPart))


def normalised(text: str) -> str:
    """Return text with canonical characters and single spaces, for comparing."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def is_faultless(roles: tuple[str, ...], contents: Sequence[str]) -> bool:
    """Tell at once that nothing is wrong with most rows: texts only, from a user to an answer.

    Args:
        roles: The role of each message of a row that has nothing but roles and texts.
        contents: What each message says.
    """
    return _is_in_order(roles) and all(map(str.strip, contents))


@lru_cache(maxsize=1024)
def _is_in_order(roles: tuple[str, ...]) -> bool:
    first = next((at for at, role in enumerate(roles) if role not in _SETTING_ROLES), 0)
    return roles[-1] == "assistant" and set(roles[first:]) == _TALK


def _is_faultless(row: SftRow) -> bool:
    contents = [m.content for m in row.messages if isinstance(m.content, str)]
    return (
        row.model_fields_set == _MESSAGES_ONLY
        and len(contents) == len(row.messages)
        and all(message.model_fields_set == _TEXT_ONLY for message in row.messages)
        and is_faultless(tuple([message.role for message in row.messages]), contents)
    )


def _conversation(part: SftRow | DpoInput, path: JsonPath) -> Iterator[Finding]:
    tools, here = part.tools or (), (*path, "messages")
    yield from _null_keys(part, path)
    yield from tool_findings(tools, (*path, "tools"))
    has_images, started = isinstance(part, SftRow), False
    for at, message in enumerate(part.messages):
        spot = (*here, at)
        yield from _message(message, spot, has_images=has_images)
        if isinstance(message, AssistantMessage):
            for number, call in enumerate(message.tool_calls or ()):
                yield from call_findings(call, (*spot, "tool_calls", number), tools)
        if not isinstance(message, SystemMessage | DeveloperMessage):
            started = True
        elif started:
            text = "a system message in the middle; some providers and templates refuse it"
            yield Finding("system_not_first", text, spot)
    is_parallel = part.parallel_tool_calls is not False
    yield from pairing_findings(part.messages, here, set(), is_parallel=is_parallel)


def _message(message: Message, path: JsonPath, *, has_images: bool) -> Iterator[Finding]:
    yield from _null_keys(message, path)
    content = message.content
    if isinstance(content, str) and content.strip():
        return
    spot = (*path, "content")
    parts = content if isinstance(content, tuple) else ()
    images = [part for part in parts if isinstance(part, ImagePart)]
    if images and not (has_images and isinstance(message, UserMessage)):
        text = "an image; images are trained in user messages of SFT rows only"
        yield Finding("unsupported_content", text, spot)
    if images or plain_text(content).strip():
        return
    if isinstance(message, ToolMessage):
        text = "the tool answers with nothing; say `done` or `nothing found`"
        yield Finding("empty_tool_result", text, spot)
        return
    if isinstance(message, AssistantMessage) and (message.tool_calls or message.refusal):
        return
    at = spot if "content" in message.model_fields_set else path
    yield Finding("missing_content", f"the {message.role} message says nothing", at)


def _roles(messages: Sequence[Message]) -> Iterator[Finding]:
    path = ("messages",)
    answers = [m for m in messages if isinstance(m, AssistantMessage)]
    if not any(isinstance(m, UserMessage) for m in messages):
        text = "no user message; a segment needs a question and its answer"
        yield Finding("example_missing_user_message", text, path)
    if not answers:
        text = "no assistant message, so there is nothing to learn"
        yield Finding("example_missing_assistant_message", text, path)
    elif all(m.weight == 0 for m in answers):
        text = "every assistant message has weight 0, so there is nothing to learn"
        yield Finding("example_untrained", text, path)
    last = messages[-1]
    if answers and not isinstance(last, AssistantMessage):
        text = f"the last message is from {last.role!r}; end with the assistant"
        yield Finding("last_message_role", text, (*path, len(messages) - 1))


def _preference(row: DpoRow) -> Iterator[Finding]:
    yield from _conversation(row.input, ("input",))
    last = row.input.messages[-1]
    if not isinstance(last, UserMessage | ToolMessage):
        path = ("input", "messages", len(row.input.messages) - 1)
        text = f"the input ends with a message from {last.role!r}; end it with user or tool"
        yield Finding("last_input_role", text, path)
    yield from _output(row, row.preferred_output, "preferred_output")
    yield from _output(row, row.non_preferred_output, "non_preferred_output")
    if _meaning(row.preferred_output) == _meaning(row.non_preferred_output):
        text = "both outputs say the same, so there is nothing to prefer"
        yield Finding("preferred_equals_non_preferred", text, ("non_preferred_output",))
    elif not _is_placeholder(row.non_preferred_output):
        yield from _length(row)


def _output(row: DpoRow, output: tuple[OutputMessage, ...], name: str) -> Iterator[Finding]:
    path, tools = (name,), row.input.tools or ()
    if not any(isinstance(m, AssistantMessage) for m in output):
        text = f"`{name}` has no assistant message"
        yield Finding("example_missing_assistant_message", text, path)
    if len(output) > 1:
        text = f"`{name}` has {len(output)} messages; most providers take exactly one"
        yield Finding("output_not_single", text, path)
    is_rejected = name == "non_preferred_output"
    is_placeholder = is_rejected and _is_placeholder(output)
    if is_placeholder:
        text = "the rejected output is empty or a placeholder; a real bad answer teaches more"
        yield Finding("empty_rejected", text, path)
    for at, message in enumerate(output):
        if not (is_placeholder and isinstance(message, AssistantMessage)):
            yield from _message(message, (*path, at), has_images=False)
        if isinstance(message, AssistantMessage):
            for number, call in enumerate(message.tool_calls or ()):
                yield from call_findings(call, (*path, at, "tool_calls", number), tools)
    known_ids = {
        call.id
        for message in row.input.messages
        if isinstance(message, AssistantMessage)
        for call in message.tool_calls or ()
    }
    is_parallel = row.input.parallel_tool_calls is not False
    yield from pairing_findings(output, path, known_ids, is_parallel=is_parallel)


def _is_placeholder(output: Sequence[OutputMessage]) -> bool:
    return all(
        isinstance(m, AssistantMessage)
        and not m.tool_calls
        and not m.refusal
        and plain_text(m.content).strip().casefold() in _PLACEHOLDERS
        for m in output
    )


def _length(row: DpoRow) -> Iterator[Finding]:
    better, worse = (
        sum(len(plain_text(m.content)) for m in output if isinstance(m, AssistantMessage))
        for output in (row.preferred_output, row.non_preferred_output)
    )
    longer, shorter = max(better, worse), min(better, worse)
    if shorter and longer >= _LENGTH_FLOOR and longer >= _LENGTH_RATIO * shorter:
        which = "preferred" if better > worse else "rejected"
        text = f"the {which} output is {longer / shorter:.0f} times longer than the other"
        yield Finding("length_ratio", text, ("non_preferred_output",))


def _meaning(output: Sequence[OutputMessage]) -> list[tuple[str, ...]]:
    """What an output says: without ids, spacing, and the order of keys in arguments."""
    said: list[tuple[str, ...]] = []
    for message in output:
        said.append((message.role, normalised(plain_text(message.content))))
        if isinstance(message, AssistantMessage):
            said.append(("refusal", normalised(message.refusal or "")))
            said.extend(
                ("call", call.function.name, _same_arguments(call.function.arguments))
                for call in message.tool_calls or ()
            )
    return said


def _same_arguments(arguments: str) -> str:
    try:
        return json.dumps(parse(arguments), sort_keys=True)
    except JsonTextError:
        return arguments


def _null_keys(record: Message | SftRow | DpoInput, path: JsonPath) -> Iterator[Finding]:
    nulls = [k for k in record.model_fields_set if getattr(record, k) is None]
    if not nulls:
        return
    for key in sorted(set(nulls) - record.written_as_null):
        yield Finding("null_key", f"`{key}` is null; leave the key out", (*path, key), True)
