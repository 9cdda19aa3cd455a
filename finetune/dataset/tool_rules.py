"""What must hold between the tools, calls and tool messages of one row.

Names and JSON Schemas of the declared tools, the arguments of every call against them, and each
call answered by its tool message. No network: a schema that refers to another address is an
error, not a download.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from finetune.dataset.json_text import JsonPath, JsonTextError, parse
from finetune.dataset.problem import Finding
from finetune.dataset.rows import (
    AssistantMessage,
    Message,
    ToolCall,
    ToolDefinition,
    ToolMessage,
)

__all__ = ["call_findings", "pairing_findings", "tool_findings"]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MAX_TOOLS = 128
_MAX_VIOLATIONS = 5
_UNUSABLE = (
    ArithmeticError,
    LookupError,
    RecursionError,
    SchemaError,
    TypeError,
    Unresolvable,
    ValueError,
    re.error,
)


class _Parameters(NamedTuple):
    """A tool's JSON Schema, ready to use, or why it cannot be used."""

    validator: Validator | None
    reason: str
    names: frozenset[str] | None
    """The arguments that the schema names; None where it allows others on purpose."""
    required: tuple[str, ...] = ()
    """The arguments that a call must give."""


def tool_findings(tools: Sequence[ToolDefinition], path: JsonPath) -> Iterator[Finding]:
    """Yield what is wrong with the declarations themselves."""
    if len(tools) > _MAX_TOOLS:
        yield Finding("too_many_tools", f"{len(tools)} tools, at most {_MAX_TOOLS}", path)
    seen: set[str] = set()
    for at, tool in enumerate(tools):
        name, here = tool.function.name, (*path, at, "function")
        if "type" not in tool.model_fields_set:
            yield Finding("missing_key", "the key `type` is missing", (*path, at))
        if not _NAME.fullmatch(name):
            message = f"{name[:80]!r} is no tool name; use 1 to 64 of a-z A-Z 0-9 _ -"
            yield Finding("tool_name_invalid", message, (*here, "name"))
        if name in seen:
            yield Finding("duplicate_tool", f"a second tool named {name!r}", (*here, "name"))
        seen.add(name)
        if reason := _parameters(tool).reason:
            message = f"{name}: {reason}"
            yield Finding("tool_schema_invalid", message, (*here, "parameters"))


def call_findings(
    call: ToolCall, path: JsonPath, tools: Sequence[ToolDefinition]
) -> Iterator[Finding]:
    """Yield what is wrong with one call: its tool, and its arguments."""
    name, here = call.function.name, (*path, "function")
    if "type" not in call.model_fields_set:
        yield Finding("missing_key", "the key `type` is missing", path)
    tool = next((t for t in tools if t.function.name == name), None)
    if tool is None:
        known = ", ".join(t.function.name for t in tools[:8]) or "none"
        message = f"a call of {name[:80]!r}, which `tools` does not declare (declared: {known})"
        yield Finding("unknown_tool", message, (*here, "name"))
    try:
        arguments = parse(call.function.arguments)
    except JsonTextError as error:
        message = f"`arguments` at character {error.offset + 1}: {error.message}"
        yield Finding("tool_arguments_not_json", message, (*here, "arguments"))
        return
    if not isinstance(arguments, dict):
        message = "`arguments` holds JSON, but not an object"
        yield Finding("tool_arguments_not_json", message, (*here, "arguments"))
    elif tool is not None:
        for code, message in _violations(arguments, _parameters(tool)):
            yield Finding(code, f"{name}: {message}", (*here, "arguments"))


