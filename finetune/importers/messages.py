"""Messages as others write them, as the messages of training rows.

Known are the shapes of OpenAI, of Anthropic (blocks of content), of LangChain (types in place of
roles), and the parts of OpenTelemetry's GenAI conventions.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from pydantic import JsonValue

from finetune.dataset.json_text import JsonTextError, parse

__all__ = ["ForeignMessageError", "as_messages", "as_tools", "inferred_tools"]

_ROLES = {
    "ai": "assistant",
    "human": "user",
    "model": "assistant",
    **{role: role for role in ("system", "developer", "user", "assistant", "tool")},
}
_SILENT = frozenset({"reasoning", "thinking", "redacted_thinking"})
"""Parts that are no part of what is said."""


class ForeignMessageError(ValueError):
    """Something that is no message, or none that a row can hold; never leaves this package."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def as_messages(value: JsonValue, role: str) -> list[dict[str, Any]]:
    """Return messages in OpenAI's shape.

    Args:
        value: A text, a message, a list of messages, or an object that has such a list.
        role: Whose message a plain text is.

    Raises:
        ForeignMessageError: It is something else, or holds what a row of text cannot.
    """
    if isinstance(value, str):
        inner = _as_json(value)
        if isinstance(inner, dict | list):
            return as_messages(inner, role)
        return [{"role": role, "content": value}] if value.strip() else []
    if isinstance(value, list):
        return [made for item in value for made in as_messages(item, role)]
    if not isinstance(value, dict):
        return []
    for key in ("messages", "message"):
        if key in value:
            return as_messages(value[key], role)
    if isinstance(choices := value.get("choices"), list) and choices:
        return as_messages(choices[0], role)
    return _message(value, role)


def as_tools(value: JsonValue) -> list[dict[str, Any]]:
    """Return tool definitions in OpenAI's shape; what is none is left out."""
    found = _as_json(value) if isinstance(value, str) else value
    tools: list[dict[str, Any]] = []
    for item in found if isinstance(found, list) else []:
        inner = item.get("function", item) if isinstance(item, dict) else None
        if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
            continue
        schema = inner.get("parameters") or inner.get("input_schema") or {"type": "object"}
        function: dict[str, Any] = {"name": inner["name"]}
        if isinstance(inner.get("description"), str):
            function["description"] = inner["description"]
        tools.append({"type": "function", "function": {**function, "parameters": schema}})
    return tools


def inferred_tools(messages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return definitions of the tools that messages call, which say no more than their names."""
    names = {
        call["function"]["name"]: None
        for message in messages
        for call in message.get("tool_calls") or ()
    }
    return [
        {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
        for name in names
    ]


def _message(value: Mapping[str, JsonValue], default: str) -> list[dict[str, Any]]:
    named = value.get("role", value.get("type", default))
    role = _ROLES.get(str(named).lower())
    if role is None:
        # An object that a program logged, and no message at all.
        if "role" not in value:
            return [{"role": default, "content": json.dumps(value, ensure_ascii=False)}]
        raise ForeignMessageError("unrecognized_role")
    if value.get("function_call"):
        raise ForeignMessageError("deprecated_functions")
    made = _Message(role)
    made.add(value.get("parts", value.get("content")))
    for call in _list(value.get("tool_calls")):
        made.call(call)
    if role == "tool" and made.texts:
        identity = value.get("tool_call_id") or value.get("id")
        made.outputs.append((identity, "\n".join(made.texts)))
        made.texts = []
    return made.messages()


class _Message:
    """One message, taken apart; the outputs of tools become messages of their own."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.texts: list[str] = []
        self.calls: list[dict[str, Any]] = []
        self.outputs: list[tuple[JsonValue, str]] = []

    def add(self, content: JsonValue) -> None:
        if isinstance(content, str):
            self.texts += [content] if content else []
            return
        for part in _list(content):
            if isinstance(part, str):
                self.texts.append(part)
            elif isinstance(part, dict):
                self._part(part)

    def _part(self, part: Mapping[str, JsonValue]) -> None:
        kind = part.get("type", "text")
        if kind in ("text", "input_text", "output_text"):
            text = part.get("text", part.get("content"))
            self.texts += [text] if isinstance(text, str) and text else []
        elif kind in ("tool_call", "tool_use"):
            self.call(dict(part))
        elif kind in ("tool_call_response", "tool_result"):
            identity = part.get("id") or part.get("tool_use_id")
            output = part.get("response", part.get("result", part.get("content")))
            self.outputs.append((identity, _text(output)))
        elif kind not in _SILENT:
            raise ForeignMessageError("unsupported_content")

    def call(self, value: JsonValue) -> None:
        if not isinstance(value, dict):
            raise ForeignMessageError("wrong_type")
        inner = value.get("function", value)
        if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
            raise ForeignMessageError("missing_key")
        given = inner.get("arguments", inner.get("input", inner.get("args")))
        text = given if isinstance(given, str) and given else json.dumps(given or {})
        self.calls.append(
            {
                "id": str(value.get("id") or ""),
                "type": "function",
                "function": {"name": inner["name"], "arguments": text},
            }
        )

    def messages(self) -> list[dict[str, Any]]:
        outputs = [
            {"role": "tool", "tool_call_id": str(identity or ""), "content": text}
            for identity, text in self.outputs
        ]
        text = "\n".join(self.texts)
        if self.calls:
            return [
                *outputs,
                {"role": self.role, "content": text or None, "tool_calls": self.calls},
            ]
        return [*outputs, {"role": self.role, "content": text}] if text else outputs


def _text(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(p, dict) and "text" in p for p in value):
        return "\n".join(str(part["text"]) for part in cast("list[dict[str, Any]]", value))
    return json.dumps(value, ensure_ascii=False)


def _as_json(text: str) -> JsonValue:
    """Return what a text that looks like JSON of messages holds, else None."""
    if not text.lstrip().startswith(("[", "{")):
        return None
    try:
        value = parse(text)
    except JsonTextError:
        return None
    items = value if isinstance(value, list) else [value]
    keys = {"role", "messages", "choices", "parts", "name", "function"}
    is_known = bool(items) and all(isinstance(one, dict) and keys & set(one) for one in items)
    return value if is_known else None


def _list(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, list) else []
