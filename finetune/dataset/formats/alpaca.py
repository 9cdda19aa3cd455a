"""Alpaca: instruction, input, output, with system, history and preferences.

Instruction and input are one prompt, joined by a line break as LLaMA-Factory does. Tools, and
whatever else plain text cannot say, is lost and reported.
"""

from pydantic import JsonValue

from finetune.dataset.formats.fields import dropped_fields, text_field
from finetune.dataset.formats.format import Encoded, Format, JsonObject, Translated
from finetune.dataset.formats.loss import Loss, RowRefusedError
from finetune.dataset.formats.turns import exchanges, plain_turns, tool_losses
from finetune.dataset.rows import DatasetKind, DpoRow, OutputMessage, SftRow

__all__ = ["ALPACA"]

_KNOWN = frozenset({"instruction", "input", "output", "system", "history", "chosen", "rejected"})


def _recognise(value: JsonObject) -> DatasetKind | None:
    if not isinstance(value.get("instruction"), str):
        return None
    if isinstance(value.get("chosen"), str) and isinstance(value.get("rejected"), str):
        return "dpo"
    return "sft" if isinstance(value.get("output"), str) else None


def _read(value: JsonObject) -> Translated:
    losses = dropped_fields(value, _KNOWN)
    messages: list[JsonValue] = []
    if system := text_field(value, "system"):
        messages.append({"role": "system", "content": system})
    history = value.get("history") or []
    for at, pair in enumerate(history if isinstance(history, list) else [history]):
        match pair:
            case [str(question), str(answer)]:
                messages.append({"role": "user", "content": question})
                messages.append({"role": "assistant", "content": answer})
            case _:
                reason = "an item of `history` is a question and an answer"
                raise RowRefusedError.of("wrong_type", reason, ("history", at))
    if value.get("instruction") is None:
        raise RowRefusedError.of("missing_key", "the key `instruction` is missing")
    texts = [text for key in ("instruction", "input") if (text := text_field(value, key))]
    if len(texts) > 1:
        losses.append(Loss("input_joined", "joined to the instruction", ("input",)))
    messages.append({"role": "user", "content": "\n".join(texts)})
    if "chosen" in value or "rejected" in value:
        chosen, rejected = _answer(value, "chosen"), _answer(value, "rejected")
        return Translated(
            {
                "input": {"messages": messages},
                "preferred_output": [chosen],
                "non_preferred_output": [rejected],
            },
            losses,
        )
    messages.append(_answer(value, "output"))
    return Translated({"messages": messages}, losses)


def _answer(value: JsonObject, key: str) -> JsonObject:
    if value.get(key) is None:
        raise RowRefusedError.of("missing_key", f"the key `{key}` is missing")
    return {"role": "assistant", "content": text_field(value, key)}


def _write(row: SftRow | DpoRow) -> Encoded:
    held = row if isinstance(row, SftRow) else row.input
    path = ("messages",) if isinstance(row, SftRow) else ("input", "messages")
    losses = tool_losses(held)
    turns = plain_turns(held.messages, path, losses)
    system, pairs, question = exchanges(turns, losses)
    value: JsonObject = {}
    if isinstance(row, SftRow):
        if not pairs:
            raise RowRefusedError.of("example_missing_assistant_message", "no answer to a question")
        if question:
            losses.append(Loss("turn_left_out", "a question without an answer", path))
        *history, last = pairs
        value = {"instruction": last.question, "input": "", "output": last.answer}
    else:
        if not question:
            reason = "the input does not end with a user message"
            raise RowRefusedError.of("not_expressible", reason, path)
        history = pairs
        value = {"instruction": question, "input": ""}
        value["chosen"] = _output(row.preferred_output, "preferred_output", losses)
        value["rejected"] = _output(row.non_preferred_output, "non_preferred_output", losses)
    if system:
        value["system"] = system
    if history:
        value["history"] = [[pair.question, pair.answer] for pair in history]
    return Encoded(value, losses)


def _output(output: tuple[OutputMessage, ...], key: str, losses: list[Loss]) -> str:
    turns = plain_turns(output, (key,), losses)
    losses.extend(
        Loss("turns_merged", "a second assistant message", turn.path) for turn in turns[1:]
    )
    return "\n\n".join(turn.text for turn in turns)


ALPACA = Format("alpaca", ("sft", "dpo"), False, _recognise, _read, _write)
"""`{"instruction", "input", "output", "system", "history"}`, or `chosen` and `rejected`."""
