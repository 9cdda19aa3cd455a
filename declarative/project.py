"""A YAML document with everything it includes.

`include: [other.yaml]` names files relative to the one that includes them. They stay under the
folder of the root document, and a file that is included from two places is read once.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from declarative.document import Allowance, Document, read_document
from declarative.kinds import INCLUDE, SECTIONS
from swarm.errors import Problem, suggest

__all__ = ["Declaration", "Project", "read_project"]

_INDEX = re.compile(r"\.(\d+)(?=[.\[]|$)")


@dataclass(slots=True)
class Declaration:
    """One name under a section, as it was written."""

    section: str
    name: str
    fields: dict[str, JsonValue]
    document: Document

    @property
    def where(self) -> str:
        """Its path, such as `agents.seller`."""
        return f"{self.section}.{self.name}"


@dataclass(slots=True)
class Project:
    """Every declaration of a document and its includes."""

    root: Path
    """The folder that nothing may leave."""
    documents: list[Document] = field(default_factory=list[Document])
    """In the order of reading; the root document is the first."""
    declarations: dict[str, Declaration] = field(default_factory=dict[str, Declaration])
    """By path; the first of each name."""
    broken: set[str] = field(default_factory=set[str])
    """Paths of declarations that are there but could not be used."""
    problems: list[Problem] = field(default_factory=list[Problem])
    """In no order; those that can be placed have their place."""

    @property
    def is_readable(self) -> bool:
        """Whether every file could be read as YAML, so that what it lacks is really missing."""
        return not any(document.data is None and document.problems for document in self.documents)

    def report(self, problem: Problem) -> None:
        """Keep a problem, with the most precise place that its path has."""
        declaration = self.owner(problem.where)
        if declaration is None:
            self.problems.append(problem)
        elif problem.where not in declaration.document.spoiled:
            self.problems.append(_located(problem, declaration))

    def owner(self, where: str) -> Declaration | None:
        """Return the declaration that a path leads into."""
        for path in _ancestors(where):
            if path in self.declarations:
                return self.declarations[path]
        return None

    def sorted_problems(self) -> list[Problem]:
        """Return the problems by file, line and column, each once."""
        order = {document.file: index for index, document in enumerate(self.documents)}

        def place(problem: Problem) -> tuple[int, int, int]:
            index = order.get(problem.file or "", len(order))
            return index, problem.line or 0, problem.column or 0

        return sorted(dict.fromkeys(self.problems), key=place)


def read_project(path: Path, environment: Mapping[str, str]) -> Project:
    """Read a document and its includes; whatever is wrong is in the project's problems."""
    root = path.parent.resolve()
    project = Project(root)
    _Reader(project, path, environment).read(path.resolve(), str(path), ())
    return project


