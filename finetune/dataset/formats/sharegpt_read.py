"""Reads ShareGPT's turns, in all dialects that are known, as one row in OpenAI's shape.

Speakers are human and gpt or user and assistant; calls are function_call turns; results are
observation or tool turns. Turns have `from` and `value`, or `role` and `content`.
"""

import json

from pydantic import JsonValue

from finetune.dataset.formats.fields import arguments_text, objects, text_field
from finetune.dataset.formats.format import JsonObject
from finetune.dataset.formats.loss import RowRefusedError
from finetune.dataset.json_text import JsonPath, JsonTextError, parse
from finetune.dataset.rows import DatasetKind

__all__ = ["IMAGE", "plain_row", "recognise"]

IMAGE = "<image>"
"""Stands in a text where one of the row's images belongs."""

_BETWEEN_RESULTS = "\n</tool_response>\n<tool_response>\n"
_SPEAKERS = {
    **dict.fromkeys(("system",), "system"),
    **dict.fromkeys(("human", "user"), "user"),
    **dict.fromkeys(("gpt", "assistant", "chatgpt", "bing", "bard", "model", "bot"), "assistant"),
    **dict.fromkeys(("function_call", "tool_call"), "call"),
    **dict.fromkeys(("observation", "tool", "function_response", "tool_response"), "result"),
}


def recognise(value: JsonObject) -> DatasetKind | None:
    """Return the kind of an object in any dialect of ShareGPT; None for other objects."""
    turns = value.get("conversations", value.get("conversation"))
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        return None
    return "dpo" if value.get("chosen") and value.get("rejected") else "sft"


def plain_row(value: JsonObject) -> JsonObject:
    """Return what the standard keys say.

    Raises:
        RowRefusedError: They are no row.
    """
    images = value.get("images") or []
    reader = _Turns(list(images) if isinstance(images, list) else [images])
    if system := text_field(value, "system"):
        reader.messages.append({"role": "system", "content": system})
    key = "conversations" if "conversations" in value else "conversation"
    for at, turn in enumerate(objects(value.get(key), key, (key,))):
        reader.add(turn, (key, at))
    row: JsonObject = {"messages": reader.messages}
    if (tools := _tools(value.get("tools"))) is not None:
        row["tools"] = tools
    if not (value.get("chosen") or value.get("rejected")):
        return row
    count = reader.count
    outputs: JsonObject = {}
    for name, output in (("chosen", "preferred_output"), ("rejected", "non_preferred_output")):
        said = value.get(name)
        part = _Turns([])
        part.count = count
        turn: JsonValue = {"from": "gpt", "value": said} if isinstance(said, str) else said
        turns: JsonValue = turn if isinstance(turn, list) else [turn]
        for at, item in enumerate(objects(turns, name)):
            part.add(item, (name, at))
        outputs[output] = part.messages
    return {"input": row, **outputs}


class _Turns:
    """The messages so far, and the calls that wait for their results."""

    def __init__(self, images: list[JsonValue]) -> None:
        self.messages: list[JsonValue] = []
        self.count = 0
        """Calls so far; ids are made of it, the same at every reading."""
        self._images = images
        self._open: list[str] = []

    def add(self, turn: JsonObject, path: JsonPath) -> None:
        """Add the messages of one turn."""
        said = turn.get("from", turn.get("role"))
        speaker = _SPEAKERS.get(said.lower()) if isinstance(said, str) else None
        value = text_field(turn, "value" if "value" in turn else "content", path)
        if speaker is None:
            reason = f"the speaker is {str(said)[:40]!r}; known are {', '.join(_SPEAKERS)}"
            raise RowRefusedError.of("unrecognized_role", reason, path)
        if speaker == "call":
            self._add_calls(value, path)
        elif speaker == "result":
            self._add_results(value)
        else:
            content = self._content(value) if speaker == "user" else value
            self.messages.append({"role": speaker, "content": content})
            self._open = []

    def _add_calls(self, value: str, path: JsonPath) -> None:
        try:
            parsed = parse(value)
        except JsonTextError as error:
            reason = f"a function_call is JSON with name and arguments: {error.message}"
            raise RowRefusedError.of("invalid_json", reason, (*path, "value")) from None
        calls: list[JsonValue] = []
        self._open = []
        for call in objects(parsed if isinstance(parsed, list) else [parsed], "value", path):
            self.count += 1
            self._open.append(f"call_{self.count}")
            name = text_field(call, "name", path)
            arguments = arguments_text(call.get("arguments", call.get("parameters", {})))
            function: JsonObject = {"name": name, "arguments": arguments}
            calls.append({"id": self._open[-1], "type": "function", "function": function})
        if not calls:
            raise RowRefusedError.of("empty_tool_calls", "a function_call without calls", path)
        self.messages.append({"role": "assistant", "content": None, "tool_calls": calls})

    def _add_results(self, value: str) -> None:
        # Whatever is not answered, or answers nothing, is found when the row is checked.
        for text in _results(value, len(self._open)):
            call_id = self._open.pop(0) if self._open else ""
            self.messages.append({"role": "tool", "tool_call_id": call_id, "content": text})

    def _content(self, text: str) -> JsonValue:
        count = text.count(IMAGE)
        if not self._images or not count:
            return text
        taken, self._images = self._images[:count], self._images[count:]
        parts: list[JsonValue] = []
        for at, piece in enumerate(text.split(IMAGE, len(taken))):
            if at:
                parts.append({"type": "image_url", "image_url": {"url": taken[at - 1]}})
                piece = piece.removeprefix("\n")
            if at < len(taken):
                piece = piece.removesuffix("\n")
            if piece:
                parts.append({"type": "text", "text": piece})
        return parts


def _results(value: str, expected: int) -> list[str]:
    if expected < 2:
        return [value]
    try:
        parsed = parse(value)
    except JsonTextError:
        parsed = None
    if isinstance(parsed, list) and 1 < len(parsed) <= expected:
        return [p if isinstance(p, str) else json.dumps(p, ensure_ascii=False) for p in parsed]
    parts = value.split(_BETWEEN_RESULTS)
    return parts if len(parts) == expected else [value]


def _tools(value: JsonValue) -> JsonValue:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = parse(value)
        except JsonTextError as error:
            reason = f"`tools` is a string, but not of JSON: {error.message}"
            raise RowRefusedError.of("wrong_value", reason, ("tools",)) from None
    return [
        tool if "function" in tool else {"type": "function", "function": tool}
        for tool in objects(value, "tools", ("tools",))
    ]
