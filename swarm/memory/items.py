"""The items of storages, in one of three places: read whole, changed together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from swarm.memory.calling import ask, failure_of
from swarm.memory.cells import CellKey, content_version, write_cell
from swarm.memory.specs import StorageSpec
from swarm.memory.tables import MemoryTables, Tables
from swarm.memory.values import as_item, decode_value, encode_value, item_key

if TYPE_CHECKING:
    import sqlalchemy

__all__ = [
    "NOTHING",
    "Change",
    "Content",
    "Items",
    "MemoryItems",
    "OwnItems",
    "SqlItems",
    "StoredItem",
    "item_texts",
]


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


NOTHING = Content({}, 0, 0)
"""What a storage holds before its first change."""


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

    async def read(self, key: CellKey, known: int = 0) -> Content | None:
        """Return what a storage holds.

        Args:
            key: Which storage.
            known: The version that the caller has; 0 for none.

        Returns:
            What it holds; None when it still has the known version.
        """
        ...

    async def apply(self, key: CellKey, change: Change, old: Content) -> Content | None:
        """Change a storage, durably and as a whole.

        Args:
            key: Which storage.
            change: What to change.
            old: What it holds.

        Returns:
            What it holds now; None when it had another version, and nothing was changed.
        """
        ...


class MemoryItems:
    """Items that live as long as their host."""

    def __init__(self) -> None:
        self._contents: dict[CellKey, Content] = {}

    async def read(self, key: CellKey, known: int = 0) -> Content | None:
        """Return what a storage holds; see `Items.read`."""
        content = self._contents.get(key, NOTHING)
        return None if known and content.version == known else content

    async def apply(self, key: CellKey, change: Change, old: Content) -> Content | None:
        """Change a storage; see `Items.apply`."""
        if self._contents.get(key, NOTHING).version != old.version:
            return None
        new = self._contents[key] = _changed(old, change, old.version + 1)
        return new


class OwnItems:
    """Items that functions of the program keep, in place of the database.

    All of them are read at each use, so what another program changed is seen; the last of two
    writes at once wins. Numbers that were handed out as ids are known as long as the host is open.
    """

    def __init__(self, spec: StorageSpec, numbers: dict[CellKey, int]) -> None:
        self._spec = spec
        self._numbers = numbers

    async def read(self, key: CellKey, known: int = 0) -> Content | None:
        """Return what a storage holds; see `Items.read`.

        Raises:
            MemoryCallbackError: The function failed, or gave no list.
            NotJsonError: It gave something else than items.
        """
        function = self._spec.get_data
        if function is None:
            raise ValueError(f"{key.place} has no `get_data`")
        role, names = "get_data", (key.client_id, key.name)
        values = await ask(function, *names, role=role, place=key.place, in_thread=True)
        if values is None:
            return NOTHING
        if not isinstance(values, Iterable) or isinstance(values, str | bytes | Mapping):
            raise failure_of(function, role, key.place, "it returns no list of items")
        texts = item_texts(cast("Iterable[object]", values), key.place)
        items = {item: StoredItem(n, text) for n, (item, text) in enumerate(texts.items())}
        version = content_version("\n".join(texts.values()))
        if known and version == known:
            return None
        return Content(items, self._numbers.get(key, 0), version)

    async def apply(self, key: CellKey, change: Change, old: Content) -> Content | None:
        """Change a storage; see `Items.apply`.

        Raises:
            MemoryCallbackError: The function failed.
        """
        function = self._spec.set_data
        if function is None:
            raise ValueError(f"{key.place} has no `set_data`")
        new = _changed(old, change, 0)
        if change.put or change.remove or change.is_clear or not old.version:
            values = [decode_value(stored.text) for stored in new.items.values()]
            told = (key.client_id, key.name, values)
            await ask(function, *told, role="set_data", place=key.place, in_thread=True)
        self._numbers[key] = change.last_number
        texts = "\n".join(stored.text for stored in new.items.values())
        return new._replace(version=content_version(texts))


class SqlItems:
    """Items in the host's database."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    async def read(self, key: CellKey, known: int = 0) -> Content | None:
        """Return what a storage holds; see `Items.read`."""

        def work(connection: "sqlalchemy.Connection", tables: Tables) -> Content | None:
            import sqlalchemy as sa

            table = tables.items
            query = (
                sa.select(table.c.item_id, table.c.position, table.c.payload)
                .where(*_owned(table, key))
                .order_by(table.c.position)
            )
            while True:
                version, last_number = _head(connection, tables, key)
                if known and version == known:
                    return None
                rows = connection.execute(query).all()
                # Another process may have changed it between the two queries.
                if _head(connection, tables, key)[0] == version:
                    items = {row.item_id: StoredItem(row.position, row.payload) for row in rows}
                    return Content(items, last_number, version)

        return await self._tables.run(work)

    async def apply(self, key: CellKey, change: Change, old: Content) -> Content | None:
        """Change a storage; see `Items.apply`."""
        import sqlalchemy as sa
        import sqlalchemy.exc

        def work(connection: "sqlalchemy.Connection", tables: Tables) -> bool:
            table = tables.items
            if not write_cell(connection, tables, key, str(change.last_number), old.version):
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
            is_applied = await self._tables.run(work)
        except sqlalchemy.exc.IntegrityError:
            return None  # another process was the first to change this storage
        return _changed(old, change, old.version + 1) if is_applied else None


def item_texts(values: Iterable[object], place: str) -> dict[str, str]:
    """Return the texts of items by their keys; of two with one id, the later one.

    Raises:
        NotJsonError: One is no mapping of JSON values.
        InvalidIdError: One has no id, or one that cannot be.
    """
    texts: dict[str, str] = {}
    for value in values:
        item = as_item(value, place)
        texts[item_key(item.get("id"), place)] = encode_value(item, place)
    return texts


def _changed(old: Content, change: Change, version: int) -> Content:
    items = {} if change.is_clear else dict(old.items)
    for item in change.remove:
        items.pop(item, None)
    items.update(change.put)
    return Content(items, change.last_number, version)


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
