"""What is kept: JSON values as text, so that nobody holds a piece of another's value."""

import json
import math
from collections.abc import Mapping
from typing import Any, cast

from pydantic import JsonValue

from swarm.errors import InvalidIdError
from swarm.memory.errors import NotJsonError

__all__ = ["ItemId", "as_item", "decode_value", "encode_value", "item_key"]

ItemId = str | int
"""What names an item of a storage; `1` and `"1"` are two."""

_MAX_DEPTH = 100
_MAX_BITS = 4096


def encode_value(value: object, place: str) -> str:
    """Return a value as JSON text.

    Args:
        value: Null, a boolean, a number, text, a list or a mapping with text as keys.
        place: What errors call it: `state 'cart'`.

    Raises:
        NotJsonError: It is something else, or too deep; says where.
    """
    _check(value, place, "", 0)
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def decode_value(text: str) -> JsonValue:
    """Return a fresh value from text that `encode_value` made."""
    return json.loads(text)


def item_key(item_id: object, place: str) -> str:
    """Return an item's id as its row has it.

    Raises:
        InvalidIdError: It is neither a whole number nor text, or it is empty, over 256
            characters, a path, or has control characters.
    """
    if isinstance(item_id, int) and not isinstance(item_id, bool) and abs(item_id) < 2**63:
        return str(int(item_id))
    if not isinstance(item_id, str):
        raise InvalidIdError(f"{place}: an item's `id` is text or a whole number, not {item_id!r}")
    if not 0 < len(item_id) <= 256:
        raise InvalidIdError(f"{place}: an item's `id` has 1 to 256 characters, not {len(item_id)}")
    steps = item_id.split("/")
    if "\\" in item_id or not steps[0] or "." in steps or ".." in steps:
        raise InvalidIdError(f"{place}: the id {item_id!r} reads like a path")
    if not item_id.isprintable():
        raise InvalidIdError(f"{place}: the id {item_id!r} has control characters")
    return json.dumps(str(item_id), ensure_ascii=False)


def _check(value: object, place: str, path: str, depth: int) -> None:
    """Refuse what `json.dumps` would refuse with a poor message, or change in silence."""
    where = f"{place}{' at ' + path if path else ''}"
    if depth > _MAX_DEPTH:
        raise NotJsonError(f"{place}: lists and mappings stand more than {_MAX_DEPTH} deep")
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if value.bit_length() > _MAX_BITS:
            raise NotJsonError(f"{where}: a number of more than {_MAX_BITS} bits")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise NotJsonError(f"{where}: {value} is no JSON number")
    elif isinstance(value, list | tuple):
        for place_in_list, part in enumerate(cast("list[object]", value)):
            _check(part, place, f"{path}[{place_in_list}]", depth + 1)
    elif isinstance(value, dict):
        for key, part in cast("dict[object, object]", value).items():
            if not isinstance(key, str):
                raise NotJsonError(f"{where}: the key {key!r} is not text")
            _check(part, place, f"{path}.{key}" if path else key, depth + 1)
    else:
        kind = type(value).__name__
        hint = "; pass its `model_dump(mode='json')`" if hasattr(value, "model_dump") else ""
        raise NotJsonError(f"{where}: {kind} is not JSON{hint}")


def as_item(item: object, place: str) -> dict[str, Any]:
    """Return an item of a storage as a plain mapping.

    Raises:
        NotJsonError: It is no mapping.
    """
    if not isinstance(item, Mapping):
        raise NotJsonError(f"{place}: an item is a mapping, not {type(item).__name__}")
    return dict(cast("Mapping[str, Any]", item))
