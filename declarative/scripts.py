"""The extension point for functions of other languages: `discount.ts#discount` in a document.

A source makes the Python function that stands for one. That of TypeScript and JavaScript comes
with the package `bindings.node`, which is loaded when a document names the first of them.
"""

import importlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from swarm.errors import DeclarationError, suggest
from swarm.fields import Callback

__all__ = [
    "Script",
    "ScriptSource",
    "SourceError",
    "add_script_source",
    "find_script",
    "names_script",
    "script_source",
]

_SCRIPT = re.compile(r"\.[cm]?[jt]sx?(#|$)")
_EXPORT = re.compile(r"[^\W\d][\w$]*|\$[\w$]*")
_BROUGHT_BY = dict.fromkeys([".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs"], "bindings.node")
"""The package that adds the source of a suffix when it is loaded."""
_HINT = "write file.ts#export, with the file beside this document"


class SourceError(DeclarationError):
    """A text that leads to no function."""

    code = "source_error"
    rpc_code = -32015

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(message)


class Script(NamedTuple):
    """A function of another language, and the field of a declaration that it stands in."""

    text: str
    """As the document writes it."""
    file: Path
    export: str
    kind: str
    """The kind of the declaration, such as `tool`."""
    name: str
    """The declaration's name."""
    field: str
    """Such as `call`, `callbacks.on_before_call` or `validations.0`."""
    timeout: float | None = None
    """Seconds for one call, where the declaration says."""


ScriptSource = Callable[[Script], Callback]
"""Makes the function; raises SourceError for a field that no other process can serve."""

_sources: dict[str, ScriptSource] = {}


def add_script_source(suffixes: Iterable[str], source: ScriptSource) -> None:
    """Let a source make the functions of files with these suffixes, such as `.ts`."""
    for suffix in suffixes:
        _sources[suffix] = source


def script_source(suffix: str) -> ScriptSource:
    """Return the source of a suffix.

    Raises:
        SourceError: There is none.
    """
    package = _BROUGHT_BY.get(suffix)
    if suffix not in _sources and package is not None:
        try:
            importlib.import_module(package)
        except ImportError as missing:
            text = f"functions in {suffix} files need the package {package}: {missing}"
            raise SourceError(text, "install all of wikiswarm") from None
    if suffix not in _sources:
        known = ", ".join(sorted({*_sources, *_BROUGHT_BY}))
        raise SourceError(f"functions in {suffix} files are not known here", f"known: {known}")
    return _sources[suffix]


def names_script(text: object) -> bool:
    """Whether a text is meant to name a function of another language."""
    return isinstance(text, str) and _SCRIPT.search(text) is not None


def find_script(text: str, beside: Path, root: Path) -> tuple[Path, str]:
    """Return the file and the export that a text names; the file is there.

    Args:
        text: `file#export`.
        beside: The document that names it; the file stands beside it, or in the root folder.
        root: The folder that no file may leave; resolved.

    Raises:
        SourceError: The text is not of that form, or leads to no file.
    """
    place, hash_sign, export = text.rpartition("#")
    if not hash_sign or not place or _EXPORT.fullmatch(export) is None:
        raise SourceError(f"{text!r} does not read file.ts#export", _HINT)
    if "\0" in place or Path(place).is_absolute():
        raise SourceError(f"{place!r} is not a path from the folder of the document", _HINT)
    is_inside, is_outside = False, False
    for folder in dict.fromkeys((beside.parent.resolve(), root)):
        try:
            file = (folder / place).resolve()
            is_file = file.is_file()
        except (OSError, RuntimeError, ValueError):  # too long, or links in a circle
            continue
        if not file.is_relative_to(root):
            is_outside = True
            continue
        is_inside = True
        if is_file:
            script_source(file.suffix)
            return file, export
    if is_outside and not is_inside:
        raise SourceError(f"{place!r} leads out of the folder of the document", _HINT)
    raise SourceError(f"no file {place!r} under the folder of the document", _near(place, beside))


def _near(place: str, beside: Path) -> str:
    folder = (beside.parent / place).parent
    try:
        files = [path.name for path in folder.iterdir() if path.suffix in _BROUGHT_BY]
    except OSError:
        files = []
    return suggest(Path(place).name, files) or _HINT
