"""What a host remembers for its clients besides their conversations."""

from typing import TYPE_CHECKING

from swarm.memory.cells import SqlCells
from swarm.memory.computes import Computes
from swarm.memory.embeddings import Embeddings
from swarm.memory.items import SqlItems
from swarm.memory.queues import Queues
from swarm.memory.states import States
from swarm.memory.storages import Storages
from swarm.memory.tables import MemoryTables
from swarm.memory.vectors import VectorCache

if TYPE_CHECKING:
    from swarm.catalog import Catalog
    from swarm.store import Database

__all__ = ["Memory"]


class Memory:
    """The states, storages and computes of a host; one for all its sessions."""

    def __init__(self, catalog: "Catalog", database: "Database") -> None:
        tables, queues = MemoryTables(database), Queues()
        self.catalog = catalog
        self.states = States(catalog, SqlCells(tables), queues)
        self.embeddings = Embeddings(catalog, VectorCache(tables))
        self.storages = Storages(catalog, SqlItems(tables), self.embeddings, queues)
        self.computes = Computes(catalog, self.states)
