"""Cells: a JSON text and a version for each name and owner, in the database or in memory.

Every write names the version that it replaces, so two processes on one database never lose one
another's writes.
"""

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from swarm.memory.tables import MemoryTables, Tables

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["Cell", "CellKey", "Cells", "MemoryCells", "SqlCells", "write_cell"]


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

    async def write(self, key: CellKey, text: str | None, version: int) -> bool:
        """Replace what a cell holds, durably.

        Args:
            key: Which cell.
            text: The new content; None clears it.
            version: The one that is replaced.

        Returns:
            Whether it still had that version; otherwise nothing was written.
        """
        ...


class MemoryCells:
    """Cells that live as long as their host."""

    def __init__(self) -> None:
        self._cells: dict[CellKey, Cell] = {}

    async def read(self, key: CellKey) -> Cell:
        """Return what a cell holds; see `Cells.read`."""
        return self._cells.get(key, Cell(None, 0))

    async def write(self, key: CellKey, text: str | None, version: int) -> bool:
        """Replace what a cell holds; see `Cells.write`."""
        if self._cells.get(key, Cell(None, 0)).version != version:
            return False
        self._cells[key] = Cell(text, version + 1)
        return True


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

    async def write(self, key: CellKey, text: str | None, version: int) -> bool:
        """Replace what a cell holds; see `Cells.write`."""
        import sqlalchemy.exc

        try:
            return await self._tables.run(
                lambda connection, tables: write_cell(connection, tables, key, text, version)
            )
        except sqlalchemy.exc.IntegrityError:
            return False  # another process was the first to write this cell


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
