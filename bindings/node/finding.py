"""What a file needs to run in Node: Node itself, `tsx` for TypeScript, the package `wikiswarm`."""

import functools
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from swarm.errors import DataError, SetupError, suggest

__all__ = [
    "SUFFIXES",
    "NodeNeeds",
    "check_program",
    "find_needs",
    "host_command",
    "node_command",
    "node_environment",
]

SUFFIXES = (".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs")
"""Files that Node runs, those of TypeScript with `tsx`."""

_TYPED = (".ts", ".mts", ".cts", ".tsx")
_OLDEST = 20
_PATIENCE = 10.0
"""Seconds that Node may take to say its version."""


class NodeNeeds(NamedTuple):
    """What a file runs with."""

    node: str
    """The executable."""
    version: tuple[int, int]
    loader: Path | None
    """The module of `tsx`; None where Node takes the file as it is."""
    package: Path | None
    """The folder of the package `wikiswarm`, where it is installed."""


def check_program(file: Path) -> None:
    """Refuse what is no program.

    Raises:
        DataError: It is missing, a folder, or a file that Node does not run.
    """
    if file.is_dir():
        raise DataError(f"{file} is a folder; name the program in it")
    if not file.is_file():
        folder = file.parent
        here = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        near = suggest(file.name, here)
        raise DataError(f"there is no file {file}" + (f"; {near}" if near else ""))
    if file.suffix not in SUFFIXES:
        raise DataError(f"{file} is no program for Node; those end in {', '.join(SUFFIXES)}")


def find_needs(file: Path, environment: Mapping[str, str] | None = None) -> NodeNeeds:
    """Find what a file runs with.

    Args:
        file: The file.
        environment: Where `WIKISWARM_NODE` and `PATH` are looked up; the process's when absent.

    Raises:
        SetupError: Node or `tsx` is missing, or Node is too old.
    """
    variables = os.environ if environment is None else environment
    named = variables.get("WIKISWARM_NODE")
    node = shutil.which(named or "node", path=variables.get("PATH"))
    if node is None:
        what = f"WIKISWARM_NODE names {named!r}, which is no program" if named else "no Node found"
        raise SetupError(f"{what}; install Node {_OLDEST} or later, or name it in WIKISWARM_NODE")
    version = _version_of(node, Path(node).stat().st_mtime_ns)
    if version < (_OLDEST, 0):
        shown = ".".join(map(str, version))
        raise SetupError(f"{node} is Node {shown}; install Node {_OLDEST} or later")
    folder = file.resolve().parent
    loader = _tsx(folder) if file.suffix in _TYPED else None
    strips_types = version >= (22, 18) and not (23, 0) <= version < (23, 6)
    if file.suffix in _TYPED and loader is None and not (strips_types and file.suffix != ".tsx"):
        raise SetupError(f"{file.name} needs tsx, which is not installed; run: {_npm(file, 'tsx')}")
    return NodeNeeds(node, version, loader, _package("wikiswarm", folder))


def node_command(file: Path, environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the command that runs a file; its arguments follow.

    Raises:
        SetupError: Something that it needs is missing.
    """
    needs = find_needs(file, environment)
    return [*_started(needs), str(file.resolve())]


def host_command(file: Path) -> list[str]:
    """Return the command that serves the functions of a file.

    Raises:
        SetupError: Something that it needs is missing.
    """
    needs = find_needs(file)
    if needs.package is None:
        install = _npm(file, "wikiswarm")
        raise SetupError(
            f"{file.name} needs the npm package wikiswarm, which is not installed; run: {install}"
        )
    host = _entry(needs.package, "./host")
    if host is None or not host.is_file():
        raise SetupError(
            f"the npm package wikiswarm in {needs.package} has no module `host`; "
            "install the same version as that of the Python package, or build it: npm run build"
        )
    return [*_started(needs), str(host), str(file.resolve())]


def node_environment(descriptor: int) -> dict[str, str]:
    """Return the environment of a process that is connected by a descriptor."""
    others = ("WIKISWARM_CORE_URL", "WIKISWARM_TOKEN")
    kept = {name: value for name, value in os.environ.items() if name not in others}
    return {**kept, "WIKISWARM_FD": str(descriptor)}


def _started(needs: NodeNeeds) -> list[str]:
    return [needs.node, *(() if needs.loader is None else ("--import", needs.loader.as_uri()))]


def _npm(file: Path, package: str) -> str:
    return f"npm install --prefix {shlex.quote(str(file.resolve().parent))} {package}"


@functools.cache
def _version_of(node: str, stamp: int) -> tuple[int, int]:
    """Return what a Node says it is; another file at the same place is asked anew."""
    try:
        said = subprocess.run(
            [node, "--version"],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=True,
        ).stdout
        major, minor = said.strip().removeprefix("v").split(".")[:2]
        return int(major), int(minor)
    except (OSError, subprocess.SubprocessError, ValueError):
        raise SetupError(
            f"{node} does not say its version; install Node {_OLDEST} or later, "
            "or name it in WIKISWARM_NODE"
        ) from None


def _package(name: str, folder: Path) -> Path | None:
    """Return the folder of a package as Node finds it: in `node_modules`, upwards."""
    for above in (folder, *folder.parents):
        place = above / "node_modules" / name
        if (place / "package.json").is_file():
            return place.resolve()
    return None


def _tsx(folder: Path) -> Path | None:
    package = _package("tsx", folder)
    entry = None if package is None else _entry(package, ".")
    return entry if entry is not None and entry.is_file() else None


def _entry(package: Path, name: str) -> Path | None:
    """Return the module that a package exports under a name."""
    try:
        content: Any = json.loads((package / "package.json").read_text(encoding="utf-8"))
        found: Any = content["exports"][name]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    while isinstance(found, dict):
        conditions = cast("dict[str, Any]", found)
        found = conditions.get("import") or conditions.get("default")
    return (package / found).resolve() if isinstance(found, str) else None
