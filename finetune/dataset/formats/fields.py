"""Typed access to the keys of untrusted JSON objects, with refusals that name the key."""

import json

from pydantic import JsonValue

from finetune.dataset.formats.format import JsonObject
from finetune.dataset.formats.loss import Loss, RowRefusedError
from finetune.dataset.json_text import JsonPath, JsonTextError, parse

__all__ = ["arguments_text", "arguments_value", "dropped_fields", "objects", "text_field"]


def text_field(value: JsonObject, key: str, path: JsonPath = ()) -> str:
    """Return a string; an absent or null key is an empty one.

    Raises:
        RowRefusedError: The value is something else.
    """
    found = value.get(key)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise RowRefusedError.of("wrong_type", f"`{key}` is not a string", (*path, key))
    return found


def objects(value: JsonValue, key: str, path: JsonPath = ()) -> list[JsonObject]:
    """Return a list of objects.

    Raises:
        RowRefusedError: The value is something else.
    """
    if not isinstance(value, list):
        raise RowRefusedError.of("wrong_type", f"`{key}` is not a list", path)
    found: list[JsonObject] = []
    for at, item in enumerate(value):
        if not isinstance(item, dict):
            message = f"item {at + 1} of `{key}` is not an object"
            raise RowRefusedError.of("wrong_type", message, (*path, at))
        found.append(item)
    return found


def dropped_fields(value: JsonObject, known: frozenset[str]) -> list[Loss]:
    """Return a loss for each key that the format does not have and that says something."""
    return [
        Loss("field_dropped", f"the format has no key `{key[:80]}`", (key,))
        for key, said in value.items()
        if key not in known and said is not None
    ]


def arguments_value(text: str) -> JsonValue:
    """Return the arguments of a call as an object; the text itself where it holds none."""
    try:
        value = parse(text)
    except JsonTextError:
        return text
    return value if isinstance(value, dict) else text


def arguments_text(value: JsonValue) -> str:
    """Return the arguments of a call as OpenAI's files hold them: a string of JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
