"""TRL's conversational rows: language modelling, prompt and completion, preferences.

Arguments of calls are objects, tool messages carry the tool's name, an image is
`{"type": "image", "url": ...}`. What TRL has no key for stands in the extra key.
"""

from collections.abc import Sequence

from pydantic import JsonValue

from finetune.dataset.formats.extra import EXTRA_KEY, add_extra, use_extra
from finetune.dataset.formats.fields import (
    arguments_text,
    arguments_value,
    dropped_fields,
    objects,
)
from finetune.dataset.formats.format import Encoded, Format, JsonObject, Translated
from finetune.dataset.formats.loss import Loss, RowRefusedError
from finetune.dataset.json_text import JsonTextError, parse
from finetune.dataset.rows import AssistantMessage, DatasetKind, DpoRow, SftRow

__all__ = ["TRL", "TRL_PROMPT_COMPLETION"]

_TURNS = ("messages", "prompt", "completion", "chosen", "rejected")
_KNOWN = frozenset({*_TURNS, "tools", "parallel_tool_calls", EXTRA_KEY})


def _is_turns(value: JsonValue) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and "role" in item for item in value)
    )


def _recognise(value: JsonObject) -> DatasetKind | None:
    if _is_turns(value.get("messages")):
        return "sft"
    if "chosen" in value and "rejected" in value:
        is_plain = all(isinstance(value.get(k), str) for k in ("prompt", "chosen", "rejected"))
        return "dpo" if is_plain or _is_turns(value["chosen"]) else None
    if _is_turns(value.get("prompt")) and _is_turns(value.get("completion")):
        return "sft"
    return None


def _read(value: JsonObject) -> Translated:
    # A preference row may carry the conversation as `messages` besides; its outputs decide.
    if "chosen" in value or "rejected" in value:
        plain, view_of = _plain_preference(value), _view
    elif "completion" in value:
        messages = [*_turns(value, "prompt"), *_turns(value, "completion")]
        plain, view_of = _plain(messages, value), _prompt_completion_view
    else:
        plain, view_of = _plain(_turns(value, "messages"), value), _view
    return use_extra(value, Translated(plain, dropped_fields(value, _KNOWN)), view_of)


def _plain_preference(value: JsonObject) -> JsonObject:
    chosen, rejected = _turns(value, "chosen"), _turns(value, "rejected")
    if "prompt" in value:
        prompt = _turns(value, "prompt")
    else:
        size = 0
        while size < min(len(chosen), len(rejected)) and chosen[size] == rejected[size]:
            size += 1
        prompt, chosen, rejected = chosen[:size], chosen[size:], rejected[size:]
    held = _plain(prompt, value)
    names = {n: name for m in prompt for n, name in _call_names(m)}
    return {
        "input": held,
        "preferred_output": _messages(chosen, dict(names)),
        "non_preferred_output": _messages(rejected, dict(names)),
    }


def _plain(turns: Sequence[JsonObject], value: JsonObject) -> JsonObject:
    plain: JsonObject = {"messages": _messages(turns, {})}
    tools = value.get("tools")
    if isinstance(tools, str) and tools:
        try:
            tools = parse(tools)
        except JsonTextError as error:
            message = f"`tools` is a string, but not of JSON: {error.message}"
            raise RowRefusedError.of("wrong_value", message, ("tools",)) from None
    if tools is not None and tools != "":
        plain["tools"] = tools
    if value.get("parallel_tool_calls") is not None:
        plain["parallel_tool_calls"] = value["parallel_tool_calls"]
    return plain


def _turns(value: JsonObject, key: str) -> list[JsonObject]:
    said = value.get(key)
    if isinstance(said, str):
        return [{"role": "user" if key == "prompt" else "assistant", "content": said}]
    return objects(said, key, (key,))


def _messages(turns: Sequence[JsonObject], names: dict[str, str]) -> list[JsonValue]:
    found: list[JsonValue] = []
    for turn in turns:
        message = dict(turn)
        if isinstance(turn.get("content"), list):
            message["content"] = [_part(part) for part in objects(turn["content"], "content")]
        if turn.get("role") == "assistant":
            message.setdefault("content", None)
            names.update(_call_names(turn))
            if turn.get("tool_calls") is not None:
                calls = objects(turn["tool_calls"], "tool_calls")
                message["tool_calls"] = [_call(call) for call in calls]
        elif turn.get("role") == "tool":
            called = names.get(str(turn.get("tool_call_id")))
            if called is not None and turn.get("name") == called:
                del message["name"]
        found.append(message)
    return found


def _call_names(turn: JsonObject) -> list[tuple[str, str]]:
    calls = turn.get("tool_calls")
    found: list[tuple[str, str]] = []
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(call, dict) and isinstance(function, dict):
            found.append((str(call.get("id")), str(function.get("name"))))
    return found


def _call(call: JsonObject) -> JsonObject:
    function = call.get("function")
    if isinstance(function, dict) and "arguments" in function:
        function = {**function, "arguments": arguments_text(function["arguments"])}
        return {**call, "function": function}
    return call


def _part(part: JsonObject) -> JsonObject:
    if part.get("type") == "image" and isinstance(part.get("url"), str):
        return {"type": "image_url", "image_url": {"url": part["url"]}}
    return part


