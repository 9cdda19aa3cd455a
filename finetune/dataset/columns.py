"""Which field of a format a column or key is: the usual names, and names that a person gives."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from pydantic import JsonValue

from finetune.dataset.problem import DatasetError, Problem

__all__ = ["FIELDS", "KNOWN_COLUMNS", "field_names", "given_names", "renamed"]

FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "question": "instruction",
        "answer": "output",
        **{
            name: name
            for name in (
                *("instruction", "input", "output", "system", "history"),
                *("prompt", "completion", "chosen", "rejected", "text"),
                *("messages", "conversations"),
            )
        },
    }
)
"""What a person may call a column, and the key that it becomes."""

_QUESTIONS = ("instruction", "question", "query", "prompt", "input", "user", "human", "q")
_ANSWERS = ("output", "answer", "response", "completion", "reply", "assistant", "a")
_SYSTEMS = ("system", "system_prompt")
KNOWN_COLUMNS: Final = frozenset(
    {*_QUESTIONS, *_ANSWERS, *_SYSTEMS, "chosen", "rejected", "text", "history"}
).union(("messages", "conversations"))
"""Lower-case names that tell what a column holds."""


def given_names(columns: Mapping[str, str]) -> dict[str, str]:
    """Return the keys that columns become by what a person called them.

    Raises:
        DatasetError: A name is none of `FIELDS`, or is given to two columns.
    """
    for column, name in columns.items():
        if name not in FIELDS:
            text = f"column {column!r} cannot be {name!r}; it may be {', '.join(FIELDS)}"
            raise DatasetError("columns", (Problem.of("wrong_value", text),))
    names = {column: FIELDS[name] for column, name in columns.items()}
    fields = list(names.values())
    if twice := [column for column in names if fields.count(names[column]) > 1]:
        text = f"columns {twice[0]!r} and {twice[1]!r} cannot both be {names[twice[0]]!r}"
        raise DatasetError("columns", (Problem.of("duplicate_key", text),))
    return names


def renamed(value: Mapping[str, JsonValue], names: Mapping[str, str]) -> dict[str, JsonValue]:
    """Return an object with its keys renamed; a key in the way is kept under another name."""
    taken = set(names.values())
    return {
        names.get(key, f"{key} (column)" if key in taken else key): said
        for key, said in value.items()
    }


def field_names(columns: Iterable[str]) -> dict[str, str]:
    """Return the keys that columns become by their names; empty when they tell nothing.

    Names that are right as they are map to themselves; columns beyond are left out.
    """
    found = {name.strip().lower(): name for name in columns}
    if "messages" in found or "conversations" in found:
        return _same(found, ("messages", "conversations", "system", "tools", "chosen", "rejected"))
    is_preference = "chosen" in found and "rejected" in found
    if is_preference and "prompt" in found and "instruction" not in found:
        return _same(found, ("prompt", "chosen", "rejected"))
    question = next((name for name in _QUESTIONS if name in found), None)
    if is_preference and question is not None:
        names = _same(found, ("input", "system", "history", "chosen", "rejected"))
        return {**names, found[question]: "instruction"}
    if "prompt" in found and "completion" in found:
        return _same(found, ("prompt", "completion"))
    answer = next((name for name in _ANSWERS if name in found), None)
    if question is not None and answer is not None:
        names = _same(found, ("history",))
        if question == "instruction":
            names |= _same(found, ("input",))
        system = next((name for name in _SYSTEMS if name in found), None)
        if system is not None:
            names[found[system]] = "system"
        return {**names, found[question]: "instruction", found[answer]: "output"}
    return {found["text"]: "completion"} if "text" in found else {}


def _same(found: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    return {found[name]: name for name in names if name in found}
