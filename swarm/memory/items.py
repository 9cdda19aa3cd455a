"""The items of storages, in the database or in memory: read whole, changed together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from swarm.memory.cells import CellKey, write_cell
from swarm.memory.tables import MemoryTables, Tables

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["Change", "Content", "Items", "MemoryItems", "SqlItems", "StoredItem"]


class StoredItem(NamedTuple):
    """An item as its row has it."""

    position: int
    """Where it stands among the others; a changed item stays where it was."""
    text: str


class Content(NamedTuple):
    """What a storage holds."""

    items: dict[str, StoredItem]
    """By the key of the id, in order."""
    last_number: int
    """The highest number that was handed out as an id."""
    version: int
    """0 before the first change."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happens together."""

    put: Mapping[str, StoredItem]
    remove: Sequence[str]
    last_number: int
    is_clear: bool = False
    """Remove everything first."""


class Items(Protocol):
    """Where the items of storages are kept."""

    async def version(self, key: CellKey) -> int:
        """Return a number that grows with each change."""
        ...

    async def read(self, key: CellKey) -> Content:
        """Return what a storage holds."""
        ...

    async def apply(self, key: CellKey, change: Change, version: int) -> bool:
        """Change a storage, durably and as a whole.

        Returns:
            Whether it still had that version; otherwise nothing was changed.
        """
        ...


class MemoryItems:
    """Items that live as long as their host."""

    def __init__(self) -> None:
        self._contents: dict[CellKey, Content] = {}

    async def version(self, key: CellKey) -> int:
        """Return the version; see `Items.version`."""
        return self._content(key).version

    async def read(self, key: CellKey) -> Content:
        """Return what a storage holds; see `Items.read`."""
        content = self._content(key)
        return content._replace(items=dict(content.items))

    async def apply(self, key: CellKey, change: Change, version: int) -> bool:
        """Change a storage; see `Items.apply`."""
        content = self._content(key)
        if content.version != version:
            return False
        items = {} if change.is_clear else dict(content.items)
        for item in change.remove:
            items.pop(item, None)
        items.update(change.put)
        self._contents[key] = Content(items, change.last_number, version + 1)
        return True

    def _content(self, key: CellKey) -> Content:
        return self._contents.get(key, Content({}, 0, 0))


class SqlItems:
    """Items in the host's database."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    async def version(self, key: CellKey) -> int:
        """Return the version; see `Items.version`."""
        return (await self._tables.run(lambda c, tables: _head(c, tables, key)))[0]

    async def read(self, key: CellKey) -> Content:
        """Return what a storage holds; see `Items.read`."""

        def work(connection: "sqlalchemy.Connection", tables: Tables) -> Content:
            import sqlalchemy as sa

            table = tables.items
            query = (
                sa.select(table.c.item_id, table.c.position, table.c.payload)
                .where(*_owned(table, key))
                .order_by(table.c.position)
            )
            while True:
                version, last_number = _head(connection, tables, key)
                rows = connection.execute(query).all()
                # Another process may have changed it between the two queries.
                if _head(connection, tables, key)[0] == version:
                    items = {row.item_id: StoredItem(row.position, row.payload) for row in rows}
                    return Content(items, last_number, version)

        return await self._tables.run(work)

    async def apply(self, key: CellKey, change: Change, version: int) -> bool:
        """Change a storage; see `Items.apply`."""
        import sqlalchemy as sa
        import sqlalchemy.exc

        def work(connection: "sqlalchemy.Connection", tables: Tables) -> bool:
            table = tables.items
            if not write_cell(connection, tables, key, str(change.last_number), version):
                return False
            owner = _owner(key)
            if change.is_clear:
                connection.execute(sa.delete(table).where(*_owned(table, key)))
            gone = [{"gone": item} for item in (*change.remove, *change.put)]
            if gone and not change.is_clear:
                one = sa.delete(table).where(
                    *_owned(table, key), table.c.item_id == sa.bindparam("gone")
                )
                connection.execute(one, gone)
            rows = [
                {**owner, "item_id": item, "position": stored.position, "payload": stored.text}
                for item, stored in change.put.items()
            ]
            if rows:
                connection.execute(sa.insert(table), rows)
            return True

        try:
            return await self._tables.run(work)
        except sqlalchemy.exc.IntegrityError:
            return False  # another process was the first to change this storage


def _head(connection: "sqlalchemy.Connection", tables: Tables, key: CellKey) -> tuple[int, int]:
    """Return version and last number."""
    import sqlalchemy as sa

    cells = tables.cells
    query = sa.select(cells.c.version, cells.c.payload).where(
        *_owned(cells, key), cells.c.kind == key.kind
    )
    row = connection.execute(query).one_or_none()
    return (0, 0) if row is None else (row.version, int(row.payload or 0))


def _owner(key: CellKey) -> dict[str, str]:
    return {"name": key.name, "swarm_name": key.swarm_name, "client_id": key.client_id}


def _owned(table: "sqlalchemy.Table", key: CellKey) -> list[Any]:
    return [table.c[name] == value for name, value in _owner(key).items()]
