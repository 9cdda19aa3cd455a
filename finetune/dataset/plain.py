"""The usual row, read in a third of the time: messages of a role and a text, and nothing else.

What is not just that, down to how the JSON is spelled, is left to `json_text` and `shape`, which
also say what is wrong with it.
"""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic_core import SchemaValidator, core_schema

from finetune.dataset.rows import (
    AssistantMessage,
    DeveloperMessage,
    SftRow,
    SystemMessage,
    UserMessage,
    encode_row,
)

__all__ = ["parse_plain_row"]

_START: Final = '{"messages":[{"role":"'


def parse_plain_row(text: str) -> SftRow | None:
    """Return the row of a line that is plain, and None of any other.

    It gives what `shape_row(parse(text))` gives.
    """
    if not text.startswith(_START):
        return None
    try:
        row: SftRow = _ROW.validate_json(text)
        # Only strict JSON comes out as it went in: a key that is there twice would be gone.
        return row if encode_row(row) == text.encode() else None
    except (ValidationError, UnicodeEncodeError):
        return None


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