def pairing_findings(
    messages: Sequence[Message], path: JsonPath, known_ids: set[str], *, is_parallel: bool
) -> Iterator[Finding]:
    """Yield calls without their answer and answers without their call.

    Args:
        messages: The conversation, or one output.
        path: Where `messages` is in the row.
        known_ids: Ids of earlier calls of the same row; the ids found are added.
        is_parallel: Whether the row allows several calls in one message.
    """
    pending: dict[str, JsonPath] = {}
    for at, message in enumerate(messages):
        here = (*path, at)
        if isinstance(message, ToolMessage):
            if pending.pop(message.tool_call_id, None) is None:
                yield _unknown_id(message.tool_call_id, known_ids, (*here, "tool_call_id"))
            continue
        yield from _unanswered(pending)
        pending = {}
        calls = (message.tool_calls or ()) if isinstance(message, AssistantMessage) else ()
        if len(calls) > 1 and not is_parallel:
            text = f"{len(calls)} calls in one message although parallel_tool_calls is false"
            yield Finding("parallel_calls_disallowed", text, (*here, "tool_calls"))
        for number, call in enumerate(calls):
            spot = (*here, "tool_calls", number, "id")
            if not call.id:
                yield Finding("tool_call_id_empty", "the call's id is empty", spot)
            elif call.id in known_ids:
                yield Finding("duplicate_tool_call_id", f"a second call {call.id!r}", spot)
            known_ids.add(call.id)
            pending[call.id] = spot
    if messages and isinstance(messages[-1], ToolMessage):
        yield from _unanswered(pending)  # calls of a final assistant message may stay open


def _unknown_id(call_id: str, known_ids: set[str], path: JsonPath) -> Finding:
    if not call_id:
        return Finding("tool_call_id_empty", "the tool message's tool_call_id is empty", path)
    if call_id in known_ids:
        message = f"the call {call_id[:80]!r} is answered already or belongs to an earlier message"
    else:
        message = f"no call has the id {call_id[:80]!r}"
    return Finding("unknown_tool_call_id", message, path)


def _unanswered(pending: dict[str, JsonPath]) -> Iterator[Finding]:
    for call_id, path in pending.items():
        message = f"the call {call_id[:80]!r} has no tool message right after it"
        yield Finding("unanswered_tool_call", message, path)


def _parameters(tool: ToolDefinition) -> _Parameters:
    # Rows of one file share their tools, so the schema is built once and not once per row.
    schema = tool.function.parameters
    return _compiled(json.dumps({"type": "object"} if schema is None else schema))


@lru_cache(maxsize=256)
def _compiled(text: str) -> _Parameters:
    schema: dict[str, Any] = json.loads(text)
    if schema.get("type", "object") != "object":
        return _Parameters(None, "`parameters` must describe an object", None)
    try:
        kind = validator_for(schema, default=Draft202012Validator)
        kind.check_schema(schema)
        validator = kind(schema, registry=Registry())
    except SchemaError as error:
        return _Parameters(None, f"`parameters`: {error.message[:200]}", None)
    except _UNUSABLE as error:
        return _Parameters(None, f"`parameters` cannot be used: {str(error)[:200]}", None)
    properties = cast("dict[str, Any]", schema.get("properties", {}))
    is_open = any(
        key in schema
        for key in ("additionalProperties", "patternProperties", "$ref", "allOf", "anyOf", "oneOf")
    )
    required = tuple(cast("list[str]", schema.get("required", [])))
    return _Parameters(validator, "", None if is_open else frozenset(properties), required)


def _violations(arguments: dict[str, Any], parameters: _Parameters) -> Iterator[tuple[str, str]]:
    if parameters.validator is None:
        return  # the declaration is reported already
    try:
        for count, error in enumerate(parameters.validator.iter_errors(arguments)):
            if count == _MAX_VIOLATIONS:
                break
            where = ".".join(map(str, error.absolute_path))
            text = error.message if len(error.message) <= 200 else error.message[:200] + "..."
            yield "tool_arguments_invalid", f"`{where}`: {text}" if where else text
    except _UNUSABLE as error:
        yield "tool_schema_invalid", f"`parameters` cannot be applied: {str(error)[:200]}"
    if parameters.names is not None:
        for name in sorted(set(arguments) - parameters.names):
            yield "undeclared_argument", f"{name[:80]!r} is not among the tool's parameters"
    for name in parameters.required:
        value = arguments.get(name)
        if isinstance(value, str) and not value.strip():
            yield "empty_argument", f"the required argument {name[:80]!r} is empty"
