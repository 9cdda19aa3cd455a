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

from pydantic.fields import FieldInfo

from declarative.kinds import SECTIONS

__all__ = ["main", "rendered"]

PAGE = Path(__file__).parent.parent / "docs" / "declarations.md"
_BEGIN, _END = "<!-- fields -->\n", "<!-- /fields -->\n"


def rendered(page: str) -> str:
    """Return the page with tables that fit the code."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    tables = "\n".join(_table(section) for section in SECTIONS)
    return f"{before}{_BEGIN}{tables}{_END}{after}"


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
    lines += ["| field | takes | default | |", "|---|---|---|---|"]
    for name, field in kind.spec.model_fields.items():
        note = " ".join((field.description or "").split()).replace("|", "\\|")
        lines.append(f"| `{name}` | {_takes(field)} | {_default(field)} | {note} |")
    return "\n".join(lines) + "\n"


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
