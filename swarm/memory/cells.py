"""Cells: a JSON text and a version for each name and owner, in one of three places.

Every write names the version that it replaces, so two processes on one database never lose one
another's writes.
"""

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from swarm.memory.calling import ask
from swarm.memory.tables import MemoryTables, Tables
from swarm.memory.values import decode_value, encode_value

if TYPE_CHECKING:
    import sqlalchemy

__all__ = [
    "Cell",
    "CellKey",
    "Cells",
    "MemoryCells",
    "OwnCells",
    "SqlCells",
    "content_version",
    "write_cell",
]


class CellKey(NamedTuple):
    """Which cell: a kind and a name, and whose it is; shared ones have no swarm and client."""

    kind: str
    name: str
    swarm_name: str
    client_id: str

    @property
    def place(self) -> str:
        """What messages call it."""
        return f"{self.kind} {self.name!r}"


class Cell(NamedTuple):
    """What a cell holds."""

    text: str | None
    """None before the first write and after `clear`."""
    version: int
    """Grows with each write; 0 before the first one."""


class Cells(Protocol):
    """Where cells are kept."""

    async def read(self, key: CellKey) -> Cell:
        """Return what a cell holds."""
        ...

    async def write(self, key: CellKey, text: str | None, version: int) -> int | None:
        """Replace what a cell holds, durably.

        Args:
            key: Which cell.
            text: The new content; None clears it.
            version: The one that is replaced.

        Returns:
            The new version; None when the cell had another one, and nothing was written.
        """
        ...


class MemoryCells:
    """Cells that live as long as their host."""

    def __init__(self) -> None:
        self._cells: dict[CellKey, Cell] = {}

    async def read(self, key: CellKey) -> Cell:
        """Return what a cell holds; see `Cells.read`."""
        return self._cells.get(key, Cell(None, 0))

    async def write(self, key: CellKey, text: str | None, version: int) -> int | None:
        """Replace what a cell holds; see `Cells.write`."""
        if self._cells.get(key, Cell(None, 0)).version != version:
            return None
        self._cells[key] = Cell(text, version + 1)
        return version + 1


class SqlCells:
    """Cells in the host's database."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    async def read(self, key: CellKey) -> Cell:
        """Return what a cell holds; see `Cells.read`."""
        import sqlalchemy as sa

        def work(connection: "sqlalchemy.Connection", tables: Tables) -> Cell:
            cells = tables.cells
            query = sa.select(cells.c.payload, cells.c.version).where(*_is(cells, key))
            row = connection.execute(query).one_or_none()
            return Cell(None, 0) if row is None else Cell(row.payload, row.version)

        return await self._tables.run(work)

    async def write(self, key: CellKey, text: str | None, version: int) -> int | None:
        """Replace what a cell holds; see `Cells.write`."""
        import sqlalchemy.exc

        try:
            is_written = await self._tables.run(
                lambda connection, tables: write_cell(connection, tables, key, text, version)
            )
        except sqlalchemy.exc.IntegrityError:
            return None  # another process was the first to write this cell
        return version + 1 if is_written else None


class OwnCells:
    """Cells that functions of the program keep, in place of the database.

    Their version is made of their content, as nobody counts the writes of other programs; so the
    last of two writes at once wins.
    """

    def __init__(self, read: Callable[..., Any], write: Callable[..., Any]) -> None:
        self._read, self._write = read, write

    async def read(self, key: CellKey) -> Cell:
        """Return what a cell holds; see `Cells.read`.

        Raises:
            MemoryCallbackError: The function failed.
            NotJsonError: It gave something else than JSON.
        """
        value = await ask(
            self._read,
            key.client_id,
            key.name,
            role="get_state",
            place=key.place,
            in_thread=True,
        )
        text = None if value is None else encode_value(value, key.place)
        return Cell(text, content_version(text))

    async def write(self, key: CellKey, text: str | None, version: int) -> int | None:
        """Replace what a cell holds; see `Cells.write`.

        Raises:
            MemoryCallbackError: The function failed.
        """
        value = None if text is None else decode_value(text)
        await ask(
            self._write,
            key.client_id,
            key.name,
            value,
            role="set_state",
            place=key.place,
            in_thread=True,
        )
        return content_version(text)


def content_version(text: str | None) -> int:
    """Return a version for content that has no other; 0 where there is none."""
    if text is None:
        return 0
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") or 1


def write_cell(
    connection: "sqlalchemy.Connection",
    tables: Tables,
    key: CellKey,
    text: str | None,
    version: int,
) -> bool:
    """Replace what a cell holds, as part of a transaction; see `Cells.write`.

    Raises:
        sqlalchemy.exc.IntegrityError: Another process wrote it first.
    """
    import sqlalchemy as sa

    cells, values = tables.cells, {"payload": text, "version": version + 1}
    if version == 0:
        connection.execute(sa.insert(cells).values(**key._asdict(), **values))
        return True
    change = sa.update(cells).where(*_is(cells, key), cells.c.version == version).values(**values)
    return connection.execute(change).rowcount == 1


def _is(table: "sqlalchemy.Table", key: CellKey) -> list[Any]:
    return [table.c[name] == value for name, value in key._asdict().items()]
