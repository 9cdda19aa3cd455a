"""Questions and answers: the file that a person writes and a wiki learns from.

One entry is one fact: an answer, the phrasings to train on, and the phrasings held out to measure
how well the model generalises. This module reads and checks the file and turns it into training
rows; what is done with the rows is the business of `finetune.train` and `finetune.evaluate`.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from swarm.errors import DataError, Problem, suggest

__all__ = [
    "Question",
    "QuestionsError",
    "held_out_rows",
    "normalise",
    "read_questions",
    "training_rows",
]

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_KEYS = ("id", "answer", "train", "held_out")
_MAX_BYTES = 32 * 1024 * 1024


class Question(BaseModel):
    """One fact and the ways to ask for it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    id: str = Field(pattern=rf"^{_ID.pattern}$")
    """The name of the fact; reports use it."""
    answer: str = Field(min_length=1)
    """The one answer to every phrasing."""
    train: tuple[str, ...] = Field(min_length=1)
    """The phrasings to train on."""
    held_out: tuple[str, ...] = ()
    """Phrasings that are never trained on; they measure generalisation."""


class QuestionsError(DataError):
    """A questions file has problems; `problems` holds all of them, each with file and line."""

    code = "questions_error"
    rpc_code = -32036

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''}\n{lines}")


def normalise(phrasing: str) -> str:
    """Return a phrasing in lower case, without punctuation and with single spaces."""
    kept = "".join(c if c.isalnum() or c.isspace() else "" for c in phrasing.casefold())
    return " ".join(kept.split())


def read_questions(path: Path) -> tuple[Question, ...]:
    """Return the facts of a questions file, in its order.

    Args:
        path: YAML (`.yaml`, `.yml`: a list of entries) or JSON lines (`.jsonl`: one entry a line).

    Raises:
        QuestionsError: The file cannot be read or entries are wrong; every problem is listed.
    """
    return _Reader(path).read()


def training_rows(questions: Iterable[Question]) -> list[dict[str, JsonValue]]:
    """Return one OpenAI SFT row per training phrasing, in the order of the file."""
    return [_row(text, q.answer) for q in questions for text in q.train]


def held_out_rows(questions: Iterable[Question]) -> list[dict[str, JsonValue]]:
    """Return one OpenAI SFT row per held-out phrasing, in the order of the file."""
    return [_row(text, q.answer) for q in questions for text in q.held_out]


