"""`Storage` and `SharedStorage`: what tools and programs call to find and keep items."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, Generic, ParamSpec

from swarm.memory.owner import Found, listed_memory, shared_memory
from swarm.memory.storages import Item
from swarm.memory.values import ItemId

__all__ = ["SharedStorage", "Storage", "StorageVerbs"]

Whose = ParamSpec("Whose")
"""What a call says, besides the name, about whose storage it means."""


class StorageVerbs(Generic[Whose]):
    """The verbs of storages; items are mappings of JSON values with an `id`.

    Raises:
        UnknownNameError: No such storage, or no such agent in the client's swarm.
        MemoryNotListedError: The agent does not list the storage.
        DeclarationError: A storage of clients was asked for as a shared one.
        SessionError: The client has no live session, or no host is open.
        InvalidIdError: No client, or no item, can be called that.
        MemoryCallbackError: `get_data` or the like, or `get_default` failed.
        StoreError: The database failed; the storage is unchanged.
    """

    def __init__(self, find: Callable[Concatenate[str, Whose], Found]) -> None:
        self._find = find

    async def take(
        self,
        storage_name: str,
        search: str,
        total: int,
        score: float | None = None,
        *args: Whose.args,
        **whose: Whose.kwargs,
    ) -> list[Item]:
        """Return the items that fit a text best, the best first.

        Args:
            storage_name: Which storage.
            search: What to look for.
            total: The most items.
            score: The least similarity; the storage's own when absent.
            args: Nothing.
            whose: Of a client's storage, `client_id` and the `agent_name` that lists it.

        Raises:
            MemoryCallbackError: The embedding or `index` failed.
            ProviderError: The provider of the embedding failed.
        """
        found = self._find(storage_name, *args, **whose)
        return await found.memory.storages.take(storage_name, search, total, score, found.owner)

    async def upsert(
        self,
        storage_name: str,
        items: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *args: Whose.args,
        **whose: Whose.kwargs,
    ) -> None:
        """Add an item or several, or replace those with the same id: all of them or none.

        Raises:
            NotJsonError: An item is no mapping of JSON values.
            MemoryCallbackError: The embedding or `index` failed.
            ProviderError: The provider of the embedding failed.
        """
        found = self._find(storage_name, *args, **whose)
        await found.memory.storages.upsert(storage_name, items, found.owner)

    async def remove(
        self, storage_name: str, item_id: ItemId, *args: Whose.args, **whose: Whose.kwargs
    ) -> bool:
        """Remove an item; return whether it was there."""
        found = self._find(storage_name, *args, **whose)
        return await found.memory.storages.remove(storage_name, item_id, found.owner)

    async def get(
        self, storage_name: str, item_id: ItemId, *args: Whose.args, **whose: Whose.kwargs
    ) -> Item | None:
        """Return a copy of an item, or None."""
        found = self._find(storage_name, *args, **whose)
        return await found.memory.storages.get(storage_name, item_id, found.owner)

    async def list(
        self, storage_name: str, *args: Whose.args, **whose: Whose.kwargs
    ) -> "list[Item]":
        """Return copies of all items, in the order they were added."""
        found = self._find(storage_name, *args, **whose)
        return await found.memory.storages.list(storage_name, found.owner)

    async def clear(self, storage_name: str, *args: Whose.args, **whose: Whose.kwargs) -> None:
        """Remove all items, the default ones too."""
        found = self._find(storage_name, *args, **whose)
        await found.memory.storages.clear(storage_name, found.owner)

    async def create_numeric_index(
        self, storage_name: str, *args: Whose.args, **whose: Whose.kwargs
    ) -> int:
        """Return a number for a new item's id; each is handed out once."""
        found = self._find(storage_name, *args, **whose)
        return await found.memory.storages.create_numeric_index(storage_name, found.owner)


def _listed_storage(storage_name: str, *, client_id: str, agent_name: str) -> Found:
    return listed_memory("storage", storage_name, client_id, agent_name)


def _shared_storage(storage_name: str) -> Found:
    return shared_memory("storage", storage_name)


Storage = StorageVerbs(_listed_storage)
"""The storages that an agent lists."""
SharedStorage = StorageVerbs(_shared_storage)
"""The storages that are shared, from anywhere inside a turn or an open host."""
