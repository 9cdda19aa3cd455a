"""What a client's session remembers besides messages: states, storages, computed values.

They belong to a client in a swarm, or to everybody, and live in the host's database beside the
journal. Nothing of them reaches a model by itself: tools and callbacks read and write them.
"""

from swarm.memory.declare import (
    add_compute,
    add_embedding,
    add_state,
    add_storage,
    find_memory_problems,
    get_compute,
    get_embedding,
    get_state,
    get_storage,
    override_compute,
    override_embedding,
    override_state,
    override_storage,
)
from swarm.memory.errors import MemoryCallbackError, MemoryNotListedError, NotJsonError
from swarm.memory.facade import Compute, SharedCompute, SharedState, State
from swarm.memory.index import ExactIndex
from swarm.memory.memory import Memory
from swarm.memory.session import Schema, read_session_memory, serialize, write_session_memory
from swarm.memory.shelf import SharedStorage, Storage
from swarm.memory.specs import (
    COMPUTES,
    EMBEDDINGS,
    STATES,
    STORAGES,
    ComputeCallbacks,
    ComputeSpec,
    EmbeddingCallbacks,
    EmbeddingSpec,
    StateCallbacks,
    StateSpec,
    StorageCallbacks,
    StorageSpec,
)
from swarm.vector_index import Entry, Found, VectorIndex

__all__ = [
    "COMPUTES",
    "EMBEDDINGS",
    "STATES",
    "STORAGES",
    "Compute",
    "ComputeCallbacks",
    "ComputeSpec",
    "EmbeddingCallbacks",
    "EmbeddingSpec",
    "Entry",
    "ExactIndex",
    "Found",
    "Memory",
    "MemoryCallbackError",
    "MemoryNotListedError",
    "NotJsonError",
    "Schema",
    "SharedCompute",
    "SharedState",
    "SharedStorage",
    "State",
    "StateCallbacks",
    "StateSpec",
    "Storage",
    "StorageCallbacks",
    "StorageSpec",
    "VectorIndex",
    "add_compute",
    "add_embedding",
    "add_state",
    "add_storage",
    "find_memory_problems",
    "get_compute",
    "get_embedding",
    "get_state",
    "get_storage",
    "override_compute",
    "override_embedding",
    "override_state",
    "override_storage",
    "read_session_memory",
    "serialize",
    "write_session_memory",
]
