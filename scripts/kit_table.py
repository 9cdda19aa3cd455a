"""Writes the tables of docs/kit.md: what the TypeScript kit calls something, and where it is here.

`python -m scripts.kit_table` writes, `python -m scripts.kit_table --check` only says whether it
would. The names come from kit_exports.yaml, the behaviours from tests/requirements.yaml, and where
each is tested from the marks of the tests.
"""

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from scripts.requirements import Requirement, find_marks, load_sources

__all__ = ["Export", "Section", "load_sections", "main", "problems", "rendered"]

_ROOT = Path(__file__).resolve().parent.parent
PAGE = _ROOT / "docs" / "kit.md"
_EXPORTS = Path(__file__).with_name("kit_exports.yaml")
_BEGIN, _END = "<!-- kit -->\n", "<!-- /kit -->\n"


class Export(BaseModel):
    """One name that the kit exports."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    here: str | None
    """Its import path here; None where there is no such name."""
    rows: tuple[str, ...]
    """Ids of requirements, without `kit:`."""
    note: str = ""
    """What is other than in the kit, or why there is no such name."""


class Section(BaseModel):
    """Names that belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    section: str
    exports: Mapping[str, Export]


def load_sections() -> tuple[Section, ...]:
    """Return the names that the kit exports, by section.

    Raises:
        pydantic.ValidationError: The file does not have the expected shape.
    """
    document = yaml.safe_load(_EXPORTS.read_text(encoding="utf-8"))
    return TypeAdapter(tuple[Section, ...]).validate_python(document)


def problems() -> Iterator[str]:
    """Yield what is wrong with the list of names: one line for each."""
    known = _requirements()
    for section in load_sections():
        for name, export in section.exports.items():
            for row in export.rows:
                if row not in known:
                    yield f"{name}: no requirement 'kit:{row}'"
            if export.here is None:
                if not export.note:
                    yield f"{name}: a name that is not here needs a note that says why"
                continue
            found = _find(export.here)
            if found is None:
                yield f"{name}: there is no {export.here}"
            elif not getattr(found, "__doc__", None):
                yield f"{name}: {export.here} has no docstring"


def rendered(page: str) -> str:
    """Return the page with tables that fit the lists and the tests."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    tables = "\n".join([*_verbs(), *_behaviours()])
    return f"{before}{_BEGIN}{tables}{_END}{after}"


def main() -> int:
    """Write or check the page; returns 1 when something is wrong."""
    wrong = list(problems())
    print("\n".join(wrong), end="\n" if wrong else "")
    page = PAGE.read_text(encoding="utf-8")
    fresh = rendered(page)
    if "--check" in sys.argv:
        if fresh != page:
            print("docs/kit.md is out of step; run: python -m scripts.kit_table")
        return int(bool(wrong) or fresh != page)
    PAGE.write_text(fresh, encoding="utf-8")
    return int(bool(wrong))


def _verbs() -> Iterator[str]:
    known, tested = _requirements(), _tested()
    for section in load_sections():
        yield f"### {section.section}\n"
        yield "| kit | here | tested in | difference |\n|---|---|---|---|"
        for name, export in section.exports.items():
            here = f"`{export.here}`" if export.here else ""
            files = dict.fromkeys(file for row in export.rows for file in tested.get(row, ()))
            items = [known[row] for row in export.rows]
            notes = [f"{item.text} The kit {item.differs}." for item in items if item.differs]
            if export.note:
                notes.insert(0, f"{export.note[0].upper()}{export.note[1:]}.")
            yield f"| `{name}` | {here} | {_links(files)} | {_cell(' '.join(notes))} |"
        yield ""


def _behaviours() -> Iterator[str]:
    tested = _tested()
    yield "## Every behaviour\n"
    yield "| id | here | tested in | the kit |\n|---|---|---|---|"
    for row, item in _requirements().items():
        links, differs = _links(tested.get(row, ())), _cell(item.differs or "")
        yield f"| `{row}` | {_cell(item.text)} | {links} | {differs} |"
    yield ""


def _requirements() -> dict[str, Requirement]:
    (kit,) = [source for source in load_sources() if source.source == "kit"]
    return {item.id.removeprefix("kit:"): item for item in kit.requirements}


def _tested() -> dict[str, tuple[str, ...]]:
    """Return the files that carry each row, with those of the conformance suite first."""
    found: dict[str, dict[str, None]] = {}
    for mark in find_marks():
        if mark.id.startswith("kit:"):
            path = mark.path.relative_to(_ROOT).as_posix()
            found.setdefault(mark.id.removeprefix("kit:"), {})[path] = None
    return {
        row: tuple(sorted(files, key=lambda path: ("/conformance/" not in path, path)))
        for row, files in found.items()
    }


def _links(files: Iterable[str]) -> str:
    shown = list(files)[:3]  # more would say less
    return ", ".join(f"[{_short(path)}](../{path})" for path in shown)


def _short(path: str) -> str:
    folder, name = Path(path).parent.name, Path(path).stem.removeprefix("test_")
    return f"{folder}/{name}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _find(path: str) -> object | None:
    """Return what an import path names: an attribute of a module, or of something in it."""
    parts = path.split(".")
    for count in range(len(parts) - 1, 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for name in parts[count:]:
            found = getattr(found, name, None)
        return found
    return None


if __name__ == "__main__":
    sys.exit(main())
