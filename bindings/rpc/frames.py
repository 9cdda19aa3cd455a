"""One JSON-RPC message as text, and back: what is no message is refused here."""

import json
from typing import Any, cast

import orjson

from bindings.rpc.failures import InvalidRequestError, ParseError

__all__ = ["decode_frame", "encode_frame"]

_LONGEST_ID = 256
"""Characters of a request's id."""


def encode_frame(message: dict[str, Any]) -> bytes:
    """Return a message on one line; halves of surrogate pairs, which UTF-8 has not, become `?`."""
    try:
        return orjson.dumps(message)
    except TypeError:
        return orjson.dumps(_clean(message))


def decode_frame(frame: str | bytes) -> dict[str, Any]:
    """Return the message that a frame holds.

    Raises:
        ParseError: It is not JSON.
        InvalidRequestError: It is JSON, and no message.
    """
    try:
        value: Any = orjson.loads(frame)
    except orjson.JSONDecodeError as wrong:
        # JavaScript writes halves of surrogate pairs as escapes, which orjson refuses.
        value = _loads(frame, str(wrong))
    if isinstance(value, list):
        raise InvalidRequestError("batches are not accepted; send each message by itself")
    if not isinstance(value, dict):
        raise InvalidRequestError("a message is an object")
    message = cast("dict[str, Any]", value)  # the keys of a JSON object are texts
    if message.get("jsonrpc") != "2.0":
        raise InvalidRequestError('a message has "jsonrpc": "2.0"')
    request_id = message.get("id")
    if isinstance(request_id, bool) or not isinstance(request_id, str | int | None):
        raise InvalidRequestError("an id is a text or an integer")
    if isinstance(request_id, str) and len(request_id) > _LONGEST_ID:
        raise InvalidRequestError(f"an id has at most {_LONGEST_ID} characters")
    if "method" not in message:
        if "result" not in message and not isinstance(message.get("error"), dict):
            raise InvalidRequestError("a message has a method, a result or an error")
        return message
    if not isinstance(message["method"], str):
        raise InvalidRequestError("a method is a text", request_id)
    if "id" in message and request_id is None:
        raise InvalidRequestError("the id of a request may not be null")
    if not isinstance(message.get("params"), dict | None):
        raise InvalidRequestError("params are an object", request_id)
    return message


def _loads(frame: str | bytes, reason: str) -> Any:
    def refuse(text: str) -> Any:
        raise ValueError(f"{text} is not JSON")

    try:
        return _clean(json.loads(frame, parse_constant=refuse))
    except (ValueError, RecursionError):
        raise ParseError(f"the message is not JSON: {reason}") from None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, list):
        return [_clean(part) for part in cast("list[Any]", value)]
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {_clean(name): _clean(part) for name, part in fields.items()}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return float(value)
    return value
