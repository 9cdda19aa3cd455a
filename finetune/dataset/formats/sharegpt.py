"""ShareGPT, in the dialect of LLaMA-Factory; other dialects are read too.

Turns alternate between human or observation and gpt or function_call, as the loader wants them:
one call is an object, parallel calls are a list, and so are parallel results. What the turns
cannot say (ids, names, weights, text beside a call) stands in the extra key. `sharegpt_read`
reads turns, this module writes them.
"""

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

from pydantic import JsonValue

from finetune.dataset.formats.extra import EXTRA_KEY, add_extra, use_extra
from finetune.dataset.formats.fields import arguments_value, dropped_fields
from finetune.dataset.formats.format import Encoded, Format, JsonObject, Translated
from finetune.dataset.formats.loss import Loss, RowRefusedError
from finetune.dataset.formats.sharegpt_read import IMAGE, plain_row, recognise
from finetune.dataset.json_text import JsonPath
from finetune.dataset.rows import (
    AssistantMessage,
    DeveloperMessage,
    DpoRow,
    Message,
    OutputMessage,
    SftRow,
    SystemMessage,
    TextPart,
    ToolDefinition,
    ToolMessage,
)

__all__ = ["SHAREGPT"]

_KNOWN = frozenset(
    {"conversations", "conversation", "system", "tools", "images", "chosen", "rejected", EXTRA_KEY}
)


class _Placed(NamedTuple):
    message: Message | OutputMessage
    path: JsonPath


def _read(value: JsonObject) -> Translated:
    losses = dropped_fields(value, _KNOWN)
    plain = Translated(plain_row(value), losses)
    # An absent column and an empty one are the same to the loader.
    full: JsonObject = {
        "system": "",
        "tools": "",
        **{k: v for k, v in value.items() if v is not None},
    }
    return use_extra(full, plain, lambda row: _view(row, []))


def _write(row: SftRow | DpoRow) -> Encoded:
    losses: list[Loss] = []
    view = _view(row, losses)
    return Encoded(add_extra(view, plain_row(view), row), losses)


def _view(row: SftRow | DpoRow, losses: list[Loss]) -> JsonObject:
    is_sft = isinstance(row, SftRow)
    held, path = (row, ("messages",)) if is_sft else (row.input, ("input", "messages"))
    placed = [_Placed(message, (*path, at)) for at, message in enumerate(held.messages)]
    images: list[JsonValue] = []
    system = _system(placed, losses)
    sides = _sides(p for p in placed if not _is_system(p.message))
    if is_sft and sides and not _is_answer(sides[-1]):
        reason = "turns after the last answer are kept aside; the loader refuses them"
        losses.append(Loss("turn_left_out", reason, path, is_kept=True))
        sides.pop()
    if is_sft and not sides:
        reason = "no assistant message, so there is nothing to learn"
        raise RowRefusedError.of("example_missing_assistant_message", reason, path)
    if not is_sft and (not sides or _is_answer(sides[-1])):
        reason = "the input does not end with a user or tool message"
        raise RowRefusedError.of("not_expressible", reason, path)
    turns = [_turn(side, images, losses) for side in sides]
    if _is_answer(sides[0]):
        reason = "an empty human turn before the first answer, where the loader wants one"
        losses.append(Loss("turn_inserted", reason, path, is_kept=True))
        turns.insert(0, {"from": "human", "value": ""})
    view: JsonObject = {"conversations": cast("list[JsonValue]", turns)}
    if isinstance(row, DpoRow):
        view["chosen"] = _output(row.preferred_output, "preferred_output", losses)
        view["rejected"] = _output(row.non_preferred_output, "non_preferred_output", losses)
    if images and sum(turn["value"].count(IMAGE) for turn in turns) != len(images):
        reason = f"a text holds {IMAGE}, which the loader takes for one of the row's images"
        raise RowRefusedError.of("not_expressible", reason, path)
    view["system"] = system
    view["tools"] = "" if held.tools is None else _dump([_tool(tool) for tool in held.tools])
    if images:
        view["images"] = images
    return view


def _is_system(message: Message | OutputMessage) -> bool:
    return isinstance(message, SystemMessage | DeveloperMessage)


def _system(placed: Sequence[_Placed], losses: list[Loss]) -> str:
    texts: list[str] = []
    started = False
    for message, path in placed:
        if not _is_system(message):
            started = True
            continue
        if started:
            losses.append(Loss("system_moved", "moved to the start", path, is_kept=True))
        if texts:
            losses.append(Loss("systems_joined", "joined to the first", path, is_kept=True))
        if isinstance(message, DeveloperMessage):
            reason = "written as a system message"
            losses.append(Loss("developer_as_system", reason, path, is_kept=True))
        texts.append(_text(message, path, None, losses))
    return "\n\n".join(texts)


