"""One YAML file as plain data, with the place of every key and every value.

YAML here is data: no tags, no merge keys, no duplicate keys, bounded size, depth and number of
values. Plain scalars are read as YAML 1.2 reads them, so `yes` and `12:30` are text. Which
sections there are, and what they hold, is known to `declarative.project` and `declarative.build`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from declarative import compose
from declarative.compose import MAX_DEPTH, MAX_VALUES, Node, Position, Scalar, child_path
from declarative.substitute import SubstitutionError, substitute
from swarm.errors import Problem
from swarm.secrets import is_secret

__all__ = ["MAX_BYTES", "Allowance", "Document", "read_document"]

MAX_BYTES = 1024 * 1024
"""How large one file may be."""

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LONGEST_NUMBER = 100


@dataclass(slots=True)
class Allowance:
    """How many more values may be read; shared by a document and its includes."""

    values: int = MAX_VALUES


@dataclass(slots=True)
class Document:
    """One file after reading."""

    path: Path
    file: str
    """What problems call it."""
    data: JsonValue = None
    keys: dict[str, Position] = field(default_factory=dict[str, Position])
    """Where the key of each path stands."""
    values: dict[str, Position] = field(default_factory=dict[str, Position])
    """Where the value of each path starts."""
    secrets: dict[str, str] = field(default_factory=dict[str, str])
    """The variable with a key that went into the value of a path."""
    spoiled: set[str] = field(default_factory=set[str])
    """Paths whose value could not be read, so that nothing more can be said about it."""
    problems: list[Problem] = field(default_factory=list[Problem])


class _TooManyError(Exception):
    """The allowance is used up."""


def read_document(
    path: Path,
    file: str,
    environment: Mapping[str, str],
    allowance: Allowance | None = None,
) -> Document:
    """Read one file; whatever is wrong with it is in the document's problems.

    Args:
        path: The file.
        file: What problems call it.
        environment: The variables for `${NAME}`.
        allowance: How many values may still be read.
    """
    document = Document(path, file)
    document.values[""] = Position(1, 1)
    text = _read_text(document)
    if text is None:
        return document
    root, document.problems = compose.compose(text, file)
    if document.problems and root is None:
        return document
    flattener = _Flattener(document, environment, allowance or Allowance())
    try:
        if root is not None:
            document.data = flattener.value(root, "", 0)
    except _TooManyError:
        document.data = None
    return document


def _read_text(document: Document) -> str | None:
    def refuse(message: str, line: int = 1, column: int = 1) -> None:
        document.problems.append(Problem(message, "document", document.file, line, column))

    try:
        with document.path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as wrong:
        return refuse(f"cannot be read: {wrong.strerror or type(wrong).__name__}")
    except ValueError:  # a path with a NUL in it
        return refuse("cannot be read: not a path")
    if len(content) > MAX_BYTES:
        return refuse(f"larger than {MAX_BYTES:,} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        before = content[: wrong.start]
        start = before.rfind(b"\n") + 1
        column = len(before[start:].decode("utf-8-sig", errors="replace")) + 1
        return refuse("not UTF-8 text", before.count(b"\n") + 1, column)


class _Flattener:
    """Turns nodes into data, and notes the place of each."""

    def __init__(
        self, document: Document, environment: Mapping[str, str], allowance: Allowance
    ) -> None:
        self._document = document
        self._environment = environment
        self._allowance = allowance

    def value(self, node: Node, path: str, depth: int) -> JsonValue:
        position = node.position
        self._document.values[path] = position
        if isinstance(node, compose.Alias):
            node = node.target
        if self._allowance.values <= 0:
            message = f"more than {MAX_VALUES:,} values, with aliases written out"
            self._report(message, path, position)
            raise _TooManyError
        self._allowance.values -= 1
        if isinstance(node, Scalar):
            return self._scalar(node, path, position)
        if depth >= MAX_DEPTH:
            message = f"lists and mappings stand more than {MAX_DEPTH} deep"
            self._report(message, path, position)
            return None
        if isinstance(node, compose.Listing):
            return [
                self.value(item, child_path(path, index), depth + 1)
                for index, item in enumerate(node.items)
            ]
        result: dict[str, JsonValue] = {}
        for key, value in node.values.items():
            inner = child_path(path, key)
            self._document.keys[inner] = node.keys[key]
            result[key] = self.value(value, inner, depth + 1)
        return result

    def _scalar(self, node: Scalar, path: str, position: Position) -> JsonValue:
        if node.is_plain:
            try:
                value = _plain(node.text)
            except ValueError as wrong:
                self._report(str(wrong), path, position)
                return None
            if not isinstance(value, str):
                return value
        try:
            result = substitute(node.text, self._environment)
        except SubstitutionError as wrong:
            self._report(str(wrong), path, position, wrong.hint)
            return node.text
        for name in result.variables:
            if is_secret(name):
                self._document.secrets[path] = name
        return result.text

    def _report(self, message: str, path: str, position: Position, hint: str | None = None) -> None:
        self._document.spoiled.add(path)
        problem = Problem(message, path or "document", self._document.file, *position, hint)
        self._document.problems.append(problem)


def _plain(text: str) -> str | int | float | bool | None:
    """Read a scalar that stood without quotes by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is no number that JSON has")
    is_integer = _INTEGER.fullmatch(text) is not None
    if not is_integer and _FLOAT.fullmatch(text) is None:
        return text
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text)} characters; quote it if it is text")
    if is_integer:
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is too large for a number")
    return number
