"""Which files the `documents` of a wiki name, and that none of them lies outside its folder."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from swarm.errors import DataError

__all__ = ["MAX_FILES", "SUFFIXES", "Found", "Skipped", "SourceFile", "check_pattern", "find_files"]

MAX_FILES = 10_000
"""So many files at most; a folder with more is a mistake or needs a wiki per part."""

SUFFIXES = {
    ".htm": "html",
    ".html": "html",
    ".markdown": "markdown",
    ".md": "markdown",
    ".pdf": "pdf",
    ".text": "text",
    ".txt": "text",
}
"""The format behind each ending; files with other endings are left out."""

_MAGIC = frozenset("*?[")


class SourceFile(NamedTuple):
    """A file to read."""

    path: str
    """Relative to the root, with `/`: what citations show."""
    file: Path
    """With every link resolved."""


class Skipped(NamedTuple):
    """A file that is not in the index, and why."""

    path: str
    reason: str


class Found(NamedTuple):
    """The files that a list of patterns names."""

    files: tuple[SourceFile, ...]
    """Sorted by path, each once."""
    skipped: tuple[Skipped, ...]


def check_pattern(pattern: str) -> None:
    """Raise unless a pattern stays below the folder that it is relative to.

    Raises:
        ValueError: It is empty, absolute, or climbs out with `..`.
    """
    windows = PureWindowsPath(pattern)
    if not pattern.strip() or "\0" in pattern:
        raise ValueError("a document's path may not be empty")
    if PurePosixPath(pattern).is_absolute() or windows.drive or windows.root:
        raise ValueError(f"{pattern!r} is absolute; documents are relative to their folder")
    if ".." in windows.parts:
        raise ValueError(f"{pattern!r} leaves the folder by '..'; set documents_root instead")


def find_files(root: Path, patterns: Sequence[str]) -> Found:
    """Return the files that files, folders and globs name, hidden ones left out.

    Args:
        root: The folder that the patterns are relative to; a link must not lead out of it.
        patterns: Each a file, a folder with all below it, or a glob such as `faq/**/*.md`.

    Raises:
        DataError: There are too many files, or the root is no folder.
        ValueError: A pattern leaves the root.
    """
    if not root.is_dir():
        raise DataError(f"{root} is no folder; documents are relative to it")
    home = root.resolve()
    refusal = _Refusals(home)
    files: dict[str, SourceFile] = {}
    skipped: dict[str, Skipped] = {}
    for pattern in patterns:
        check_pattern(pattern)
        is_empty = True
        for path in _matches(home, pattern):
            name = path.relative_to(home).as_posix()
            reason = refusal.of(path)
            if reason is None:
                is_empty = False
                files[name] = SourceFile(name, path.resolve() if path.is_symlink() else path)
            elif path.suffix.lower() in SUFFIXES or name == PurePosixPath(pattern).as_posix():
                is_empty = False
                skipped[name] = Skipped(name, reason)
            if len(files) > MAX_FILES:
                raise DataError(f"{pattern!r} names more than {MAX_FILES:,} files under {root}")
        if is_empty:
            skipped[pattern] = Skipped(pattern, "no document is there")
    return Found(
        tuple(files[name] for name in sorted(files)),
        tuple(skipped[name] for name in sorted(skipped)),
    )


def _matches(home: Path, pattern: str) -> Iterator[Path]:
    paths = home.glob(pattern) if _MAGIC & set(pattern) else [home / pattern]
    for path in paths:
        if _is_hidden(path, home):
            continue
        if path.is_dir():
            # A link to a folder elsewhere is not walked.
            if path.resolve().is_relative_to(home):
                yield from _below(home, path)
            else:
                yield path
        elif path.is_file() or path.is_symlink():
            yield path


def _below(home: Path, folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if not _is_hidden(path, home):
                yield path


def _is_hidden(path: Path, home: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(home).parts)


class _Refusals:
    """Says why a file may not be read; each folder is resolved once."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folders: dict[Path, bool] = {home: True}

    def of(self, path: Path) -> str | None:
        """Return the reason, or None for a file that may be read."""
        if path.parent not in self._folders:
            self._folders[path.parent] = path.parent.resolve().is_relative_to(self._home)
        is_inside = self._folders[path.parent]
        if path.is_symlink():
            try:
                is_inside = path.resolve(strict=True).is_relative_to(self._home)
            except (OSError, RuntimeError):  # to nothing, or to itself
                return "the link leads nowhere"
        if not is_inside:
            return "the link leads out of the folder"
        if not path.is_file():
            return "it is no file"
        if path.suffix.lower() not in SUFFIXES:
            return f"no reader for {path.suffix or 'a name without an ending'}"
        return None
