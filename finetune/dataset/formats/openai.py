"""OpenAI's supervised and preference rows: the shape that all others are translated to.

Old rows with `functions` and `function_call` are read and translated; new rows never have them.
"""

from pydantic import JsonValue

from finetune.dataset.formats.extra import EXTRA_KEY
from finetune.dataset.formats.fields import dropped_fields, objects
from finetune.dataset.formats.format import Encoded, Format, JsonObject, Translated
from finetune.dataset.formats.loss import Loss, RowRefusedError
from finetune.dataset.rows import DatasetKind, DpoRow, SftRow
from finetune.dataset.shape import kind_of

__all__ = ["OPENAI", "new_functions"]

_SFT_KEYS = frozenset({"messages", "tools", "parallel_tool_calls", "functions"})
_DPO_KEYS = frozenset({"input", "preferred_output", "non_preferred_output"})


def new_functions(holder: JsonObject) -> tuple[JsonObject, list[Loss]]:
    """Return a row, or the input of a preference row, with tools in place of functions."""
    messages = holder.get("messages")
    if not isinstance(messages, list):
        return holder, []
    is_old = "functions" in holder or any(
        isinstance(m, dict) and ("function_call" in m or m.get("role") == "function")
        for m in messages
    )
    if not is_old:
        return holder, []
    new = dict(holder)
    functions = new.pop("functions", None)
    if functions is not None and "tools" not in new:
        declared = objects(functions, "functions", ("functions",))
        new["tools"] = [{"type": "function", "function": item} for item in declared]
    new["messages"] = _new_messages(messages)
    text = "`functions` and `function_call` were translated to `tools` and `tool_calls`"
    return new, [Loss("functions_translated", text, ("messages",))]


def _new_messages(messages: list[JsonValue]) -> list[JsonValue]:
    found: list[JsonValue] = []
    count = 0
    for message in messages:
        if not isinstance(message, dict):
            found.append(message)
            continue
        new = dict(message)
        if "function_call" in new:
            call = new.pop("function_call")
            if call is not None:
                count += 1
                new["tool_calls"] = [{"id": f"call_{count}", "type": "function", "function": call}]
        if new.get("role") == "function":
            # The old format had one open call at a time, which the message answers.
            new = {"role": "tool", "tool_call_id": f"call_{count}", **new, **{"role": "tool"}}
        found.append(new)
    return found


def _recognise(value: JsonObject) -> DatasetKind | None:
    row = value.get("row")
    kind = kind_of(row if isinstance(row, dict) else value)
    if kind == "dpo" and isinstance(value.get("input"), str):
        return None  # Alpaca's `input`
    return kind


def _read(value: JsonObject) -> Translated:
    if isinstance(value.get("row"), dict):  # a line of a file of samples
        read = _read(_object(value["row"]))
        losses = dropped_fields(value, frozenset({"row"}))
        return Translated(read.value, [*losses, *read.losses])
    if kind_of(value) == "dpo":
        kept: JsonObject = {k: v for k, v in value.items() if k in _DPO_KEYS}
        losses = dropped_fields(value, _DPO_KEYS)
        if isinstance(kept.get("input"), dict):
            holder, more = new_functions(_object(kept["input"]))
            kept["input"] = holder
            losses += more
        return Translated(kept, losses)
    if "messages" not in value:
        return Translated(value, [])  # the shape says what is missing
    if value.get(EXTRA_KEY) is not None:
        text = f"`{EXTRA_KEY}` is a key of TRL's rows; read the file as trl"
        raise RowRefusedError.of("mixed_formats", text, (EXTRA_KEY,))
    losses = dropped_fields(value, _SFT_KEYS)
    new, more = new_functions({k: v for k, v in value.items() if k in _SFT_KEYS})
    return Translated(new, losses + more)


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _write(row: SftRow | DpoRow) -> Encoded:
    return Encoded(row.model_dump(mode="json"), [])


OPENAI = Format("openai", ("sft", "dpo"), True, _recognise, _read, _write)
"""`{"messages"}` and `{"input", "preferred_output", "non_preferred_output"}`."""