class _Reader:
    def __init__(self, project: Project, path: Path, environment: Mapping[str, str]) -> None:
        self._project = project
        self._shown_root = path.parent
        self._environment = environment
        self._allowance = Allowance()
        self._seen: set[Path] = set()

    def read(self, path: Path, file: str, above: tuple[Path, ...]) -> None:
        self._seen.add(path)
        document = read_document(path, file, self._environment, self._allowance)
        self._project.documents.append(document)
        self._project.problems += document.problems
        if document.data is None and document.problems:
            return
        if not isinstance(document.data, dict):
            known = ", ".join(SECTIONS)
            _report(document, self._project, "", f"must be a mapping with the sections {known}")
            return
        included = document.data.get(INCLUDE)
        for section, content in document.data.items():
            if section != INCLUDE:
                self._section(document, section, content)
        self._includes(document, included, (*above, path))

    def _section(self, document: Document, section: str, content: JsonValue) -> None:
        if section not in SECTIONS:
            hint = suggest(section, [*SECTIONS, INCLUDE]) or f"known: {', '.join(SECTIONS)}"
            message = f"unknown section {section!r}"
            _report(document, self._project, section, message, hint, at_key=True)
            return
        if content is None:  # every entry of the section is commented out
            return
        if not isinstance(content, dict):
            message = f"must be a mapping of {SECTIONS[section].name} names"
            _report(document, self._project, section, message)
            return
        for name, fields in content.items():
            where = f"{section}.{name}"
            first = self._project.declarations.get(where)
            if first is not None:
                position = first.document.keys[where]
                self._duplicate(document, where, f"{first.document.file}:{position.line}")
                continue
            usable = fields if isinstance(fields, dict) else {}
            self._project.declarations[where] = Declaration(section, name, usable, document)
            if not isinstance(fields, dict):
                self._project.broken.add(where)
                message = f"must be a mapping of the {SECTIONS[section].name}'s fields"
                _report(document, self._project, where, message)

    def _duplicate(self, document: Document, where: str, first: str) -> None:
        section, _, name = where.partition(".")
        message = f"{SECTIONS[section].name} {name!r} is declared twice"
        _report(document, self._project, where, message, f"first in {first}", at_key=True)

    def _includes(self, document: Document, value: JsonValue, above: tuple[Path, ...]) -> None:
        if value is None:
            return
        entries = value if isinstance(value, list) else [value]
        for index, entry in enumerate(entries):
            where = f"{INCLUDE}[{index}]" if isinstance(value, list) else INCLUDE
            if not isinstance(entry, str) or not entry or "\0" in entry:
                _report(document, self._project, where, "must be the path of a YAML file")
                continue
            target = (document.path.parent / entry).resolve()
            if not target.is_relative_to(self._project.root):
                hint = "an included file stays under the folder of the root document"
                _report(document, self._project, where, f"{entry!r} leaves the folder", hint)
            elif target in above:
                names = [self._shown(path) for path in (*above[above.index(target) :], target)]
                message = f"the includes form a cycle: {' -> '.join(names)}"
                _report(document, self._project, where, message)
            elif not target.is_file():
                _report(document, self._project, where, f"no file {entry!r}", _near(target, entry))
            elif target not in self._seen:
                self.read(target, str(self._shown_root / self._shown(target)), above)

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self._project.root))


def _located(problem: Problem, declaration: Declaration) -> Problem:
    """Return a problem with the most precise place that its path has."""
    document = declaration.document
    path = next(path for path in _ancestors(problem.where) if path in document.values)
    is_exact = path in (problem.where, _INDEX.sub(r"[\1]", problem.where))
    # What is missing belongs to the name above it; a field that nobody knows is wrong as a key.
    at_value = is_exact and path != declaration.where
    at_value = at_value and not problem.message.startswith("unknown field")
    places = document.values if at_value or path not in document.keys else document.keys
    if path in document.secrets:
        message = f"the value of ${{{document.secrets[path]}}} does not fit here"
        problem = Problem(message, problem.where)
    return Problem(problem.message, problem.where, document.file, *places[path], problem.hint)


def _near(target: Path, entry: str) -> str | None:
    folder = target.parent
    if not folder.is_dir():
        return None
    here = [path.name for path in folder.iterdir() if path.suffix in (".yaml", ".yml")]
    return suggest(entry.rpartition("/")[2], here)


def _report(
    document: Document,
    project: Project,
    where: str,
    message: str,
    hint: str | None = None,
    *,
    at_key: bool = False,
) -> None:
    places = document.keys if at_key else document.values
    if where in document.secrets:
        message = f"the value of ${{{document.secrets[where]}}} does not fit here"
    place = where or "document"
    project.problems.append(Problem(message, place, document.file, *places[where], hint))


def _ancestors(where: str) -> Iterator[str]:
    """Yield a path and every path above it, each also with `.0` written as `[0]`."""
    written = _INDEX.sub(r"[\1]", where)
    while where:
        yield where
        if written != where:
            yield written
        where, written = _parent(where), _parent(written)


def _parent(path: str) -> str:
    return path[: max(path.rfind("."), path.rfind("["), 0)]
