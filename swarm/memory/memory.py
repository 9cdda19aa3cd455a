"""What a host remembers for its clients besides their conversations."""

from collections import OrderedDict
from typing import TYPE_CHECKING

import anyio

from swarm.functions import LONGEST_GOODBYE
from swarm.memory.cells import MemoryCells, SqlCells
from swarm.memory.computes import Computes
from swarm.memory.embeddings import Embeddings
from swarm.memory.items import MemoryItems, SqlItems
from swarm.memory.lives import Lives
from swarm.memory.owner import Owner
from swarm.memory.queues import Queues
from swarm.memory.searches import ChromaHome, Searches
from swarm.memory.states import States
from swarm.memory.storages import Storages
from swarm.memory.tables import MemoryTables
from swarm.memory.vectors import VectorCache

if TYPE_CHECKING:
    from swarm.catalog import Catalog
    from swarm.extension import Services
    from swarm.store import Database

__all__ = ["Kept", "Memory"]

_MOST_CATALOGS = 256
"""Catalogs that are kept ready; scopes make some that nobody needs again."""


class Kept:
    """What all catalogs of a host share: the values themselves, and their queues."""

    def __init__(self, database: "Database", services: "Services") -> None:
        """Keep values in a database; services bring the home, and what providers need."""
        tables = MemoryTables(database)
        self.services = services
        self.cells, self.fleeting_cells = SqlCells(tables), MemoryCells()
        self.items, self.fleeting_items = SqlItems(tables), MemoryItems()
        self.vectors = VectorCache(tables)
        self.chroma = ChromaHome(services)
        self.queues, self.lives = Queues(), Lives()


class Memory:
    """The states, storages and computes of a host; one for all its sessions."""

    def __init__(self, catalog: "Catalog", kept: Kept) -> None:
        """Bring the declarations of a catalog together with the values of a host."""
        self.catalog = catalog
        self._kept = kept
        self._others: OrderedDict[int, Memory] = OrderedDict()
        """By the id of their catalog, which each holds."""
        self.states = States(catalog, kept.cells, kept.fleeting_cells, kept.queues, kept.lives)
        self.embeddings = Embeddings(catalog, kept.vectors, kept.services)
        searches = Searches(self.embeddings, kept.chroma)
        self.storages = Storages(
            catalog, kept.items, kept.fleeting_items, searches, kept.queues, kept.lives
        )
        self.computes = Computes(catalog, self.states, kept.lives)

    def for_catalog(self, catalog: "Catalog") -> "Memory":
        """Return the same values under the declarations of another catalog, such as a scope's."""
        if catalog is self.catalog:
            return self
        known = self._others.get(id(catalog))
        if known is None:
            known = self._others[id(catalog)] = Memory(catalog, self._kept)
        self._others.move_to_end(id(catalog))
        if len(self._others) > _MOST_CATALOGS:
            self._others.popitem(last=False)
        return known

    async def dispose(self, swarm_name: str, client_id: str) -> None:
        """Tell `on_dispose` of what a client used, and free the memory that it took.

        Called when the client's session closes. What is kept stays, and what is not persisted
        stays until the host closes.
        """
        owner = Owner(swarm_name, client_id)
        for memory in (self, *self._others.values()):
            memory.storages.forget(owner)
        await self._kept.lives.end(owner)

    async def aclose(self) -> None:
        """Tell `on_dispose` of everything that is left, and let go of files."""
        with anyio.move_on_after(LONGEST_GOODBYE):
            await self._kept.lives.end_all()
        await self._kept.chroma.aclose()
