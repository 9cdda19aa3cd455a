r"""ChatML: the conversation as one text with markers, or as plain messages.

`<|im_start|>role\ntext<|im_end|>\n` for each message, in `{"text": ...}`. A message that holds a
marker is refused: it would put words into another role's mouth.
"""

import re

from pydantic import JsonValue

from finetune.dataset.formats.fields import dropped_fields, text_field
from finetune.dataset.formats.format import Encoded, Format, JsonObject, Translated
from finetune.dataset.formats.loss import Loss, RowRefusedError
from finetune.dataset.formats.openai import OPENAI
from finetune.dataset.formats.turns import Turn, plain_turns, tool_losses
from finetune.dataset.json_text import JsonPath
from finetune.dataset.rows import DatasetKind, DpoRow, SftRow

__all__ = ["CHATML", "CHATML_JSON"]

_START, _END = "<|im_start|>", "<|im_end|>"
_BLOCK = re.compile(r"<\|im_start\|>([a-z]+)\n(.*?)<\|im_end\|>(?:\n|\Z)", re.DOTALL)
_ROLES = ("system", "developer", "user", "assistant")


def _recognise(value: JsonObject) -> DatasetKind | None:
    text = value.get("text")
    return "sft" if isinstance(text, str) and text.lstrip().startswith(_START) else None


def _read(value: JsonObject) -> Translated:
    losses = dropped_fields(value, frozenset({"text"}))
    text = text_field(value, "text").lstrip()
    messages: list[JsonValue] = []
    at = 0
    while at < len(text):
        block = _BLOCK.match(text, at)
        if block is None:
            if not text[at:].strip():
                break
            reason = f"no `{_START}role` ... `{_END}` at character {at + 1}"
            raise RowRefusedError.of("wrong_value", reason, ("text",))
        role, content = block.groups()
        if role not in _ROLES:
            reason = f"the role {role!r}; ChatML text holds {', '.join(_ROLES)}"
            raise RowRefusedError.of("unrecognized_role", reason, ("text",))
        _refuse_markers(content, ("text",))
        messages.append({"role": role, "content": content})
        at = block.end()
    return Translated({"messages": messages}, losses)


def _refuse_markers(text: str, path: JsonPath) -> None:
    for marker in (_START, _END):
        if marker in text:
            reason = f"a message holds {marker}, which would end it and begin another"
            raise RowRefusedError.of("template_injection", reason, path)


def _turns(row: SftRow | DpoRow, losses: list[Loss]) -> list[Turn]:
    if not isinstance(row, SftRow):
        raise RowRefusedError.of("not_expressible", "chatml holds no preferences")
    losses += tool_losses(row)
    turns = plain_turns(row.messages, ("messages",), losses)
    for turn in turns:
        _refuse_markers(turn.text, turn.path)
    return turns


def _write(row: SftRow | DpoRow) -> Encoded:
    losses: list[Loss] = []
    turns = _turns(row, losses)
    text = "".join(f"{_START}{turn.role}\n{turn.text}{_END}\n" for turn in turns)
    return Encoded({"text": text}, losses)


def _write_json(row: SftRow | DpoRow) -> Encoded:
    losses: list[Loss] = []
    said: list[JsonValue] = [
        {"role": turn.role, "content": turn.text} for turn in _turns(row, losses)
    ]
    return Encoded({"messages": said}, losses)


CHATML = Format("chatml", ("sft",), False, _recognise, _read, _write)
"""`{"text": "<|im_start|>user\\n...<|im_end|>\\n..."}`."""

CHATML_JSON = Format("chatml-json", ("sft",), False, OPENAI.recognise, OPENAI.read, _write_json)
"""`{"messages": [{"role", "content"}]}` of text only."""