def _write(row: SftRow | DpoRow) -> Encoded:
    view = _view(row)
    plain = _plain_preference(view) if "chosen" in view else _plain(_turns(view, "messages"), view)
    return Encoded(add_extra(view, plain, row), _losses(row))


def _view(row: SftRow | DpoRow) -> JsonObject:
    if isinstance(row, SftRow):
        data = row.model_dump(mode="json")
        view: JsonObject = {"messages": _view_messages(data["messages"], {})}
        held = data
    else:
        data = row.model_dump(mode="json")
        held, names = data["input"], dict[str, str]()
        view = {"prompt": _view_messages(held["messages"], names)}
        view["chosen"] = _view_messages(data["preferred_output"], dict(names))
        view["rejected"] = _view_messages(data["non_preferred_output"], dict(names))
    if "tools" in held:
        view["tools"] = held["tools"]
    return view


def _view_messages(messages: list[JsonObject], names: dict[str, str]) -> list[JsonValue]:
    found: list[JsonValue] = []
    for message in messages:
        turn = {key: said for key, said in message.items() if key not in ("weight", "refusal")}
        if message["role"] == "assistant":
            names.update(_call_names(message))
            if message["content"] is None and "refusal" in message:
                turn["content"] = message["refusal"]
            if "tool_calls" in message:
                calls = objects(message["tool_calls"], "tool_calls")
                turn["tool_calls"] = [_view_call(call) for call in calls]
        elif message["role"] == "tool" and "name" not in message:
            called = names.get(str(message["tool_call_id"]))
            if called is not None:
                turn["name"] = called
        if isinstance(message["content"], list):
            turn["content"] = [_view_part(p) for p in objects(message["content"], "content")]
        found.append(turn)
    return found


def _view_call(call: JsonObject) -> JsonObject:
    function = call["function"]
    if not isinstance(function, dict):  # rows are typed, so this is one
        return call
    arguments = arguments_value(str(function["arguments"]))
    return {**call, "function": {**function, "arguments": arguments}}


def _view_part(part: JsonObject) -> JsonObject:
    image = part.get("image_url")
    return {"type": "image", "url": image["url"]} if isinstance(image, dict) else part


def _losses(row: SftRow | DpoRow) -> list[Loss]:
    found: list[Loss] = []
    lists = (
        [("messages", row.messages)]
        if isinstance(row, SftRow)
        else [
            ("prompt", row.input.messages),
            ("chosen", row.preferred_output),
            ("rejected", row.non_preferred_output),
        ]
    )
    for key, messages in lists:
        for at, message in enumerate(messages):
            if not isinstance(message, AssistantMessage):
                continue
            path = (key, at)
            if message.weight == 0:
                text = "TRL trains the message all the same; its weight of 0 is kept aside"
                found.append(Loss("weight_not_applied", text, path, is_kept=True))
            if message.refusal and message.content is None:
                text = "the refusal is written as content"
                found.append(Loss("refusal_as_content", text, path, is_kept=True))
            elif message.refusal:
                text = "a refusal beside content is kept aside and not trained"
                found.append(Loss("field_dropped", text, path, is_kept=True))
            for call in message.tool_calls or ():
                if isinstance(arguments_value(call.function.arguments), str):
                    text = f"the arguments of {call.function.name!r} are no JSON object"
                    found.append(Loss("arguments_not_object", text, path, is_kept=True))
    return found


def _write_prompt_completion(row: SftRow | DpoRow) -> Encoded:
    view = _prompt_completion_view(row)
    turns = [*_turns(view, "prompt"), *_turns(view, "completion")]
    losses = _losses(row)
    messages = row.messages if isinstance(row, SftRow) else ()
    for at, message in enumerate(messages[:-1]):
        if isinstance(message, AssistantMessage) and message.weight != 0:
            text = "an earlier answer is part of the prompt and not trained"
            losses.append(Loss("exchange_in_prompt", text, ("prompt", at), is_kept=True))
    return Encoded(add_extra(view, _plain(turns, view), row), losses)


def _prompt_completion_view(row: SftRow | DpoRow) -> JsonObject:
    view = _view(row)
    messages = view.pop("messages", [])
    if not isinstance(messages, list) or len(messages) < 2:
        raise RowRefusedError.of("not_expressible", "a prompt and a completion need two messages")
    if not isinstance(row, SftRow) or not isinstance(row.messages[-1], AssistantMessage):
        text = "the completion is the last message, which is not the assistant's"
        raise RowRefusedError.of("not_expressible", text)
    return {"prompt": messages[:-1], "completion": messages[-1:], **view}


TRL = Format("trl", ("sft", "dpo"), True, _recognise, _read, _write)
"""`{"messages", "tools"}` and `{"prompt", "chosen", "rejected", "tools"}`."""

TRL_PROMPT_COMPLETION = Format(
    "trl-prompt-completion",
    ("sft",),
    True,
    lambda value: _recognise(value) if "completion" in value else None,
    _read,
    _write_prompt_completion,
)
"""`{"prompt", "completion", "tools"}` of messages: only the last message is trained."""
