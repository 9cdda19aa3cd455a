"""From the text `module:function`, or `file.ts#export`, in a document to the function.

A module stands beside the document that names it, or under the root document's folder, or on the
list of modules that the caller allows. To load a function its module is run, as with any import.
Files of other languages are only looked for; `declarative.scripts` has what runs them.
"""

import importlib
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from declarative.modules import ModuleFolder, public_name
from declarative.scripts import Script, SourceError, find_script, script_source
from swarm.errors import SwarmError, suggest
from swarm.secrets import hide

__all__ = ["Source"]

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_FUNCTION = re.compile(rf"(?P<module>{_NAME}(\.{_NAME})*):(?P<function>{_NAME})")
_MOST_TOLD = 10
"""Problems of a file that a module reads that are told in one message."""
_HINT = "write module:function, with the module beside this file"


class Source:
    """Finds the functions that the documents of one project name."""

    def __init__(
        self, root: Path, *, allow_modules: Sequence[str] = (), secrets: Mapping[str, str]
    ) -> None:
        self._folder = ModuleFolder(root)
        self._allowed = tuple(allow_modules)
        self._secrets = secrets

    def function(self, text: object, beside: Path) -> Callable[..., Any]:
        """Return the function that a text names.

        Args:
            text: `module:function`.
            beside: The document that names it.

        Raises:
            SourceError: It names none, or its module cannot be loaded.
        """
        return self._find(text, beside)[1]

    def script(
        self,
        text: str,
        beside: Path,
        *,
        kind: str,
        name: str,
        field: str,
        timeout: float | None = None,
    ) -> Callable[..., Any]:
        """Return the function that stands for one of another language; its file is not run.

        Args:
            text: `file.ts#export`.
            beside: The document that names it.
            kind: The kind of the declaration.
            name: The declaration's name.
            field: The field that the function is for.
            timeout: Seconds for one call, where the declaration says.

        Raises:
            SourceError: There is no such file, or no function of its language can be in the field.
        """
        file, export = find_script(text, beside, self._folder.root)
        script = Script(text, file, export, kind, name, field, timeout)
        return script_source(file.suffix)(script)

    def reference(self, text: str, beside: Path) -> str:
        """Return the model reference `python:module:function` with the module's loaded name.

        Whoever resolves the reference later imports that name, and gets the same module.

        Raises:
            SourceError: It names no function, or its module cannot be loaded.
        """
        module, _ = self._find(text.removeprefix("python:"), beside)
        return f"python:{module.__name__}:{text.rpartition(':')[2]}"

    def _find(self, text: object, beside: Path) -> tuple[ModuleType, Callable[..., Any]]:
        if not isinstance(text, str):
            raise SourceError("must be the text module:function", _HINT)
        parts = _FUNCTION.fullmatch(text)
        if parts is None:
            raise SourceError(f"{text!r} does not read module:function", _HINT)
        module = self._module(parts["module"], beside)
        function = getattr(module, parts["function"], None)
        if function is None:
            known = [name for name, value in vars(module).items() if callable(value)]
            public = [name for name in known if not name.startswith("_")]
            message = f"module {parts['module']!r} has no function {parts['function']!r}"
            raise SourceError(message, suggest(parts["function"], public))
        if not callable(function):
            raise SourceError(f"{text!r} is {type(function).__name__}, not a function")
        return module, function

    def _module(self, name: str, beside: Path) -> ModuleType:
        if any(name == allowed or name.startswith(f"{allowed}.") for allowed in self._allowed):
            return self._run(name, name)
        below = beside.parent.resolve().relative_to(self._folder.root).parts
        for prefix in (below, ()) if below else ((),):
            full_name = ".".join((*prefix, name))
            if self._folder.file_of(full_name) is not None:
                return self._run(name, full_name, in_folder=True)
        near = suggest(name, [*self._folder.names(), *self._allowed])
        raise SourceError(
            f"no module {name!r} under the folder of the document",
            near or "installed modules must be allowed by the program that loads the document",
        )

    def _run(self, name: str, full_name: str, *, in_folder: bool = False) -> ModuleType:
        try:
            if in_folder:
                return self._folder.load(full_name)
            return importlib.import_module(full_name)
        except (Exception, SystemExit) as wrong:  # the user's code may raise anything
            file = self._folder.file_of(full_name) if in_folder else None
            line = _line_of(wrong, file)
            place = f" in {file.name}, line {line}" if file is not None and line else ""
            told = public_name(_told(wrong))
            said = f": {hide(told, self._secrets)}" if told else ""
            kind = type(wrong).__name__
            raise SourceError(f"module {name!r} raised {kind}{place}{said}") from None


def _told(wrong: BaseException) -> str:
    """Return what a module's error says in one line; of a file's problems, each with its place."""
    problems = getattr(wrong, "problems", ())
    if not isinstance(wrong, SwarmError) or not problems:
        return str(wrong).strip().partition("\n")[0]
    shown = "; ".join(str(problem) for problem in problems[:_MOST_TOLD])
    rest = len(problems) - _MOST_TOLD
    return f"{shown}; and {rest} more" if rest > 0 else shown


def _line_of(wrong: BaseException, file: Path | None) -> int | None:
    """Return the line of the module's own file where its trouble began."""
    if file is None:
        return None
    if isinstance(wrong, SyntaxError) and wrong.filename == str(file):
        return wrong.lineno
    frames = traceback.extract_tb(wrong.__traceback__)
    own = [frame.lineno for frame in frames if Path(frame.filename) == file]
    return own[-1] if own else None
