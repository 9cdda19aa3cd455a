"""A row with where it came from: what collecting gives, curation works on, and versions record.

Training files hold rows only, in the exact shape that trainers want, so provenance has lines of
its own: `{"row": ..., "provenance": ...}`.
"""

import hashlib
from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, SerializerFunctionWrapHandler
from pydantic import model_serializer as serializer

from finetune.dataset.rows import DpoRow, Message, OutputMessage, SftRow, encode_row

__all__ = ["Provenance", "Sample", "messages_of", "row_id"]


class Provenance(BaseModel):
    """Where a row came from, as far as it is known; absent keys are not written."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    source: str = ""
    """`journal`, or the name of the file that was read, without its folder."""
    line: Annotated[int, Field(ge=0)] = 0
    """1-based line of the file; 0 for what has no lines."""
    project: str | None = None
    """The tenant that it belongs to; rows of one are never shown to another."""
    session_id: str | None = None
    run_id: str | None = None
    client_id: str | None = None
    author: str | None = None
    """Who wrote it: the client of a conversation, or whoever added the row. Caps count by it."""
    agent_name: str | None = None
    model: str | None = None
    """The reference of the model that answered."""
    strategy: str | None = None
    """How that model was chosen, such as `declared` or `fallback`."""
    status: Literal["answered", "failed", "timeout", "cancelled"] | None = None
    """How the run ended; None where nobody ran it."""
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    is_corrected: bool | None = None
    """A person wrote the answer in place of the model's."""
    label: str | None = None
    """A category, for balance and for splits by category."""
    at: FiniteFloat | None = None
    """When it was said, in seconds since 1970."""
    seconds: FiniteFloat | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: FiniteFloat | None = None
    """US dollars."""

    @serializer(mode="wrap")
    def _without_absent_keys(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {name: value for name, value in handler(self).items() if value is not None}


class Sample(NamedTuple):
    """A candidate for training: its row and its provenance."""

    row: SftRow | DpoRow
    provenance: Provenance = Provenance()

    @property
    def id(self) -> str:
        """Name the row by its content: 32 hexadecimal digits, the same for equal rows."""
        return row_id(self.row)


def row_id(row: SftRow | DpoRow) -> str:
    """Return 32 hexadecimal digits that name a row by its content."""
    return hashlib.blake2b(encode_row(row), digest_size=16).hexdigest()


def messages_of(row: SftRow | DpoRow) -> Iterator[Message | OutputMessage]:
    """Yield all messages of a row, those of a preference row's two outputs included."""
    if isinstance(row, SftRow):
        yield from row.messages
    else:
        yield from row.input.messages
        yield from row.preferred_output
        yield from row.non_preferred_output
