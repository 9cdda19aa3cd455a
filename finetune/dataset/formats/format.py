"""What a format of training rows is: how its JSON objects are recognised, read and written.

The table of all formats is in `registry`. Files, lines and containers are not known here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import JsonValue

from finetune.dataset.formats.loss import Loss, RowRefusedError
from finetune.dataset.rows import DatasetKind, DpoRow, SftRow
from finetune.dataset.shape import shape_row

__all__ = ["Decoded", "Encoded", "Format", "JsonObject", "Translated", "kind_of_row", "shaped"]

JsonObject = dict[str, JsonValue]
"""One object of a training file."""


class Decoded(NamedTuple):
    """A row that was read."""

    row: SftRow | DpoRow
    losses: list[Loss]


class Encoded(NamedTuple):
    """A row in the shape of a format."""

    value: JsonObject
    losses: list[Loss]


class Translated(NamedTuple):
    """A row in OpenAI's shape that is not validated yet."""

    value: JsonObject
    losses: list[Loss]


@dataclass(frozen=True, slots=True)
class Format:
    """One format of training rows."""

    name: str
    kinds: tuple[DatasetKind, ...]
    """The kinds of rows that it can hold."""
    is_lossless: bool
    """Whether every row comes back the same after writing and reading."""
    recognise: Callable[[JsonObject], DatasetKind | None]
    """Returns the kind that an object's keys and types show, None when it is another format."""
    read: Callable[[JsonObject], Translated]
    write: Callable[[SftRow | DpoRow], Encoded]

    def decode(self, value: JsonValue) -> Decoded:
        """Return the typed row of one JSON object of this format, and what changed.

        Raises:
            RowRefusedError: The object is no row of this format, with every reason.
        """
        if not isinstance(value, dict):
            raise RowRefusedError.of("data_type", "a row is a JSON object")
        translated = self.read(value)
        return Decoded(shaped(translated.value), translated.losses)

    def encode(self, row: SftRow | DpoRow) -> Encoded:
        """Return the row as a JSON object of this format, and what changed.

        Raises:
            RowRefusedError: The format cannot hold the row.
        """
        kind = kind_of_row(row)
        if kind not in self.kinds:
            raise RowRefusedError.of("not_expressible", f"{self.name} holds no {kind} rows")
        return self.write(row)


def kind_of_row(row: SftRow | DpoRow) -> DatasetKind:
    """Return the kind of a row."""
    return "sft" if isinstance(row, SftRow) else "dpo"


def shaped(value: JsonObject) -> SftRow | DpoRow:
    """Return the typed row of an object in OpenAI's shape.

    Raises:
        RowRefusedError: With every finding about the shape.
    """
    shape = shape_row(value)
    if isinstance(shape, list):
        raise RowRefusedError(shape)
    return shape
