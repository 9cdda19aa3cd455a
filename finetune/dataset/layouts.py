"""Rows in another spelling than OpenAI's chat rows, brought into that shape to be checked.

Completion rows, Cohere's roles, and TRL's rows. A check must name places of the file as it is, so
each row comes with a way back from the paths of its chat shape. To change files into another
format is not the business of this module.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from pydantic import JsonValue

from finetune.dataset.formats.extra import EXTRA_KEY
from finetune.dataset.json_text import JsonPath, JsonTextError, parse
from finetune.dataset.problem import Finding
from finetune.dataset.providers import Layout

__all__ = ["LaidOut", "lay_out"]

_COHERE_ROLES = {"System": "system", "User": "user", "Chatbot": "assistant"}
_NEARLY = {"system": "system", "chatbot": "assistant", "assistant": "assistant"}
_COHERE_MESSAGE = frozenset({"role", "content"})
_TRL_ROWS = frozenset({"prompt", "completion", "chosen", "rejected"})


class LaidOut(NamedTuple):
    """A row in the shape of a chat row."""

    value: JsonValue
    form: str = "chat"
    """What the row was; a file holds one form."""
    findings: tuple[Finding, ...] = ()
    """What is wrong with the spelling, by paths of the file."""
    origin: Callable[[JsonPath], JsonPath] = lambda path: path
    """From a path of the chat shape to the path in the file."""
    accepts: frozenset[str] = frozenset()
    """Codes that are no findings in this form."""


def lay_out(value: JsonValue, layout: Layout) -> LaidOut:
    """Return the row in the shape of a chat row; as it is where it has that shape already."""
    if not isinstance(value, dict):
        return LaidOut(value)
    if layout == "cohere":
        return _cohere(value)
    if "messages" in value:
        return _trl(value, {}) if layout == "trl" else LaidOut(value)
    if isinstance(value.get("prompt"), str) or isinstance(value.get("completion"), str):
        if {"prompt", "completion"} <= value.keys():
            return _completion(value)
    elif layout == "trl" and "prompt" in value and _TRL_ROWS.intersection(value) - {"prompt"}:
        return _trl_prompt(value)
    return LaidOut(value)


def _completion(value: dict[str, JsonValue]) -> LaidOut:
    findings = [
        Finding("unrecognized_key", f"the format has no key `{key}` here", (key,), True)
        for key in value
        if key not in ("prompt", "completion")
    ]
    prompt, completion = value["prompt"], value["completion"]
    findings += [
        Finding("wrong_type", f"`{key}` is no string", (key,))
        for key in ("prompt", "completion")
        if not isinstance(value[key], str)
    ]
    if not isinstance(prompt, str) or not isinstance(completion, str):
        return LaidOut(None, "completion", tuple(findings))
    if prompt and completion and not prompt[-1].isspace() and not completion[0].isspace():
        text = "no space between prompt and completion; the model learns the two words as one"
        findings.append(Finding("no_boundary_space", text, ("completion",)))
    answer: dict[str, JsonValue] = {"role": "assistant", "content": completion}
    messages: list[JsonValue] = [{"role": "user", "content": prompt}] if prompt.strip() else []
    keys = (*(["prompt"] if messages else []), "completion")

    def origin(path: JsonPath) -> JsonPath:
        if len(path) < 2 or not isinstance(path[1], int):
            return ()
        return (keys[path[1]],)

    return LaidOut(
        {"messages": [*messages, answer]},
        "completion",
        tuple(findings),
        origin,
        frozenset({"example_missing_user_message"}),
    )


def _cohere(value: dict[str, JsonValue]) -> LaidOut:
    findings: list[Finding] = []
    for key in value:
        if key != "messages":
            text = f"Cohere's rows have no key `{key}`"
            findings.append(Finding("unrecognized_key", text, (key,), True))
    messages = value.get("messages")
    if not isinstance(messages, list):
        return LaidOut({"messages": messages} if "messages" in value else {}, "chat", (*findings,))
    chat: list[JsonValue] = []
    for at, message in enumerate(messages):
        if not isinstance(message, dict):
            chat.append(message)
            continue
        here = ("messages", at)
        role = message.get("role")
        new = _COHERE_ROLES.get(role) if isinstance(role, str) else None
        if "role" in message and new is None:
            text = f"the role is {role!r}; Cohere's are System, User and Chatbot"
            findings.append(Finding("unrecognized_role", text, (*here, "role")))
        for key in message:
            if key not in _COHERE_MESSAGE:
                text = f"Cohere's messages have no key `{key}`"
                findings.append(Finding("message_unrecognized_key", text, (*here, key), True))
        kept = {key: message[key] for key in message if key in _COHERE_MESSAGE}
        if "role" in message:
            # A wrong role is told already, and is no reason for further findings.
            kept["role"] = new or _NEARLY.get(str(role).lower(), "user")
        chat.append(kept)
    return LaidOut({"messages": chat}, "chat", tuple(findings))


def _trl_prompt(value: dict[str, JsonValue]) -> LaidOut:
    prompt = value["prompt"]
    kept = {key: value[key] for key in value if key not in _TRL_ROWS}
    head = prompt if isinstance(prompt, list) else []
    if "completion" in value:
        tail = value["completion"]
        if isinstance(prompt, list) and isinstance(tail, list):
            size = len(head)

            def origin(path: JsonPath) -> JsonPath:
                if path[:1] != ("messages",) or len(path) < 2 or not isinstance(path[1], int):
                    return path
                at = path[1]
                return ("prompt", *path[1:]) if at < size else ("completion", at - size, *path[2:])

            return _trl({**kept, "messages": [*head, *tail]}, {}, "prompt-completion", origin)
        return LaidOut(None, "prompt-completion", (_no_list("prompt", "completion"),))
    chosen, rejected = value.get("chosen"), value.get("rejected")
    if not (isinstance(prompt, list) and isinstance(chosen, list) and isinstance(rejected, list)):
        missing = [key for key in ("chosen", "rejected") if key not in value]
        if missing:
            finding = Finding("missing_key", f"the key `{missing[0]}` is missing")
            return LaidOut(None, "preference", (finding,))
        return LaidOut(None, "preference", (_no_list("prompt", "chosen", "rejected"),))
    tools = {"tools": kept.pop("tools")} if "tools" in kept else {}
    row: dict[str, JsonValue] = {
        **kept,
        "input": {"messages": head, **tools},
        "preferred_output": chosen,
        "non_preferred_output": rejected,
    }
    names: dict[JsonPath, JsonPath] = {
        ("input", "messages"): ("prompt",),
        ("input", "tools"): ("tools",),
        ("input",): (),
        ("preferred_output",): ("chosen",),
        ("non_preferred_output",): ("rejected",),
    }
    return _trl(row, names, "preference")


def _no_list(*keys: str) -> Finding:
    return Finding("wrong_type", f"lists of messages are needed in {', '.join(keys)}")


def _trl(
    value: dict[str, JsonValue],
    names: Mapping[JsonPath, JsonPath],
    form: str = "chat",
    origin: Callable[[JsonPath], JsonPath] | None = None,
) -> LaidOut:
    def named(path: JsonPath) -> JsonPath:
        for chat, trl in names.items():
            if path[: len(chat)] == chat:
                return (*trl, *path[len(chat) :])
        return path

    back = origin or named
    copy = cast("dict[str, Any]", json.loads(json.dumps(value)))
    findings: list[Finding] = []
    copy.pop(EXTRA_KEY, None)  # what TRL has no place for; trainers ignore it
    inner: dict[str, Any] = copy["input"] if form == "preference" else copy
    if isinstance(inner.get("tools"), str):
        # Older data sets hold the tools as text, since their columns had no type for them.
        try:
            inner["tools"] = parse(inner["tools"])
        except JsonTextError as error:
            inner.pop("tools")
            where: JsonPath = ("input", "tools") if inner is not copy else ("tools",)
            findings.append(Finding("wrong_type", f"`tools`: {error.message}", back(where)))
    open_ids: list[str] = []
    lists: list[tuple[JsonPath, Any]] = [(("messages",), copy.get("messages"))]
    if form == "preference":
        lists = [
            (("input", "messages"), inner["messages"]),
            (("preferred_output",), copy["preferred_output"]),
            (("non_preferred_output",), copy["non_preferred_output"]),
        ]
    for path, messages in lists:
        known = cast("list[Any]", messages) if isinstance(messages, list) else []
        for at, message in enumerate(known):
            if isinstance(message, dict):
                here = (*path, at)
                _trl_message(cast("dict[str, Any]", message), here, open_ids, findings, back)
    return LaidOut(copy, form, tuple(findings), back)


def _trl_message(
    message: dict[str, Any],
    path: JsonPath,
    open_ids: list[str],
    findings: list[Finding],
    back: Callable[[JsonPath], JsonPath],
) -> None:
    """Write arguments as text, and give calls and their answers the ids that TRL leaves out."""
    if message.get("role") == "tool" and "tool_call_id" not in message and open_ids:
        message["tool_call_id"] = open_ids.pop(0)
    calls = message.get("tool_calls")
    if not isinstance(calls, list):
        if calls is None:
            message.pop("tool_calls", None)
        return
    message.setdefault("content", None)
    open_ids.clear()
    for at, call in enumerate(cast("list[Any]", calls)):
        if not isinstance(call, dict):
            continue
        known = cast("dict[str, Any]", call)
        known.setdefault("type", "function")
        if "id" not in known:
            known["id"] = ".".join(map(str, (*path, at)))
            open_ids.append(known["id"])
        function = known.get("function")
        if not isinstance(function, dict):
            continue
        fields = cast("dict[str, Any]", function)
        arguments = fields.get("arguments")
        if isinstance(arguments, dict):
            fields["arguments"] = json.dumps(arguments, ensure_ascii=False)
        elif isinstance(arguments, str):
            text = "`arguments` is a string; TRL's chat templates write an object"
            place = (*path, "tool_calls", at, "function", "arguments")
            findings.append(Finding("tool_arguments_not_object", text, back(place)))
