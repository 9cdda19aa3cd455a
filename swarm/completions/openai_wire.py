"""The wire format of OpenAI's chat completions: our messages out, its answers in.

Pure functions without any network. Source: the API reference of `POST /v1/chat/completions`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson

from swarm.completion import ResponseFormat, ToolDefinition
from swarm.completions.certainty import mean_probability, weakest_probability
from swarm.errors import ProviderOutputError
from swarm.messages import Message, ToolCall, Usage

__all__ = [
    "ToolCallDeltas",
    "confidence_of",
    "read_calls",
    "read_usage",
    "weakest_of",
    "wire_format",
    "wire_message",
    "wire_request",
    "wire_tool",
]

_Json = Mapping[str, Any]


def wire_message(message: Message) -> dict[str, object]:
    """Return a message as the API takes it."""
    if message.role == "assistant" and message.tool_calls:
        return {
            "role": "assistant",
            "content": message.content or None,
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in message.tool_calls
            ],
        }
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.content}
    return {"role": message.role, "content": message.content}


def wire_tool(tool: ToolDefinition) -> dict[str, object]:
    """Return a tool as the API takes it."""
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": function}


def wire_format(response_format: ResponseFormat) -> dict[str, object]:
    """Return a response format as the API takes it."""
    described = {
        "name": response_format.name.replace(".", "_"),
        "schema": dict(response_format.schema),
        "strict": response_format.strict,
    }
    return {"type": "json_schema", "json_schema": described}


def read_usage(usage: object) -> Usage:
    """Return the tokens of an answer; zero where the server does not say."""
    if not isinstance(usage, dict):
        return Usage()
    counts = cast("dict[str, object]", usage)  # JSON objects have string keys
    found = [counts.get(key) for key in ("prompt_tokens", "completion_tokens")]
    taken = [n if isinstance(n, int) and n >= 0 else 0 for n in found]
    return Usage(input_tokens=taken[0], output_tokens=taken[1])


def read_calls(raw: object, provider: str) -> tuple[ToolCall, ...]:
    """Return the tool calls of an answer.

    Raises:
        ProviderOutputError: They are not what the API promises.
    """
    if not raw:
        return ()
    if not isinstance(raw, list):
        raise ProviderOutputError("`tool_calls` is no list", provider=provider)
    return tuple(_read_call(item, provider) for item in cast("list[object]", raw))


def confidence_of(logprobs: object) -> float | None:
    """Return the geometric mean of the token probabilities, or None without any."""
    return mean_probability(_values(logprobs))


def weakest_of(logprobs: object) -> float | None:
    """Return that mean over the least sure tokens in a row, or None without any."""
    return weakest_probability(_values(logprobs))


def _values(logprobs: object) -> list[float]:
    if not isinstance(logprobs, dict):
        return []
    content = cast("dict[str, object]", logprobs).get("content")
    if not isinstance(content, list):
        return []
    values: list[float] = []
    for token in cast("list[object]", content):
        value = cast("_Json", token).get("logprob") if isinstance(token, dict) else None
        if isinstance(value, int | float) and math.isfinite(value):
            values.append(min(float(value), 0.0))
    return values


@dataclass(slots=True)
class _Part:
    """One tool call as far as it has come."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class ToolCallDeltas:
    """Puts the tool calls of a stream together."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []

    def add(self, raw: object) -> None:
        """Take in the `tool_calls` of one chunk."""
        if not isinstance(raw, list):
            return
        for item in cast("list[object]", raw):
            if not isinstance(item, dict):
                continue
            delta = cast("_Json", item)
            function = delta.get("function")
            fields: _Json = cast("_Json", function) if isinstance(function, dict) else {}
            call_id, name = _string(delta.get("id")), _string(fields.get("name"))
            part = self._part(delta.get("index"), call_id, name)
            part.id, part.name = part.id or call_id, part.name or name
            arguments = fields.get("arguments")
            if isinstance(arguments, str):
                part.arguments += arguments
            elif arguments is not None:
                part.arguments = orjson.dumps(arguments).decode()

    def calls(self, provider: str) -> tuple[ToolCall, ...]:
        """Return the calls, in the order of their index.

        Raises:
            ProviderOutputError: One of them names no function.
        """
        parts = sorted(self._parts, key=lambda part: part.index)
        if any(not part.name for part in parts):
            raise ProviderOutputError("a tool call has no function name", provider=provider)
        return tuple(
            ToolCall(id=part.id, name=part.name, arguments=part.arguments or "{}") for part in parts
        )

    def _part(self, index: object, call_id: str, name: str) -> _Part:
        found = self._find(index, call_id, name)
        if found is None:
            after = max((part.index for part in self._parts), default=-1) + 1
            found = _Part(index if isinstance(index, int) else after)
            self._parts.append(found)
        return found

    def _find(self, index: object, call_id: str, name: str) -> _Part | None:
        """Return the call that a delta goes on with, or None when it begins one."""
        if isinstance(index, int):
            part = next((p for p in reversed(self._parts) if p.index == index), None)
            if part is None:
                return None
            # Some servers give every call the index 0, and only a new id tells them apart.
            is_other = bool(name and part.name and call_id and part.id and call_id != part.id)
            return None if is_other else part
        if call_id:
            # Without an index a new id starts a call.
            return next((part for part in self._parts if part.id == call_id), None)
        if not self._parts or (name and self._parts[-1].name):
            return None
        return self._parts[-1]


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _read_call(item: object, provider: str) -> ToolCall:
    call: _Json = cast("_Json", item) if isinstance(item, dict) else {}
    function = call.get("function")
    fields: _Json = cast("_Json", function) if isinstance(function, dict) else {}
    name, arguments = fields.get("name"), fields.get("arguments")
    if not isinstance(name, str) or not name:
        raise ProviderOutputError("a tool call has no function name", provider=provider)
    if arguments is None or arguments == "":
        arguments = "{}"
    if not isinstance(arguments, str):
        arguments = orjson.dumps(arguments).decode()
    return ToolCall(id=_string(call.get("id")), name=name, arguments=arguments)


def wire_request(
    model: str, messages: Sequence[Message], tools: Sequence[dict[str, object]]
) -> dict[str, object]:
    """Return the body that every request has."""
    body: dict[str, object] = {"model": model, "messages": [wire_message(m) for m in messages]}
    if tools:
        body["tools"] = tools
    return body
