"""Golden sets: questions with their right answers that every version is evaluated on.

A set is kept once, under a name and with its hash, in the folder of the state; it is changed only
on purpose, since figures on a changed set do not compare. The rows are SFT rows, so the same set
serves models, wikis over documents, and people.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue

from finetune.train.rows import dump_rows, read_chats, read_data
from swarm.errors import DataError, InvalidIdError, StoreError, UnknownNameError
from swarm.files import write_atomically

__all__ = ["GoldenSet", "GoldenSets"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class GoldenSet(BaseModel):
    """A set that is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str
    rows: int
    sha256: str
    """Hash of its rows; figures compare where it is the same."""
    path: Path


class GoldenSets:
    """The golden sets under a folder, which is made when the first one is added."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(
        self, name: str, rows: Sequence[dict[str, JsonValue]], *, replace: bool = False
    ) -> GoldenSet:
        """Keep rows under a name.

        Args:
            name: Lower case letters, digits, `_` and `-`.
            rows: SFT rows; the last message is the right answer.
            replace: Whether a set of that name is changed.

        Raises:
            InvalidIdError: The name may not be used.
            DataError: There are no rows, one is wrong, or other rows are kept under the name.
            StoreError: The file cannot be written.
        """
        path = self._path(name)
        if not rows:
            raise DataError(f"golden set {name!r}: there are no rows")
        read_chats(list(rows), source=name)
        text = dump_rows(list(rows))
        if path.exists() and path.read_text(encoding="utf-8") != text and not replace:
            raise DataError(
                f"golden set {name!r} holds other rows; figures on a changed set do not compare,"
                " so take another name, or replace it on purpose"
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text)
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror or error}") from error
        return self._describe(path)

    def rows(self, name: str) -> list[dict[str, JsonValue]]:
        """Return the rows of a set.

        Raises:
            InvalidIdError: The name may not be used.
            UnknownNameError: There is no such set.
            DataError: Its file is damaged.
        """
        path = self._path(name)
        if not path.is_file():
            raise UnknownNameError("golden set", name, [one.name for one in self.list()])
        return read_data(path)

    def list(self) -> tuple[GoldenSet, ...]:
        """Return the sets by name."""
        if not self.folder.is_dir():
            return ()
        files = sorted(self.folder.glob("*.jsonl"))
        return tuple(self._describe(path) for path in files if _NAME.fullmatch(path.stem))

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise InvalidIdError(
                f"{name[:80]!r} cannot be the name of a golden set: use up to 64 of a-z, 0-9, '_'"
                " and '-', with a letter or digit first"
            )
        return self.folder / f"{name}.jsonl"

    def _describe(self, path: Path) -> GoldenSet:
        data = path.read_bytes()
        return GoldenSet(
            name=path.stem,
            rows=data.count(b"\n"),
            sha256=hashlib.sha256(data).hexdigest(),
            path=path,
        )
