"""Strict JSON, and where in its text a value stands.

`parse` refuses what `json.loads` lets through (NaN, duplicate keys, half surrogate pairs,
unbounded depth) and says at which character; `locate` finds paths. Neither recurses on input.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, cast

from pydantic import JsonValue

__all__ = ["MAX_DEPTH", "JsonPath", "JsonTextError", "Place", "locate", "parse"]

MAX_DEPTH = 64
"""Deepest nesting of brackets; the later steps recurse and rely on it."""

JsonPath = tuple[str | int, ...]
"""Keys and list positions that lead to a value."""

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")


class JsonTextError(Exception):
    """The text is not strict JSON; never leaves this package."""

    def __init__(self, code: str, message: str, offset: int) -> None:
        self.code, self.message, self.offset = code, message, offset
        super().__init__(f"{message} at {offset}")


class Place(NamedTuple):
    """Offsets of one path in a text."""

    key: int
    """The key, or the value again where the last step is a list position."""
    value: int


class _DuplicateKey(Exception):
    pass


class _NotFinite(Exception):
    pass


def parse(text: str) -> JsonValue:
    """Return the value of a strict JSON text.

    Raises:
        JsonTextError: With the code of `problem.CODES`, the reason and the character offset.
    """
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(text)
    try:
        value = cast("JsonValue", _DECODER.decode(text))  # typeshed says Any
    except json.JSONDecodeError as error:
        message, offset = _reason(error, text)
        raise JsonTextError("invalid_json", message, offset) from None
    except _NotFinite:
        at, token = next(t for t in _tokens(text) if _is_not_finite(t[1]))
        raise JsonTextError("not_finite", f"{token[:20]} is not a JSON number", at) from None
    except _DuplicateKey:
        at, key = _second_key(text)
        raise JsonTextError("duplicate_key", f"the key {key[:80]!r} appears twice", at) from None
    except ValueError:  # an integer of thousands of digits
        at = next(at for at, token in _tokens(text) if len(token) > 4300 and token[0] != '"')
        raise JsonTextError("invalid_json", "a number of thousands of digits", at) from None
    if _HALF_PAIR.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            _refuse_half_pair(text)
    return value


def locate(text: str, paths: Iterable[JsonPath]) -> dict[JsonPath, Place]:
    """Return where the given paths stand in a JSON text; paths that are not there are left out."""
    wanted = set(paths)
    found: dict[JsonPath, Place] = {}
    path: list[str | int] = []  # of the value that comes next, or of the container that is open
    kinds: list[Literal["{", "["]] = []
    key_at, is_key = -1, False
    for at, token in _tokens(text):
        if token == ":":
            is_key = False
        elif token == ",":
            if kinds and kinds[-1] == "[":
                path[-1] = cast("int", path[-1]) + 1  # the frame is a list, so its step is a number
            is_key = bool(kinds) and kinds[-1] == "{"
            key_at = -1
        elif token in ("}", "]"):
            if kinds:
                kinds.pop()
                path.pop()
        elif is_key:
            path[-1] = json.loads(token)
            key_at = at
        else:
            here = tuple(path)
            if here in wanted and here not in found:
                found[here] = Place(key_at if key_at >= 0 else at, at)
            key_at = -1
            if token == "{":
                kinds.append("{")
                path.append("")
                is_key = True
            elif token == "[":
                kinds.append("[")
                path.append(0)
    return found


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    for match in _TOKEN.finditer(text):
        yield match.start(), match.group()


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _DuplicateKey
    return value


def _finite(token: str) -> float:
    value = float(token)
    if value in (float("inf"), float("-inf")):
        raise _NotFinite
    return value


def _refuse(token: str) -> float:
    raise _NotFinite(token)


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_refuse)


def _is_not_finite(token: str) -> bool:
    if token in ("NaN", "Infinity", "-Infinity"):
        return True
    return token[0] in "-0123456789" and float(token) in (float("inf"), float("-inf"))


def _check_depth(text: str) -> None:
    depth = 0
    for at, token in _tokens(text):
        if token in ("{", "["):
            depth += 1
            if depth > MAX_DEPTH:
                raise JsonTextError("line_too_deep", f"nested deeper than {MAX_DEPTH} levels", at)
        elif token in ("}", "]"):
            depth -= 1


def _refuse_half_pair(text: str) -> None:
    for at, token in _tokens(text):
        if token[0] == '"' and _HALF_PAIR.search(token):
            try:
                json.loads(token).encode("utf-8")
            except UnicodeEncodeError:
                message = "half of a surrogate pair; write the character itself"
                raise JsonTextError("invalid_unicode", message, at) from None


def _second_key(text: str) -> tuple[int, str]:
    seen: list[set[str]] = []
    opened: list[str] = []
    before = ""
    for at, token in _tokens(text):
        if token in ("{", "["):
            opened.append(token)
            seen.append(set())
        elif token in ("}", "]"):
            opened.pop()
            seen.pop()
        elif token[0] == '"' and opened and opened[-1] == "{" and before in ("{", ","):
            key = json.loads(token)
            if key in seen[-1]:
                return at, key
            seen[-1].add(key)
        before = token
    raise AssertionError("the decoder saw a duplicate key that the tokens do not show")


def _reason(error: json.JSONDecodeError, text: str) -> tuple[str, int]:
    """Say what is wrong with quotes, commas or brackets; the same words on every Python."""
    at = error.pos
    rest = text[at:].lstrip()
    before = text[:at].rstrip()
    if text.startswith("\ufeff"):
        return "a byte order mark in the middle of the file; were two files joined?", 0
    if error.msg.startswith("Extra data"):
        if "\r" in text:
            return "lines that end in a carriage return alone; end them in a line feed", at
        if before[-1:] in ("}", "]") and rest[:1] in ("{", "["):
            return "a second JSON value on the line; put each row on a line of its own", at
        return "text after the end of the JSON value", at
    if error.msg.startswith("Unterminated string"):
        return "a string without its closing double quote", at
    if error.msg.startswith("Invalid control character"):
        return "a raw tab or control character inside a string; escape it", at
    if error.msg.startswith("Invalid \\"):
        return "a backslash that starts no JSON escape; write it twice", at
    if not rest:
        return "the line ends early; a bracket, brace or quote is not closed on this line", at
    if rest[0] in "}]" and before.endswith(","):
        return "a comma before a closing bracket; remove it", len(before) - 1
    if rest[0] == "," and rest[1:].lstrip()[:1] in ("}", "]"):
        return "a comma before a closing bracket; remove it", at
    if rest[0] == "'":
        return "single quotes; JSON strings need double quotes", at
    if rest.startswith(("True", "False", "None")):
        return "a Python word; JSON writes true, false and null", at
    if error.msg.startswith("Expecting ','"):
        return "a comma or a closing bracket is missing before this", at
    if error.msg.startswith("Expecting ':'"):
        return "a colon is missing after the key", at
    if error.msg.startswith("Expecting property name"):
        return "a key in double quotes is expected here", at
    return "a JSON value is expected here", at
