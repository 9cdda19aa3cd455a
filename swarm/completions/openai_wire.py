"""The wire format of OpenAI's chat completions: our messages out, its answers in.

Pure functions without any network. Source: the API reference of `POST /v1/chat/completions`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson

from swarm.completion import ToolDefinition
from swarm.errors import ProviderOutputError
from swarm.messages import Message, ToolCall, Usage

__all__ = [
    "ToolCallDeltas",
    "confidence_of",
    "read_calls",
    "read_usage",
    "wire_message",
    "wire_request",
    "wire_tool",
]

Json = Mapping[str, Any]


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
    if not isinstance(logprobs, dict):
        return None
    content = cast("dict[str, object]", logprobs).get("content")
    if not isinstance(content, list):
        return None
    values: list[float] = []
    for token in cast("list[object]", content):
        value = cast("Json", token).get("logprob") if isinstance(token, dict) else None
        if isinstance(value, int | float) and math.isfinite(value):
            values.append(min(float(value), 0.0))
    return math.exp(sum(values) / len(values)) if values else None


class ToolCallDeltas:
    """Puts the tool calls of a stream together."""

    def __init__(self) -> None:
        self._parts: dict[int, dict[str, str]] = {}

    def add(self, raw: object) -> None:
        """Take in the `tool_calls` of one chunk."""
        if not isinstance(raw, list):
            return
        for item in cast("list[object]", raw):
            if not isinstance(item, dict):
                continue
            delta = cast("Json", item)
            part = self._part(delta)
            function = delta.get("function")
            if not isinstance(function, dict):
                continue
            fields = cast("Json", function)
            if isinstance(fields.get("name"), str):
                part["name"] = part["name"] or fields["name"]
            arguments = fields.get("arguments")
            if isinstance(arguments, str):
                part["arguments"] += arguments
            elif isinstance(arguments, dict):
                part["arguments"] = orjson.dumps(arguments).decode()

    def calls(self) -> tuple[ToolCall, ...]:
        """Return the calls, in the order of their index."""
        return tuple(
            ToolCall(id=part["id"], name=part["name"], arguments=part["arguments"] or "{}")
            for _, part in sorted(self._parts.items())
        )

    def _part(self, delta: Json) -> dict[str, str]:
        index, call_id = delta.get("index"), delta.get("id")
        last = max(self._parts, default=-1)
        if not isinstance(index, int):
            # Servers that leave the index out start a new call with a new id.
            starts = isinstance(call_id, str) and all(
                part["id"] != call_id for part in self._parts.values()
            )
            index = last + 1 if starts or last < 0 else last
        part = self._parts.setdefault(index, {"id": "", "name": "", "arguments": ""})
        if isinstance(call_id, str) and call_id:
            part["id"] = call_id
        return part


def _read_call(item: object, provider: str) -> ToolCall:
    call = cast("Json", item) if isinstance(item, dict) else {}
    function = call.get("function")
    fields = cast("Json", function) if isinstance(function, dict) else {}
    name, arguments = fields.get("name"), fields.get("arguments")
    if not isinstance(name, str):
        raise ProviderOutputError("a tool call has no function name", provider=provider)
    if arguments is None:
        arguments = "{}"
    if not isinstance(arguments, str):
        arguments = orjson.dumps(arguments).decode()
    call_id = call.get("id")
    return ToolCall(id=call_id if isinstance(call_id, str) else "", name=name, arguments=arguments)


def wire_request(
    model: str, messages: Sequence[Message], tools: Sequence[dict[str, object]]
) -> dict[str, object]:
    """Return the body that every request has."""
    body: dict[str, object] = {"model": model, "messages": [wire_message(m) for m in messages]}
    if tools:
        body["tools"] = tools
    return body