def _sides(spoken: Iterable[_Placed]) -> list[list[_Placed]]:
    """Divide messages into runs of the asking and of the answering side."""
    sides: list[list[_Placed]] = []
    for item in spoken:
        if sides and _is_answer(sides[-1]) == isinstance(item.message, AssistantMessage):
            sides[-1].append(item)
        else:
            sides.append([item])
    return sides


def _is_answer(side: Sequence[_Placed]) -> bool:
    return isinstance(side[0].message, AssistantMessage)


def _turn(
    side: Sequence[_Placed], images: list[JsonValue] | None, losses: list[Loss]
) -> dict[str, str]:
    texts = [_text(item.message, item.path, images, losses) for item in side]
    if all(isinstance(item.message, ToolMessage) for item in side):
        # Results of parallel calls are a list, as the calls are.
        value = texts[0] if len(texts) == 1 else json.dumps(texts, ensure_ascii=False)
        return {"from": "observation", "value": value}
    if len(side) > 1:
        reason = f"{len(side)} consecutive messages in one turn"
        losses.append(Loss("turns_merged", reason, side[0].path, is_kept=True))
    calls: list[JsonValue] = []
    for (message, path), text in zip(side, texts, strict=True):
        if not isinstance(message, AssistantMessage):
            continue
        if message.weight == 0:
            reason = "the loader trains the message all the same; its weight is kept aside"
            losses.append(Loss("weight_not_applied", reason, path, is_kept=True))
        calls.extend(
            _call(call.function.name, call.function.arguments, path, losses)
            for call in message.tool_calls or ()
        )
        if message.tool_calls and text:
            reason = "the text beside the call is kept aside and not trained"
            losses.append(Loss("call_text_hidden", reason, path, is_kept=True))
    if calls:
        return {"from": "function_call", "value": _dump(calls[0] if len(calls) == 1 else calls)}
    return {"from": "gpt" if _is_answer(side) else "human", "value": "\n\n".join(texts)}


def _output(output: tuple[OutputMessage, ...], key: str, losses: list[Loss]) -> JsonValue:
    first = output[0]
    if not isinstance(first, AssistantMessage):
        reason = "an output begins with the assistant's message"
        raise RowRefusedError.of("not_expressible", reason, (key, 0))
    if len(output) > 1:
        reason = f"the first of {len(output)} messages; the rest is kept aside"
        losses.append(Loss("output_cut", reason, (key,), is_kept=True))
    return cast("JsonValue", _turn([_Placed(first, (key, 0))], None, losses))


def _text(
    message: Message | OutputMessage,
    path: JsonPath,
    images: list[JsonValue] | None,
    losses: list[Loss],
) -> str:
    content = message.content
    if isinstance(message, AssistantMessage) and message.refusal:
        if content is None:
            reason = "the refusal is written as text"
            losses.append(Loss("refusal_as_content", reason, path, is_kept=True))
            return message.refusal
        reason = "a refusal beside content is kept aside and not trained"
        losses.append(Loss("field_dropped", reason, path, is_kept=True))
    if content is None or isinstance(content, str):
        return content or ""
    pieces: list[str] = []
    for part in content:
        if isinstance(part, TextPart):
            pieces.append(part.text)
        elif images is None:
            reason = f"an image in a message of {message.role}"
            raise RowRefusedError.of("not_expressible", reason, path)
        else:
            pieces.append(IMAGE)
            images.append(part.image_url.url)
    return "\n".join(pieces)


def _call(name: str, arguments: str, path: JsonPath, losses: list[Loss]) -> JsonValue:
    value = arguments_value(arguments)
    if isinstance(value, str):
        reason = f"the arguments of {name[:64]!r} are no JSON object"
        losses.append(Loss("arguments_not_object", reason, path, is_kept=True))
    return {"name": name, "arguments": value}


def _tool(tool: ToolDefinition) -> JsonValue:
    function: JsonObject = tool.function.model_dump(mode="json")
    parameters = function.get("parameters")
    known: JsonObject = dict(parameters) if isinstance(parameters, dict) else {}
    # The loader reads parameters.properties of every tool.
    known.setdefault("type", "object")
    known.setdefault("properties", {})
    function["parameters"] = known
    return function


def _dump(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)


SHAREGPT = Format("sharegpt", ("sft", "dpo"), True, recognise, _read, _write)
"""`{"conversations": [{"from", "value"}], "system", "tools"}`, with `chosen` and `rejected`."""
