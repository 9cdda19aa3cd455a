"""`Storage` and `SharedStorage`: what tools and programs call to find and keep items."""

from collections.abc import Mapping, Sequence
from typing import Any

from swarm.memory.owner import EVERYBODY, listed_memory, shared_memory
from swarm.memory.storages import Item
from swarm.memory.values import ItemId

__all__ = ["SharedStorage", "Storage"]


class Storage:
    """The storages that an agent lists; items are mappings of JSON values with an `id`.

    Raises:
        UnknownNameError: No such agent in the client's swarm.
        MemoryNotListedError: The agent does not list the storage.
        SessionError: The client has no live session.
        InvalidIdError: No client, or no item, can be called that.
        StoreError: The database failed; the storage is unchanged.
    """

    @staticmethod
    async def take(
        storage_name: str,
        search: str,
        *,
        total: int,
        score: float | None = None,
        client_id: str,
        agent_name: str,
    ) -> list[Item]:
        """Return the items that fit a text best, the best first.

        Args:
            storage_name: Which storage.
            search: What to look for.
            total: The most items.
            score: The least similarity; the storage's own when absent.
            client_id: Whose.
            agent_name: The agent that lists the storage.

        Raises:
            MemoryCallbackError: The embedding, `index` or `on_search` failed.
        """
        found = listed_memory("storage", storage_name, client_id, agent_name)
        return await found.memory.storages.take(storage_name, search, total, score, found.owner)

    @staticmethod
    async def upsert(
        storage_name: str,
        items: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        client_id: str,
        agent_name: str,
    ) -> None:
        """Add an item or several, or replace those with the same id: all of them or none.

        Raises:
            NotJsonError: An item is no mapping of JSON values.
            MemoryCallbackError: The embedding, `index` or `on_update` failed.
        """
        found = listed_memory("storage", storage_name, client_id, agent_name)
        await found.memory.storages.upsert(storage_name, items, found.owner)

    @staticmethod
    async def remove(
        storage_name: str, item_id: ItemId, *, client_id: str, agent_name: str
    ) -> bool:
        """Remove an item; return whether it was there."""
        found = listed_memory("storage", storage_name, client_id, agent_name)
        return await found.memory.storages.remove(storage_name, item_id, found.owner)

    @staticmethod
    async def get(
        storage_name: str, item_id: ItemId, *, client_id: str, agent_name: str
    ) -> Item | None:
        """Return a copy of an item, or None."""
        found = listed_memory("storage", storage_name, client_id, agent_name)
        return await found.memory.storages.get(storage_name, item_id, found.owner)

    @staticmethod
    async def list(storage_name: str, *, client_id: str, agent_name: str) -> list[Item]:
        """Return copies of all items, in the order they were added."""
        found = listed_memory("storage", storage_name, client_id, agent_name)
        return await found.memory.storages.list(storage_name, found.owner)

    @staticmethod
    async def clear(storage_name: str, *, client_id: str, agent_name: str) -> None:
        """Remove all items, the default ones too."""
        found = listed_memory("storage", storage_name, client_id, agent_name)
        await found.memory.storages.clear(storage_name, found.owner)

    @staticmethod
    async def create_numeric_index(storage_name: str, *, client_id: str, agent_name: str) -> int:
        """Return a number for a new item's id; each is handed out once."""
        found = listed_memory("storage", storage_name, client_id, agent_name)
        return await found.memory.storages.create_numeric_index(storage_name, found.owner)


class SharedStorage:
    """The storages that are shared, from anywhere inside a turn or an open host.

    Raises:
        UnknownNameError: No such storage.
        DeclarationError: The storage belongs to clients.
        SessionError: No host is open.
    """

    @staticmethod
    async def take(
        storage_name: str, search: str, *, total: int, score: float | None = None
    ) -> list[Item]:
        """Return the items that fit a text best, the best first; see `Storage.take`."""
        storages = shared_memory("storage", storage_name).storages
        return await storages.take(storage_name, search, total, score, EVERYBODY)

    @staticmethod
    async def upsert(
        storage_name: str, items: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    ) -> None:
        """Add items, or replace those with the same id; see `Storage.upsert`."""
        storages = shared_memory("storage", storage_name).storages
        await storages.upsert(storage_name, items, EVERYBODY)

    @staticmethod
    async def remove(storage_name: str, item_id: ItemId) -> bool:
        """Remove an item; return whether it was there."""
        storages = shared_memory("storage", storage_name).storages
        return await storages.remove(storage_name, item_id, EVERYBODY)

    @staticmethod
    async def get(storage_name: str, item_id: ItemId) -> Item | None:
        """Return a copy of an item, or None."""
        storages = shared_memory("storage", storage_name).storages
        return await storages.get(storage_name, item_id, EVERYBODY)

    @staticmethod
    async def list(storage_name: str) -> list[Item]:
        """Return copies of all items, in the order they were added."""
        return await shared_memory("storage", storage_name).storages.list(storage_name, EVERYBODY)

    @staticmethod
    async def clear(storage_name: str) -> None:
        """Remove all items, the default ones too."""
        await shared_memory("storage", storage_name).storages.clear(storage_name, EVERYBODY)

    @staticmethod
    async def create_numeric_index(storage_name: str) -> int:
        """Return a number for a new item's id; each is handed out once."""
        storages = shared_memory("storage", storage_name).storages
        return await storages.create_numeric_index(storage_name, EVERYBODY)
