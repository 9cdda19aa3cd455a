"""The usual row, read in a third of the time: messages of a role and a text, and nothing else.

What is not just that, down to how the JSON is spelled, is left to `json_text` and `shape`, which
also say what is wrong with it.
"""

from collections.abc import Mapping
from functools import lru_cache
from itertools import compress
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import SchemaValidator, core_schema

from finetune.dataset.rows import (
    AssistantMessage,
    DeveloperMessage,
    SftRow,
    SystemMessage,
    UserMessage,
    encode_plain,
)

__all__ = ["PlainRow", "parse_plain_row", "read_plain_row"]

_START: Final = '{"messages":[{"role":"'


class PlainRow(NamedTuple):
    """What a supervised row of nothing but messages of a role and a text says; without tools."""

    roles: tuple[str, ...]
    contents: tuple[str, ...]
    """What each message says, also where that is nothing."""

    def said_by(self, role: str) -> str:
        """Return all that a role says, a line end between its messages."""
        return "\n".join(compress(self.contents, _which(self.roles, role)))


def parse_plain_row(text: str) -> SftRow | None:
    """Return the row of a line that is plain, and None of any other.

    It gives what `shape_row(parse(text))` gives.
    """
    found = read_plain_row(text)
    return None if found is None else found[0]


def read_plain_row(text: str) -> tuple[SftRow, PlainRow] | None:
    """Return the row of a line that is plain, with what it says, and None of any other."""
    if not text.startswith(_START):
        return None
    try:
        row: SftRow = _ROW.validate_json(text)
        roles = tuple([message.role for message in row.messages])
        contents: tuple[Any, ...] = tuple([message.content for message in row.messages])
        # Only strict JSON comes out as it went in: a key that is there twice would be gone.
        is_same = encode_plain(zip(roles, contents, strict=True)) == text.encode()
    except (ValidationError, UnicodeEncodeError):
        return None
    return (row, PlainRow(roles, contents)) if is_same else None


# Conversations of a set have few orders of roles.
@lru_cache(maxsize=1024)
def _which(roles: tuple[str, ...], role: str) -> tuple[bool, ...]:
    return tuple([own == role for own in roles])


def _schema(
    kind: type[BaseModel], given: Mapping[str, core_schema.CoreSchema]
) -> core_schema.ModelSchema:
    """Return how to make a model of some of its fields; all others stay absent."""
    absent = core_schema.with_default_schema(core_schema.none_schema(), default=None)
    fields = {name: core_schema.model_field(given.get(name, absent)) for name in kind.model_fields}
    forbid = core_schema.CoreConfig(extra_fields_behavior="forbid", strict=True)
    return core_schema.model_schema(kind, core_schema.model_fields_schema(fields), config=forbid)


def _row() -> SchemaValidator:
    roles: dict[str, core_schema.CoreSchema] = {}
    for kind in (SystemMessage, DeveloperMessage, UserMessage, AssistantMessage):
        role: str = kind.model_fields["role"].default
        given = {"role": core_schema.literal_schema([role]), "content": core_schema.str_schema()}
        roles[role] = _schema(kind, given)
    message = core_schema.tagged_union_schema(roles, discriminator="role")
    messages = core_schema.tuple_variable_schema(message, min_length=1)
    return SchemaValidator(_schema(SftRow, {"messages": messages}))


_ROW: Final = _row()
