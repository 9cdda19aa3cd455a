"""The storages of a host: items changed in order, found again by their meaning."""

from array import array
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from swarm.errors import StoreError
from swarm.memory.calling import call_function, function_name
from swarm.memory.cells import CellKey
from swarm.memory.embeddings import Embeddings
from swarm.memory.errors import MemoryCallbackError
from swarm.memory.index import ExactIndex
from swarm.memory.items import Change, Content, Items, MemoryItems, StoredItem
from swarm.memory.owner import EVERYBODY, Owner
from swarm.memory.queues import Queues
from swarm.memory.specs import STORAGES, StorageSpec
from swarm.memory.values import ItemId, as_item, decode_value, encode_value, item_key

if TYPE_CHECKING:
    from swarm.catalog import Catalog

__all__ = ["Item", "Storages"]

Item = dict[str, Any]
"""A mapping of JSON values with an `id`."""

_MOST_LOADED = 256
"""Storages of clients that are held in memory with their vectors, between two calls."""
_ATTEMPTS = 20
"""How often a change is made anew because another process was faster."""


@dataclass(slots=True, eq=False)
class _Loaded:
    """A storage in memory; what it holds is checked by its version at each call."""

    content: Content
    index: ExactIndex


class Storages:
    """Every storage of every client; the facades `Storage` and `SharedStorage` use it."""

    def __init__(
        self, catalog: "Catalog", kept: Items, embeddings: Embeddings, queues: Queues
    ) -> None:
        self._catalog = catalog
        self._kept = kept
        self._fleeting = MemoryItems()
        self._embeddings = embeddings
        self._queues = queues
        self._loaded: OrderedDict[CellKey, _Loaded] = OrderedDict()

    async def take(
        self, name: str, search: str, total: int, score: float | None, owner: Owner
    ) -> list[Item]:
        """Return the items that fit a text best, the best first."""
        spec, key = self._find(name, owner)
        # Before the turn: nobody has to wait while a model reads what is searched for.
        (asked,) = await self._embeddings.embed(spec.embedding, [search], remember=False)
        async with self._queues.turn(key):
            loaded = await self._load(spec, key)
            missing = [item for item in loaded.content.items if item not in loaded.index]
            values = [cast("Item", decode_value(loaded.content.items[m].text)) for m in missing]
            for item, vectors in zip(missing, await self._embed(spec, key, values), strict=True):
                loaded.index.put(item, vectors)
            texts, index = loaded.content.items, loaded.index
            try:
                least = spec.score if score is None else score
                best = index.search(asked, total=total, score=least)
            except ValueError as wrong:
                raise MemoryCallbackError(
                    f"embedding {spec.embedding!r}", key.place, str(wrong)
                ) from wrong
            except Exception as error:
                compare = self._embeddings.spec(spec.embedding).get_similarity or index.search
                reason = f"{type(error).__name__}: {error}"
                raise MemoryCallbackError(function_name(compare), key.place, reason) from error
            found = [cast("Item", decode_value(texts[one.key].text)) for one in best]
        if spec.callbacks is not None and spec.callbacks.on_search is not None:
            shown = [dict(item) for item in found]
            await call_function(
                spec.callbacks.on_search, search, shown, key.client_id, name, place=key.place
            )
        return found

    async def upsert(
        self, name: str, items: Mapping[str, Any] | Sequence[Mapping[str, Any]], owner: Owner
    ) -> None:
        """Add items, or replace those with the same id; all of them or none."""
        spec, key = self._find(name, owner)
        listed = [items] if isinstance(items, Mapping) else list(items)
        texts = _checked(listed, key)
        if not texts:
            return
        async with self._queues.turn(key):
            # Copies: what the user's functions do to them must not reach the caller's.
            values = [cast("Item", decode_value(text)) for text in texts.values()]
            if spec.callbacks is not None and spec.callbacks.on_update is not None:
                shown = [cast("Item", decode_value(text)) for text in texts.values()]
                await call_function(
                    spec.callbacks.on_update, shown, key.client_id, name, place=key.place
                )
            vectors = await self._embed(spec, key, values)

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

            loaded = await self._apply(spec, key, change)
            for item, its in zip(texts, vectors, strict=True):
                loaded.index.put(item, its)

    async def remove(self, name: str, item_id: ItemId, owner: Owner) -> bool:
        """Remove an item; returns whether it was there."""
        spec, key = self._find(name, owner)
        item = item_key(item_id, key.place)
        async with self._queues.turn(key):
            if item not in (await self._load(spec, key)).content.items:
                return False
            await self._apply(spec, key, lambda old: Change({}, (item,), old.last_number))
        return True

    async def get(self, name: str, item_id: ItemId, owner: Owner) -> Item | None:
        """Return a copy of an item, or None."""
        spec, key = self._find(name, owner)
        item = item_key(item_id, key.place)
        async with self._queues.turn(key):
            stored = (await self._load(spec, key)).content.items.get(item)
        return None if stored is None else cast("Item", decode_value(stored.text))

    async def list(self, name: str, owner: Owner) -> list[Item]:
        """Return copies of all items, in the order they were added."""
        spec, key = self._find(name, owner)
        async with self._queues.turn(key):
            stored = (await self._load(spec, key)).content.items.values()
            return [cast("Item", decode_value(item.text)) for item in stored]

    async def clear(self, name: str, owner: Owner) -> None:
        """Remove all items, the default ones too; numbers that were handed out stay taken."""
        spec, key = self._find(name, owner)
        async with self._queues.turn(key):
            await self._apply(spec, key, lambda old: Change({}, (), old.last_number, is_clear=True))

    async def create_numeric_index(self, name: str, owner: Owner) -> int:
        """Return a number that no item has had as its id, and that is handed out once."""
        spec, key = self._find(name, owner)
        number = 0

        def change(content: Content) -> Change:
            nonlocal number
            numbers = [int(item) for item in content.items if not item.startswith('"')]
            number = max([content.last_number, *numbers]) + 1
            return Change({}, (), number)

        async with self._queues.turn(key):
            await self._apply(spec, key, change)
        return number

    def _find(self, name: str, owner: Owner) -> tuple[StorageSpec, CellKey]:
        spec = self._catalog.registry(STORAGES).get(name)
        return spec, (EVERYBODY if spec.shared else owner).key("storage", name)

    def _items(self, spec: StorageSpec) -> Items:
        return self._kept if spec.persist else self._fleeting

    async def _load(self, spec: StorageSpec, key: CellKey) -> _Loaded:
        """Return the storage as it is now, in its turn."""
        loaded = self._loaded.get(key)
        known = 0 if loaded is None else loaded.content.version
        if loaded is not None and known and await self._items(spec).version(key) == known:
            self._hold(key, loaded)
            return loaded
        content = await self._items(spec).read(key)
        if content.version == 0 and (spec.default or spec.get_default is not None):
            content = await self._with_defaults(spec, key)
        if loaded is None:
            embedding = self._embeddings.spec(spec.embedding)
            index = ExactIndex(embedding.get_similarity, is_cosine=embedding.similarity == "cosine")
            loaded = _Loaded(content, index)
        else:
            self._take_in(loaded, content)
        self._hold(key, loaded)
        return loaded

    def _hold(self, key: CellKey, loaded: _Loaded) -> None:
        """Keep a storage in memory, as the one used last; it may have been dropped meanwhile."""
        self._loaded[key] = loaded
        self._loaded.move_to_end(key)
        while len(self._loaded) > _MOST_LOADED:
            self._loaded.popitem(last=False)

    def _take_in(self, loaded: _Loaded, content: Content) -> None:
        """Replace what is held, and forget the vectors of what changed."""
        for item, stored in loaded.content.items.items():
            now = content.items.get(item)
            if now is None or now.text != stored.text:
                loaded.index.remove(item)
        loaded.content = content

    async def _with_defaults(self, spec: StorageSpec, key: CellKey) -> Content:
        made: Any = spec.default
        if spec.get_default is not None:
            made = await call_function(
                spec.get_default, key.client_id, spec.storage_name, place=key.place
            )
        texts = _checked(list(made), key)
        put = {item: StoredItem(n, text) for n, (item, text) in enumerate(texts.items())}
        # Where another process was faster, its items are there now.
        await self._items(spec).apply(key, Change(put, (), 0), 0)
        return await self._items(spec).read(key)

    async def _apply(
        self, spec: StorageSpec, key: CellKey, make: Callable[[Content], Change]
    ) -> _Loaded:
        """Change a storage on disk, then in memory, in its turn."""
        for _ in range(_ATTEMPTS):
            loaded = await self._load(spec, key)
            content = loaded.content
            change = make(content)
            if await self._items(spec).apply(key, change, content.version):
                items = {} if change.is_clear else dict(content.items)
                for item in change.remove:
                    items.pop(item, None)
                items.update(change.put)
                self._take_in(loaded, Content(items, change.last_number, content.version + 1))
                return loaded
        raise StoreError(f"{key.place}: other processes change it faster than this one")

    async def _embed(
        self, spec: StorageSpec, key: CellKey, items: Sequence[Item]
    ) -> "list[list[array[float]]]":
        """Return the vectors of items: one for each text that `index` names."""
        texts = [await _texts(spec, key, item) for item in items]
        flat = [text for its in texts for text in its]
        vectors = await self._embeddings.embed(spec.embedding, flat, remember=True)
        ends: list[list[array[float]]] = []
        for its in texts:
            ends.append(vectors[: len(its)])
            vectors = vectors[len(its) :]
        return ends


def _checked(items: Sequence[Any], key: CellKey) -> dict[str, str]:
    """Return the texts of items by their keys; of two with one id, the later one."""
    texts: dict[str, str] = {}
    for value in items:
        item = as_item(value, key.place)
        texts[item_key(item.get("id"), key.place)] = encode_value(item, key.place)
    return texts


async def _texts(spec: StorageSpec, key: CellKey, item: Item) -> list[str]:
    if spec.index is None:
        return [" ".join(v for k, v in item.items() if k != "id" and isinstance(v, str))]
    made = await call_function(spec.index, item, place=key.place)
    if isinstance(made, str):
        return [made]
    texts = list(cast("Mapping[str, Any]", made).values()) if isinstance(made, Mapping) else None
    if texts is None or not all(isinstance(text, str) for text in texts):
        reason = "it returns neither a text nor a mapping of texts"
        raise MemoryCallbackError(function_name(spec.index), key.place, reason)
    return texts
