"""Print the requirements that no test carries yet.

Reads the ids of `tests/requirements.yaml` and the `requirement("ID")` marks of the Python and
TypeScript tests. A mark with an id that the list does not hold is an error. The marks say that a
test claims a requirement, not that the test is a good one.
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

__all__ = [
    "Mark",
    "Requirement",
    "Source",
    "find_marks",
    "load_sources",
    "main",
    "report",
    "unknown_marks",
]

_ROOT = Path(__file__).resolve().parent.parent
_LIST = _ROOT / "tests" / "requirements.yaml"
_TEST_FOLDERS = (_ROOT / "tests", _ROOT / "bindings" / "typescript")
_SKIPPED_FOLDERS = {"node_modules", "dist", "__pycache__"}
_CALL = re.compile(r"\brequirement\(([^()]*)\)")
_STRING = re.compile(r"""["'`]([^"'`]*)["'`]""")


class Requirement(BaseModel):
    """One promise of the project."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    id: str
    """The source and a number, such as `S4-04`, or the source, an area and a name, such as
    `kit:commit:flush`."""
    kind: Literal["F", "D", "U", "G"]
    """A behaviour, a shape of data, a command or screen, or guidance given by the product."""
    text: str
    """What a user gets, in one sentence."""
    differs: str | None = None
    """What the source's own program does instead, where that is not what a user should get."""


class Source(BaseModel):
    """The requirements that come from one source."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    source: str
    """The prefix of the ids."""
    about: str
    """What the requirements are about."""
    requirements: tuple[Requirement, ...]
    """The requirements, in the order of their ids."""


class Mark(NamedTuple):
    """One `requirement("ID")` in a test file."""

    id: str
    path: Path
    line: int


def load_sources(path: Path = _LIST) -> tuple[Source, ...]:
    """Return the project's requirements, grouped by source.

    Args:
        path: The YAML list.

    Raises:
        pydantic.ValidationError: If the list does not have the expected shape.
    """
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return TypeAdapter(tuple[Source, ...]).validate_python(document)


def find_marks(folders: Iterable[Path] = _TEST_FOLDERS) -> tuple[Mark, ...]:
    """Return every requirement mark under the folders, in the order of files and lines.

    Args:
        folders: Where to look; one that does not exist holds no marks.
    """
    return tuple(mark for folder in folders for path in _files(folder) for mark in _marks(path))


def unknown_marks(sources: Iterable[Source], marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """Return the marks whose id is not in the list.

    Args:
        sources: The requirements.
        marks: The marks of the tests.
    """
    known = {requirement.id for source in sources for requirement in source.requirements}
    return tuple(mark for mark in marks if mark.id not in known)


def report(sources: Iterable[Source], marks: Iterable[Mark]) -> Iterator[str]:
    """Yield the lines that say, source by source, what no test carries yet.

    Args:
        sources: The requirements.
        marks: The marks of the tests.
    """
    carried = {mark.id for mark in marks}
    total = missing_total = 0
    for source in sources:
        missing = [item for item in source.requirements if item.id not in carried]
        total += len(source.requirements)
        missing_total += len(missing)
        count = f"{len(missing)} of {len(source.requirements)}"
        yield f"{source.source}  {source.about}: no test carries {count}"
        for item in missing:
            yield f"  {item.id}  {item.kind}  {item.text}"
    yield f"All: no test carries {missing_total} of {total}"


def main(arguments: list[str] | None = None) -> int:
    """Print the report; return 1 if a mark names an unknown id, else 0.

    Args:
        arguments: The command line without the program's name; by default that of the process.
    """
    parser = argparse.ArgumentParser(description="Print the requirements that no test carries.")
    parser.parse_args(arguments)
    sources = load_sources()
    marks = find_marks()
    print("\n".join(report(sources, marks)))
    unknown = unknown_marks(sources, marks)
    for mark in unknown:
        where = f"{mark.path.relative_to(_ROOT)}:{mark.line}"
        print(f"{where}: {mark.id!r} is not in {_LIST.relative_to(_ROOT)}", file=sys.stderr)
    return 1 if unknown else 0


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in {".py", ".ts", ".tsx"} and not _SKIPPED_FOLDERS & set(path.parts)
    )


def _marks(path: Path) -> Iterator[Mark]:
    text = path.read_text(encoding="utf-8")
    return _python_marks(path, text) if path.suffix == ".py" else _typescript_marks(path, text)


def _python_marks(path: Path, text: str) -> Iterator[Mark]:
    """Read calls from the syntax tree, so that a mark inside a string is not one."""
    for node in ast.walk(ast.parse(text, filename=str(path))):
        if isinstance(node, ast.Call) and _is_requirement(node.func):
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield Mark(argument.value, path, argument.lineno)


def _is_requirement(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr == "requirement"
        and isinstance(function.value, ast.Attribute)
        and function.value.attr == "mark"
    )


def _typescript_marks(path: Path, text: str) -> Iterator[Mark]:
    for call in _CALL.finditer(text):
        line = text.count("\n", 0, call.start()) + 1
        for string in _STRING.finditer(call.group(1)):
            yield Mark(string.group(1), path, line)


if __name__ == "__main__":
    sys.exit(main())
