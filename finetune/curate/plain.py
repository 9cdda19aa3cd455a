"""What a plain row says, taken out of it once for all steps that ask.

Rows are many small objects, and going through them costs more than most of what steps then do.
"""

from finetune.dataset.plain import PlainRow
from finetune.dataset.rows import DpoRow, SftRow

__all__ = ["plain_row", "remember"]

_MESSAGES_ONLY = {"messages"}
_TEXT_ONLY = {"role", "content"}
_MOST = 1024
"""Rows that are remembered; a worker looks at fewer together."""


_remembered: dict[int, tuple[SftRow | DpoRow, PlainRow | None]] = {}


def plain_row(row: SftRow | DpoRow) -> PlainRow | None:
    """Return what a row says, or None where it has more than roles and texts."""
    # A row never changes, so the same object says the same.
    known = _remembered.get(id(row))
    if known is not None and known[0] is row:
        return known[1]
    found = _take_out(row)
    remember(row, found)
    return found


def remember(row: SftRow | DpoRow, said: PlainRow | None) -> None:
    """Take note of what a row says, for whoever asks soon."""
    if len(_remembered) >= _MOST:
        _remembered.clear()
    _remembered[id(row)] = row, said


def _take_out(row: SftRow | DpoRow) -> PlainRow | None:
    if row.model_fields_set != _MESSAGES_ONLY or not isinstance(row, SftRow):
        return None
    roles: list[str] = []
    contents: list[str] = []
    for message in row.messages:
        content = message.content
        if not message.model_fields_set <= _TEXT_ONLY or not isinstance(content, str):
            return None
        roles.append(message.role)
        contents.append(content)
    return PlainRow(tuple(roles), tuple(contents))
