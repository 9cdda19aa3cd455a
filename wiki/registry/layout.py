"""How the folder of a model is laid out, and how its trouble is told."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from swarm.errors import StoreError
from wiki.registry.errors import CorruptedVersionError

__all__ = ["check_plain_folder", "store_errors", "version_numbers"]

_VERSION_FOLDER = re.compile(r"[1-9][0-9]{0,8}")


def version_numbers(home: Path) -> tuple[int, ...]:
    """Return the numbers of the versions under a model's folder, ascending; none if it has none."""
    if not home.is_dir():
        return ()
    names = (path.name for path in home.iterdir())
    return tuple(sorted(int(name) for name in names if _VERSION_FOLDER.fullmatch(name)))


def check_plain_folder(path: Path) -> None:
    """Raise unless a path is a folder itself, and no link to one somewhere else.

    Raises:
        CorruptedVersionError: It is not.
    """
    if path.is_symlink() or not path.is_dir():
        raise CorruptedVersionError(path, "is a link or no folder")


@contextmanager
def store_errors(home: Path) -> Generator[None, None, None]:
    """Turn what the system says about a file into a `StoreError`."""
    try:
        yield
    except OSError as error:
        place = error.filename or home
        raise StoreError(f"{place}: {error.strerror or error} (model registry)") from error