def _row(question: str, answer: str) -> dict[str, JsonValue]:
    return {
        "messages": [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
    }


@dataclass(slots=True)
class _Node:
    """A value of the file with its line: text, a list, a mapping, or None for anything else."""

    value: "str | list[_Node] | dict[str, _Node] | None"
    line: int


class _Reader:
    """One pass over one file; collects problems instead of stopping at the first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.ids: dict[str, int] = {}
        self.seen: dict[str, tuple[str, int]] = {}

    def read(self) -> tuple[Question, ...]:
        parse = {".yaml": self._yaml, ".yml": self._yaml, ".jsonl": self._jsonl}
        if self.path.suffix not in parse:
            self._problem("expected a .yaml or .jsonl file", None)
            raise QuestionsError(self.problems)
        entries = list(parse[self.path.suffix](self._text()))
        questions = [q for node in entries if (q := self._question(node)) is not None]
        if not entries and not self.problems:
            self._problem("there are no questions in this file", 1)
        if self.problems:
            raise QuestionsError(sorted(self.problems, key=lambda p: p.line or 0))
        return tuple(questions)

    def _problem(self, message: str, line: int | None, where: str = "questions") -> None:
        self.problems.append(Problem(message, where, str(self.path), line))

    def _text(self) -> str:
        try:
            if self.path.stat().st_size > _MAX_BYTES:
                self._problem(f"the file is larger than {_MAX_BYTES} bytes", None)
                raise QuestionsError(self.problems)
            return self.path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            self._problem(str(error), None)
            raise QuestionsError(self.problems) from error

    def _yaml(self, text: str) -> Iterator[_Node]:
        try:
            root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
        except (yaml.YAMLError, RecursionError) as error:
            mark: Any = getattr(error, "problem_mark", None)
            reason = getattr(error, "problem", None) or str(error)
            self._problem(f"not YAML: {reason}", mark.line + 1 if mark else None)
            return
        if root is None:
            return
        if not isinstance(root, yaml.SequenceNode):
            self._problem("expected a list of entries, each with id, answer and train", 1)
            return
        for node in root.value:
            yield self._from_yaml(node)

    def _from_yaml(self, node: Any, depth: int = 0) -> _Node:
        line = int(node.start_mark.line) + 1
        # An entry is three levels deep; the bound also ends an anchor that contains itself.
        if depth > 3:
            return _Node(None, line)
        if isinstance(node, yaml.SequenceNode):
            return _Node([self._from_yaml(item, depth + 1) for item in node.value], line)
        if isinstance(node, yaml.MappingNode):
            fields: dict[str, _Node] = {}
            for key, value in node.value:
                if str(key.value) in fields:
                    self._problem(f"key {key.value!r} stands twice", key.start_mark.line + 1)
                fields[str(key.value)] = self._from_yaml(value, depth + 1)
            return _Node(fields, line)
        # A bare `yes` or `12` is a boolean or a number in YAML and wants quotes.
        return _Node(node.value if node.tag == "tag:yaml.org,2002:str" else None, line)

    def _jsonl(self, text: str) -> Iterator[_Node]:
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            try:
                yield self._from_json(json.loads(line), number)
            except (json.JSONDecodeError, RecursionError) as error:
                self._problem(f"not JSON: {error}", number)

    def _from_json(self, value: JsonValue, line: int) -> _Node:
        if isinstance(value, list):
            return _Node([self._from_json(item, line) for item in value], line)
        if isinstance(value, dict):
            return _Node({k: self._from_json(v, line) for k, v in value.items()}, line)
        return _Node(value if isinstance(value, str) else None, line)

    def _question(self, node: _Node) -> Question | None:
        before = len(self.problems)
        if not isinstance(node.value, dict):
            self._problem("expected an entry with id, answer and train", node.line)
            return None
        fields = node.value
        for key in fields:
            if key not in _KEYS:
                near = suggest(key, _KEYS)
                text = f"unknown key {key!r}" + (f"; {near}" if near else "")
                self._problem(text, fields[key].line)
        name = self._required(node, "id")
        if name and not _ID.fullmatch(name):
            self._problem(
                f"id {name!r} may hold lower case letters, digits, '.', '_' and '-', at most 64",
                fields["id"].line,
            )
        elif name in self.ids:
            self._problem(
                f"id {name!r} is used already in line {self.ids[name]}", fields["id"].line
            )
        else:
            self.ids[name] = node.line
        answer = self._required(node, "answer", name)
        train = self._phrasings(node, "train", name)
        held_out = self._phrasings(node, "held_out", name)
        if len(self.problems) > before:
            return None
        return Question(id=name, answer=answer, train=train, held_out=held_out)

    def _required(self, node: _Node, key: str, name: str = "") -> str:
        fields = node.value if isinstance(node.value, dict) else {}
        if key not in fields:
            self._problem(f"{key} is missing", node.line, name or "entry")
            return ""
        value = fields[key].value
        if not isinstance(value, str):
            self._problem(f"{key} must be text; quote it", fields[key].line, name or "entry")
            return ""
        if not value.strip():
            self._problem(f"{key} is empty", fields[key].line, name or "entry")
        return value.strip()

    def _phrasings(self, node: _Node, key: str, name: str) -> tuple[str, ...]:
        fields = node.value if isinstance(node.value, dict) else {}
        where = name or "entry"
        if key not in fields:
            if key == "train":
                self._problem("train is missing", node.line, where)
            return ()
        value, line = fields[key].value, fields[key].line
        if not isinstance(value, list) or (key == "train" and not value):
            self._problem(f"{key} must be a list of phrasings", line, where)
            return ()
        return tuple(text for item in value if (text := self._phrasing(item, key, where)))

    def _phrasing(self, item: _Node, key: str, where: str) -> str:
        if not isinstance(item.value, str):
            self._problem(f"a phrasing in {key} must be text; quote it", item.line, where)
            return ""
        folded = normalise(item.value)
        if not folded:
            self._problem(f"a phrasing in {key} is empty", item.line, where)
        elif folded in self.seen:
            other, line = self.seen[folded]
            also = (
                "also a training phrasing"
                if {key, other} == {"train", "held_out"}
                else "here twice"
            )
            text = f"phrasing {item.value!r} is {also}"
            self._problem(f"{text} (first in line {line})", item.line, where)
        else:
            self.seen[folded] = (key, item.line)
        return item.value.strip()
