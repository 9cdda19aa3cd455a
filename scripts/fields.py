"""Writes the tables of fields in docs/declarations.md from the declarations themselves.

`python scripts/fields.py` writes, `python scripts/fields.py --check` only says whether it would.
"""

import re
import sys
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from declarative.kinds import SECTIONS
from swarm.fields import Spec

__all__ = ["main", "rendered"]

PAGE = Path(__file__).parent.parent / "docs" / "declarations.md"
_BEGIN, _END = "<!-- fields -->\n", "<!-- /fields -->\n"


def rendered(page: str) -> str:
    """Return the page with tables that fit the code."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    tables = [_table(section) for section in SECTIONS]
    inner = {model: None for section in SECTIONS for model in _inner(SECTIONS[section].spec)}
    tables += [_inner_table(model) for model in inner if not _is_callbacks(model)]
    return f"{before}{_BEGIN}{chr(10).join(tables)}{_END}{after}"


def main() -> int:
    """Write or check the page; returns 1 when a check finds it out of step."""
    page = PAGE.read_text(encoding="utf-8")
    fresh = rendered(page)
    if "--check" in sys.argv:
        if fresh != page:
            print("docs/declarations.md is out of step; run: python scripts/fields.py")
        return int(fresh != page)
    PAGE.write_text(fresh, encoding="utf-8")
    return 0


def _table(section: str) -> str:
    kind = SECTIONS[section]
    summary = (kind.spec.__doc__ or "").strip().splitlines()[0]
    lines = [f"## `{section}`, `add_{kind.name}`", "", summary, ""]
    lines += _rows(kind.spec)
    for model in filter(_is_callbacks, _inner(kind.spec)):
        lines += [
            "",
            f"### `callbacks` of `{section}`",
            "",
            "| function | is called with |",
            "|---|---|",
        ]
        fields = model.model_fields.items()
        lines += [f"| `{name}` | {_note(field)} |" for name, field in fields]
    return "\n".join(lines) + "\n"


def _inner_table(model: type[BaseModel]) -> str:
    summary = (model.__doc__ or "").strip().splitlines()[0]
    return "\n".join([f"## A {_name(model)}", "", summary, "", *_rows(model)]) + "\n"


def _rows(model: type[BaseModel]) -> list[str]:
    lines = ["| field | takes | default | |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        lines.append(f"| `{name}` | {_takes(field)} | {_default(field)} | {_note(field)} |")
    return lines


def _note(field: FieldInfo) -> str:
    return " ".join((field.description or "").split()).replace("|", "\\|")


def _inner(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return the models that the fields of a declaration take."""
    found = [_models(field.annotation) for field in model.model_fields.values()]
    return [one for several in found for one in several]


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return [annotation]
    return [one for part in typing.get_args(annotation) for one in _models(part)]


def _is_callbacks(model: type[BaseModel]) -> bool:
    return model.__name__.endswith("Callbacks")


def _takes(field: FieldInfo) -> str:
    return _name(field.annotation).replace("|", "\\|")


def _name(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _name(arguments[0])
    if origin in (types.UnionType, typing.Union):
        named = [_name(part) for part in arguments if part is not type(None)]
        return " | ".join(dict.fromkeys(named))
    if origin is Callable or origin is typing.get_origin(Callable[..., Any]):
        return "function"
    if origin is typing.Literal:
        return " | ".join(repr(value) for value in arguments)
    if origin is not None:
        name = getattr(origin, "__name__", str(origin))
        return {"Sequence": "list", "Mapping": "mapping"}.get(name, name)
    known = {"str": "text", "int": "integer", "float": "number", "bool": "true or false"}
    name = getattr(annotation, "__name__", str(annotation))
    return known.get(name, re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower())


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return "" if value in (None, "", (), {}) else f"`{value}`"


if __name__ == "__main__":
    sys.exit(main())
