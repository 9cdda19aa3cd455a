"""Finds the JSON document in what a model wrote.

Models put it into a fence, think aloud before it, or explain it afterwards; none of that makes
the document wrong.
"""

import json
import math
import re
from typing import Any, NoReturn, cast

__all__ = ["UnreadableError", "read_documents"]

_LONGEST = 2_000_000
"""Characters of an answer that is looked through."""
_START = re.compile(r'\{\s*["}]')
"""Where an object may start; a brace with anything else behind it belongs to the text."""
_FENCE = re.compile(r"^[ \t]*```[\w-]*[ \t]*\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL)


class UnreadableError(ValueError):
    """An answer without a document; the message is written for the model."""


def read_documents(text: str) -> list[dict[str, Any]]:
    """Return the JSON objects of an answer, the likeliest first.

    That is the whole answer where it is one, then fenced blocks, then objects between other text;
    of several the last one comes first, since models think before they answer.

    Raises:
        UnreadableError: There is none.
    """
    text = text.strip().removeprefix("\ufeff")
    if not text:
        raise UnreadableError("the answer is empty")
    if len(text) > _LONGEST:
        raise UnreadableError("the answer is too long")
    try:
        return [_as_object(_decode(text))]
    except ValueError as wrong:
        reason = str(wrong)
    found = [document for block in _FENCE.findall(text) if (document := _try(block)) is not None]
    if not found:
        found = _between(text)
    if not found:
        raise UnreadableError(f"the answer is no JSON object: {reason}")
    return [_storable(document) for document in reversed(found)]


def _decode(text: str) -> Any:
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if isinstance(value, str) and "{" in value:  # some models encode the object twice
        return _decode(value)
    return value


def _as_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("it is JSON of another kind")
    return _storable(cast("dict[str, Any]", value))  # JSON objects have string keys


def _storable(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document that can be written as JSON again, which not all that is read can be."""
    import orjson

    try:
        orjson.dumps(document)
    except TypeError as wrong:
        raise UnreadableError(f"the document cannot be kept: {wrong}") from None
    return document


def _try(block: str) -> dict[str, Any] | None:
    try:
        value = _decode(block.strip())
    except ValueError:
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _between(text: str) -> list[dict[str, Any]]:
    """Return the objects that stand between other text, outermost only, in their order.

    Raises:
        UnreadableError: A document is broken or cut off; a part of it is not to be taken for it.
    """
    found: list[dict[str, Any]] = []
    end = 0
    for match in _START.finditer(text):
        if match.start() < end:
            continue
        try:
            value, end = _DECODER.raw_decode(text, match.start())
        except RecursionError:
            raise UnreadableError("the document is nested too deep") from None
        except ValueError as wrong:
            raise UnreadableError(f"the document is no JSON: {wrong}") from None
        found.append(value)
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number that JSON can hold")
    return value


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant)
