"""The storages of a host: items changed in order, found again by their meaning."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from swarm.errors import StoreError
from swarm.functions import observe
from swarm.memory.calling import ask
from swarm.memory.cells import CellKey
from swarm.memory.items import NOTHING, Change, Content, Items, OwnItems, StoredItem, item_texts
from swarm.memory.lives import Lives
from swarm.memory.owner import EVERYBODY, Owner
from swarm.memory.queues import Queues
from swarm.memory.searches import Searches
from swarm.memory.specs import STORAGES, StorageSpec
from swarm.memory.telling import publish
from swarm.memory.values import ItemId, decode_value, item_key

if TYPE_CHECKING:
    from swarm.catalog import Catalog

__all__ = ["Item", "Storages"]

Item = dict[str, Any]
"""A mapping of JSON values with an `id`."""
_Found = list[Item]
"""Inside the class, `list` is one of its verbs."""

_MOST_LOADED = 256
"""Storages of clients that are held in memory, between two calls."""
_ATTEMPTS = 20
"""How often a change is made anew because another process was faster."""


class Storages:
    """Every storage of every client; the facades `Storage` and `SharedStorage` use it."""

    def __init__(
        self,
        catalog: "Catalog",
        kept: Items,
        fleeting: Items,
        searches: Searches,
        queues: Queues,
        lives: Lives,
    ) -> None:
        self._catalog = catalog
        self._kept = kept
        self._fleeting = fleeting
        self._searches = searches
        self._queues = queues
        self._lives = lives
        self._numbers: dict[CellKey, int] = {}
        self._loaded: OrderedDict[CellKey, Content] = OrderedDict()
        """What is held; it is checked by its version at each call."""

    async def take(
        self, name: str, search: str, total: int, score: float | None, owner: Owner
    ) -> list[Item]:
        """Return the items that fit a text best, the best first."""
        spec, key = await self._find(name, owner)
        found = await self._take(spec, key, search, total, score)
        await self._tell(spec, "on_search", key, search, lambda: [dict(item) for item in found])
        if (bus := self._catalog.bus).is_watched:
            publish(bus, "take", key, {"search": search, "total": total}, {"items": found})
        return found

    async def upsert(
        self, name: str, items: Mapping[str, Any] | Sequence[Mapping[str, Any]], owner: Owner
    ) -> None:
        """Add items, or replace those with the same id; all of them or none."""
        spec, key = await self._find(name, owner)
        listed = [items] if isinstance(items, Mapping) else list(items)
        texts = item_texts(listed, key.place)
        if texts:
            content = await self._upsert(spec, key, texts)
            await self._tell(spec, "on_update", key, lambda: _values(content))
        if (bus := self._catalog.bus).is_watched:
            publish(bus, "upsert", key, {"items": [dict(item) for item in listed]})

    async def remove(self, name: str, item_id: ItemId, owner: Owner) -> bool:
        """Remove an item; returns whether it was there."""
        spec, key = await self._find(name, owner)
        content = await self._remove(spec, key, item_key(item_id, key.place))
        if (bus := self._catalog.bus).is_watched:
            publish(bus, "remove", key, {"item_id": item_id})
        if content is None:
            return False
        await self._tell(spec, "on_update", key, lambda: _values(content))
        return True

    async def get(self, name: str, item_id: ItemId, owner: Owner) -> Item | None:
        """Return a copy of an item, or None."""
        spec, key = await self._find(name, owner)
        item = await self._get(spec, key, item_key(item_id, key.place))
        if (bus := self._catalog.bus).is_watched:
            publish(bus, "get", key, {"item_id": item_id}, {"item": item})
        return item

    async def list(self, name: str, owner: Owner) -> list[Item]:
        """Return copies of all items, in the order they were added."""
        spec, key = await self._find(name, owner)
        items = await self._list(spec, key)
        if (bus := self._catalog.bus).is_watched:
            publish(bus, "list", key, None, {"items": items})
        return items

    async def clear(self, name: str, owner: Owner) -> None:
        """Remove all items, the default ones too; numbers that were handed out stay taken."""
        spec, key = await self._find(name, owner)
        await self._clear(spec, key)
        await self._tell(spec, "on_update", key, _Found)
        if (bus := self._catalog.bus).is_watched:
            publish(bus, "clear", key)

    async def create_numeric_index(self, name: str, owner: Owner) -> int:
        """Return a number that no item has had as its id, and that is handed out once."""
        spec, key = await self._find(name, owner)
        number = 0

        def change(content: Content) -> Change:
            nonlocal number
            numbers = [int(item) for item in content.items if not item.startswith('"')]
            number = max([content.last_number, *numbers]) + 1
            return Change({}, (), number)

        async with self._queues.turn(key):
            await self._apply(spec, key, change)
        return number

    def forget(self, owner: Owner) -> None:
        """Free the memory that an owner's storages take; what is kept stays."""
        for key in [key for key in self._loaded if _is_of(key, owner)]:
            del self._loaded[key]
        self._searches.forget(owner)

    async def _find(self, name: str, owner: Owner) -> tuple[StorageSpec, CellKey]:
        spec = self._catalog.registry(STORAGES).get(name)
        key = (EVERYBODY if spec.shared else owner).key("storage", name)
        await self._lives.begin(key, spec.callbacks)
        return spec, key

    async def _take(
        self, spec: StorageSpec, key: CellKey, search: str, total: int, score: float | None
    ) -> _Found:
        asked = await self._searches.embed(spec, search)
        least = spec.score if score is None else score
        async with self._queues.turn(key):
            items = (await self._load(spec, key)).items
            texts = {item: stored.text for item, stored in items.items()}
            best = await self._searches.search(spec, key, texts, asked, total, least)
        found = {one.key: cast("Item", decode_value(texts[one.key])) for one in best}
        scores = {found[one.key]["id"]: one.score for one in best}
        await self._searches.tell(spec, search, scores)
        return list(found.values())

    async def _upsert(self, spec: StorageSpec, key: CellKey, texts: dict[str, str]) -> Content:
        def change(content: Content) -> Change:
            last = max((item.position for item in content.items.values()), default=-1)
            put = {
                item: StoredItem(
                    content.items[item].position if item in content.items else last + 1 + place,
                    text,
                )
                for place, (item, text) in enumerate(texts.items())
            }
            return Change(put, (), content.last_number)

        async with self._queues.turn(key):
            # First: what cannot be embedded is not kept.
            entries = await self._searches.entries(spec, key, texts)
            content = await self._apply(spec, key, change)
            await self._searches.put(spec, key, entries)
        return content

    async def _remove(self, spec: StorageSpec, key: CellKey, item: str) -> Content | None:
        """Return what is left; None where there was no such item."""
        async with self._queues.turn(key):
            if item not in (await self._load(spec, key)).items:
                return None
            return await self._apply(spec, key, lambda old: Change({}, (item,), old.last_number))

    async def _get(self, spec: StorageSpec, key: CellKey, item: str) -> Item | None:
        async with self._queues.turn(key):
            stored = (await self._load(spec, key)).items.get(item)
        return None if stored is None else cast("Item", decode_value(stored.text))

    async def _list(self, spec: StorageSpec, key: CellKey) -> _Found:
        async with self._queues.turn(key):
            return _values(await self._load(spec, key))

    async def _clear(self, spec: StorageSpec, key: CellKey) -> None:
        async with self._queues.turn(key):
            await self._apply(spec, key, lambda old: Change({}, (), old.last_number, is_clear=True))

    def _items(self, spec: StorageSpec) -> Items:
        if spec.get_data is not None:
            return OwnItems(spec, self._numbers)
        return self._kept if spec.persist else self._fleeting

    async def _load(self, spec: StorageSpec, key: CellKey) -> Content:
        """Return the storage as it is now, in its turn."""
        known = self._loaded.get(key, NOTHING)
        content = await self._items(spec).read(key, known.version) or known
        if content.version == 0 and (spec.default or spec.get_default is not None):
            content = await self._with_defaults(spec, key)
        return self._hold(key, content)

    def _hold(self, key: CellKey, content: Content) -> Content:
        """Keep a storage in memory, as the one used last; it may have been dropped meanwhile."""
        self._loaded[key] = content
        self._loaded.move_to_end(key)
        while len(self._loaded) > _MOST_LOADED:
            self._loaded.popitem(last=False)
        return content

    async def _with_defaults(self, spec: StorageSpec, key: CellKey) -> Content:
        made: Any = spec.default
        if spec.get_default is not None:
            names = (key.client_id, spec.storage_name)
            made = await ask(spec.get_default, *names, role="get_default", place=key.place)
        texts = item_texts(list(made), key.place)
        put = {item: StoredItem(n, text) for n, (item, text) in enumerate(texts.items())}
        items = self._items(spec)
        changed = await items.apply(key, Change(put, (), 0), NOTHING)
        # Where another process was faster, its items are there now.
        return changed or await items.read(key) or NOTHING

    async def _apply(
        self, spec: StorageSpec, key: CellKey, make: Callable[[Content], Change]
    ) -> Content:
        """Change a storage on disk, then in memory, in its turn."""
        for _ in range(_ATTEMPTS):
            old = await self._load(spec, key)
            new = await self._items(spec).apply(key, make(old), old)
            if new is not None:
                return self._hold(key, new)
        raise StoreError(f"{key.place}: other processes change it faster than this one")

    async def _tell(self, spec: StorageSpec, event: str, key: CellKey, *told: Any) -> None:
        """Tell an observer; what is costly to make comes as a function."""
        function = getattr(spec.callbacks, event, None)
        if function is not None:
            values = [value() if callable(value) else value for value in told]
            names = (key.client_id, spec.storage_name)
            await observe(function, *values, *names, place=key.place)


def _values(content: Content) -> list[Item]:
    return [cast("Item", decode_value(stored.text)) for stored in content.items.values()]


def _is_of(key: CellKey, owner: Owner) -> bool:
    return (key.swarm_name, key.client_id) == owner
