"""Cohere's chat rows, with the speakers System, User and Chatbot; the service itself is retired."""

from pydantic import JsonValue

from finetune.dataset.formats.fields import dropped_fields, objects, text_field
from finetune.dataset.formats.format import Encoded, Format, JsonObject, Translated
from finetune.dataset.formats.loss import Loss, RowRefusedError
from finetune.dataset.formats.turns import Role, plain_turns, tool_losses
from finetune.dataset.rows import DatasetKind, DpoRow, SftRow

__all__ = ["COHERE"]

_SPEAKERS: dict[Role, str] = {"system": "System", "user": "User", "assistant": "Chatbot"}
_ROLES = {speaker.lower(): role for role, speaker in _SPEAKERS.items()}


def _recognise(value: JsonObject) -> DatasetKind | None:
    messages = value.get("messages")
    if not isinstance(messages, list) or not messages:
        return None
    roles = {str(m.get("role")) for m in messages if isinstance(m, dict)}
    is_cohere = "Chatbot" in roles or "chatbot" in roles or "User" in roles
    return "sft" if is_cohere else None


def _read(value: JsonObject) -> Translated:
    losses = dropped_fields(value, frozenset({"messages"}))
    messages: list[JsonValue] = []
    for at, item in enumerate(objects(value.get("messages"), "messages", ("messages",))):
        path = ("messages", at)
        role = _ROLES.get(text_field(item, "role", path).lower())
        if role is None:
            reason = f"the role is {item.get('role')!r}, not System, User or Chatbot"
            raise RowRefusedError.of("unrecognized_role", reason, (*path, "role"))
        messages.append({"role": role, "content": text_field(item, "content", path)})
    return Translated({"messages": messages}, losses)


def _write(row: SftRow | DpoRow) -> Encoded:
    if not isinstance(row, SftRow):
        raise RowRefusedError.of("not_expressible", "cohere holds no preferences")
    losses = tool_losses(row)
    turns = plain_turns(row.messages, ("messages",), losses)
    roles = [turn.role for turn in turns]
    for role in ("user", "assistant"):
        if role not in roles:
            reason = f"no message of {_SPEAKERS[role]}"
            raise RowRefusedError.of(f"example_missing_{role}_message", reason)
    lines = [turn.text for turn in turns if turn.role == "system"]
    started = False
    for turn in turns:
        if turn.role == "system" and started:
            losses.append(Loss("system_moved", "moved to the start", turn.path))
        started = started or turn.role != "system"
    if len(lines) > 1:
        losses.append(Loss("systems_joined", f"{len(lines)} system messages", ("messages",)))
    said: list[JsonValue] = []
    if lines:
        said.append({"role": "System", "content": "\n\n".join(lines)})
    said.extend(
        {"role": _SPEAKERS[turn.role], "content": turn.text}
        for turn in turns
        if turn.role != "system"
    )
    return Encoded({"messages": said}, losses)


COHERE = Format("cohere", ("sft",), False, _recognise, _read, _write)
"""`{"messages": [{"role": "System" | "User" | "Chatbot", "content"}]}`."""
