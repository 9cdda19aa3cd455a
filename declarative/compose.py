"""From the text of one YAML file to a tree of nodes, each of which knows its line and column.

It works on the parser's events and keeps its own stack, so that no input can exhaust Python's;
nothing here turns a tag into an object or copies what an alias names. What the nodes mean is the
business of `declarative.document`.
"""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import yaml

from swarm.errors import Problem

__all__ = [
    "MAX_DEPTH",
    "MAX_VALUES",
    "Alias",
    "Listing",
    "Mapping",
    "Node",
    "Position",
    "Scalar",
    "child_path",
    "compose",
]

MAX_DEPTH = 50
"""How deep lists and mappings may stand in each other."""
MAX_VALUES = 10_000
"""How many values a document may hold with its includes, every alias counted as what it names."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOT_PRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Position(NamedTuple):
    """A place in a file; both numbers start at 1."""

    line: int
    column: int


@dataclass(slots=True)
class Scalar:
    """Text, and whether it stood without quotes."""

    position: Position
    text: str
    is_plain: bool


@dataclass(slots=True)
class Listing:
    """A YAML sequence."""

    position: Position
    items: "list[Node]" = field(default_factory=list["Node"])


@dataclass(slots=True)
class Mapping:
    """A YAML mapping; its keys are text."""

    position: Position
    keys: dict[str, Position] = field(default_factory=dict[str, Position])
    values: "dict[str, Node]" = field(default_factory=dict[str, "Node"])


@dataclass(slots=True)
class Alias:
    """A second place of a node that stands elsewhere."""

    position: Position
    target: "Scalar | Listing | Mapping"


Node: TypeAlias = Scalar | Listing | Mapping | Alias
"""A part of the tree."""


class _Key(NamedTuple):
    text: str | None
    """None when the key was refused; its value is then read and dropped."""
    position: Position


@dataclass(slots=True)
class _Frame:
    """A list or mapping whose end was not read yet."""

    node: Listing | Mapping
    path: str
    key: _Key | None = None


class _GiveUpError(Exception):
    """The rest of the file cannot be read in a way that means anything."""


def compose(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """Read the text of one file.

    Args:
        text: The whole text.
        file: What problems call the file.

    Returns:
        The root, or None when there is none; and every problem. With a problem of the syntax the
        tree ends where the problem stands.
    """
    found = _NOT_PRINTABLE.search(text)
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - (text.rfind("\n", 0, found.start()) + 1) + 1
        message = f"the character U+{ord(found.group()):04X} is not allowed"
        return None, [Problem(message, "document", file, line, column)]
    composer = _Composer(file)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            composer.take(event)
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        position = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
        parts = [part for part in (wrong.context, wrong.problem) if part]
        if "nesting depth" in str(wrong.problem):
            # Newer parsers have a limit of their own, and meet it before they give any event.
            composer.report(f"lists and mappings stand more than {MAX_DEPTH} deep", position)
            return composer.root, composer.problems
        line = text.splitlines()[position.line - 1 : position.line]
        hint = "quote a ${NAME} inside braces or brackets" if "${" in "".join(line) else None
        composer.report(f"not valid YAML: {', '.join(parts)}", position, hint, "")
    except _GiveUpError:
        pass
    return composer.root, composer.problems


class _Composer:
    def __init__(self, file: str) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._file = file
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Scalar | Listing | Mapping] = {}
        self._documents = 0
        self._nodes = 0

    def report(
        self, message: str, position: Position, hint: str | None = None, path: str | None = None
    ) -> None:
        where = self._path() if path is None else path
        problem = Problem(message, where or "document", self._file, *position, hint)
        self.problems.append(problem)

    def take(self, event: yaml.Event) -> None:
        mark = event.start_mark
        position = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
        tag: str | None = getattr(event, "tag", None)
        if tag is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            hint = "a document is plain data; remove the tag"
            self.report(f"tags such as {shown!r} are not allowed", position, hint)
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self.report("a file holds one document", position, "remove `---`", "")
                    raise _GiveUpError
            case yaml.ScalarEvent(value=value, implicit=implicit):
                self._add(Scalar(position, value, implicit[0]), event.anchor)
            case yaml.AliasEvent():
                self._add(self._alias(event.anchor or "", position), None)
            case yaml.SequenceStartEvent():
                self._open(Listing(position), event.anchor)
            case yaml.MappingStartEvent():
                self._open(Mapping(position), event.anchor)
            case yaml.CollectionEndEvent():
                self._attach(self._stack.pop().node)
            case _:
                pass

    def _open(self, node: Listing | Mapping, anchor: str | None) -> None:
        if len(self._stack) >= MAX_DEPTH:
            self.report(f"lists and mappings stand more than {MAX_DEPTH} deep", node.position)
            raise _GiveUpError
        if anchor is not None:
            self._anchors[anchor] = node
        self._stack.append(_Frame(node, self._path()))

    def _add(self, node: Scalar | Alias, anchor: str | None) -> None:
        if anchor is not None and isinstance(node, Scalar):
            self._anchors[anchor] = node
        self._attach(node)

    def _alias(self, name: str, position: Position) -> Scalar | Alias:
        target = self._anchors.get(name)
        if target is None:
            self.report(f"no anchor &{name} stands above this alias", position)
        elif any(frame.node is target for frame in self._stack):
            self.report(f"the alias *{name} stands inside its own anchor", position)
        else:
            return Alias(position, target)
        return Scalar(position, "", is_plain=True)

    def _attach(self, node: Node) -> None:
        self._nodes += 1
        if self._nodes > 2 * MAX_VALUES:  # a value has one key at most
            self.report(f"more than {MAX_VALUES:,} values", node.position)
            raise _GiveUpError
        if not self._stack:
            self.root = node
            return
        frame = self._stack[-1]
        if isinstance(frame.node, Listing):
            frame.node.items.append(node)
        elif frame.key is None:
            frame.key = self._key(node, frame)
        else:
            if frame.key.text is not None:
                frame.node.keys[frame.key.text] = frame.key.position
                frame.node.values[frame.key.text] = node
            frame.key = None

    def _key(self, node: Node, frame: _Frame) -> _Key:
        refused = _Key(None, node.position)
        if not isinstance(node, Scalar):
            self.report("a key must be text", node.position)
        elif node.is_plain and node.text == "<<":
            hint = "write the fields out, or use an alias for a whole value"
            self.report("merge keys are not allowed", node.position, hint)
        elif not node.text:
            self.report("a key may not be empty", node.position)
        elif isinstance(frame.node, Mapping) and node.text in frame.node.keys:
            first = frame.node.keys[node.text]
            self.report(
                f"the key {node.text!r} stands here twice",
                node.position,
                f"first at line {first.line}, column {first.column}",
                child_path(frame.path, node.text),
            )
        else:
            return _Key(node.text, node.position)
        return refused

    def _path(self) -> str:
        if not self._stack:
            return ""
        frame = self._stack[-1]
        if isinstance(frame.node, Listing):
            return child_path(frame.path, len(frame.node.items))
        if frame.key is None or frame.key.text is None:
            return frame.path
        return child_path(frame.path, frame.key.text)


def child_path(path: str, step: str | int) -> str:
    """Return the path of a list's item or of a mapping's value."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    return f"{path}.{step}" if path else step
