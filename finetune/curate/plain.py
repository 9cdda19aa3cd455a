"""What a plain row says, taken out of it once for all steps that ask.

Rows are many small objects, and going through them costs more than most of what steps then do.
"""

from finetune.curate.remembered import Remembered
from finetune.dataset.plain import PlainRow
from finetune.dataset.rows import DpoRow, SftRow

__all__ = ["plain_row", "remember"]

_MESSAGES_ONLY = {"messages"}
_TEXT_ONLY = {"role", "content"}

_remembered: Remembered[PlainRow | None] = Remembered()


def plain_row(row: SftRow | DpoRow) -> PlainRow | None:
    """Return what a row says, or None where it has more than roles and texts."""
    if (known := _remembered.get(row)) is not None:
        return known[1]
    found = _take_out(row)
    remember(row, found)
    return found


def remember(row: SftRow | DpoRow, said: PlainRow | None) -> None:
    """Take note of what a row says, for whoever asks soon."""
    _remembered.keep(row, said)


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
