"""The declarations of what a client's session remembers besides messages."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, model_validator

from swarm.registry import Kind
from swarm.specs import Callback, Name, Names, Spec

__all__ = [
    "COMPUTES",
    "EMBEDDINGS",
    "STATES",
    "STORAGES",
    "ComputeCallbacks",
    "ComputeSpec",
    "EmbeddingSpec",
    "StateCallbacks",
    "StateSpec",
    "StorageCallbacks",
    "StorageSpec",
]

_Callbacks = Annotated[Sequence[Callback], AfterValidator(tuple)]


class StateCallbacks(Spec):
    """Functions that a state calls; one that raises refuses what it was called for."""

    on_read: Callback | None = None
    """`(value, client_id, state_name)`, before a value is returned."""
    on_write: Callback | None = None
    """`(value, client_id, state_name)`, before a new value is kept."""


class StateSpec(Spec):
    """A value that belongs to a client in a swarm, or to everybody."""

    state_name: Name
    """What agents call it."""
    default: JsonValue = None
    """The value before the first write, and after `clear`."""
    get_default: Callback | None = None
    """A function `(client_id, state_name)` that makes the first value instead."""
    shared: bool = False
    """One value for all clients of all swarms."""
    persist: bool = True
    """Kept in the host's database; otherwise as long as the host is open."""
    middlewares: _Callbacks = ()
    """Functions `(value, client_id, state_name)`, in order, that may replace a new value."""
    callbacks: StateCallbacks | None = None
    """Functions that are told of reads and writes."""
    doc_description: str | None = None
    """What it is for, in the generated documentation."""

    @model_validator(mode="after")
    def _has_one_default(self) -> "StateSpec":
        if self.get_default is not None and "default" in self.model_fields_set:
            raise ValueError("give at most one of `default` and `get_default`")
        return self


class StorageCallbacks(Spec):
    """Functions that a storage calls; one that raises refuses what it was called for."""

    on_update: Callback | None = None
    """`(items, client_id, storage_name)`, before new or changed items are kept."""
    on_search: Callback | None = None
    """`(search, items, client_id, storage_name)`, before what was found is returned."""


class StorageSpec(Spec):
    """Items that are found again by their meaning; each has an `id`."""

    storage_name: Name
    """What agents call it."""
    embedding: Name = "hash"
    """A declared embedding, or a built-in one: `hash`, `wordllama`."""
    index: Callback | None = None
    """A function `(item)` that returns the text, or a mapping of texts, that searches match."""
    shared: bool = False
    """The same items for all clients of all swarms."""
    persist: bool = True
    """Kept in the host's database; otherwise as long as the host is open."""
    default: Sequence[Mapping[str, JsonValue]] = ()
    """The items before the first change."""
    get_default: Callback | None = None
    """A function `(client_id, storage_name)` that makes the first items instead."""
    score: Annotated[float, Field(ge=-1)] = 0.0
    """The least similarity of what a search finds, where the call names none."""
    callbacks: StorageCallbacks | None = None
    """Functions that are told of searches and changes."""
    doc_description: str | None = None
    """What it is for, in the generated documentation."""

    @model_validator(mode="after")
    def _has_one_default(self) -> "StorageSpec":
        if self.get_default is not None and self.default:
            raise ValueError("give at most one of `default` and `get_default`")
        return self


class EmbeddingSpec(Spec):
    """How texts become vectors, and how two vectors are compared."""

    embedding_name: Name
    """What storages call it."""
    model: Literal["hash", "wordllama"] | None = None
    """A built-in one: `hash` counts words and parts of words, `wordllama` knows English."""
    create: Callback | None = None
    """A function `(texts: list[str]) -> list[list[float]]`, one vector for each text."""
    similarity: Literal["cosine", "dot"] = "cosine"
    """How two vectors are compared."""
    get_similarity: Callback | None = None
    """A function `(first, second) -> float` that compares instead; slow with many items."""
    batch_size: Annotated[int, Field(gt=0, le=10_000)] = 64
    """The most texts in one call of `create`."""
    persist: bool = True
    """Keep the vectors of items in the host's database, so that none is computed twice."""
    version: str = ""
    """Change it when `create` changes, so that vectors kept earlier are not used."""
    doc_description: str | None = None
    """What it is for, in the generated documentation."""

    @model_validator(mode="after")
    def _has_one_source(self) -> "EmbeddingSpec":
        if (self.model is None) == (self.create is None):
            raise ValueError("give exactly one of `model` and `create`")
        return self


class ComputeCallbacks(Spec):
    """Functions that a compute calls; one that raises fails the read."""

    on_compute: Callback | None = None
    """`(value, client_id, compute_name)`, after each computation."""
    on_update: Callback | None = None
    """`(client_id, compute_name)`, when `update` discards the value."""


class ComputeSpec(Spec):
    """A value that is computed when it is asked for, and remembered for a while."""

    compute_name: Name
    """What programs call it."""
    get: Callback
    """A function `(client_id, compute_name)` that computes the value."""
    depends_on: Names = ()
    """States; a write to one of them makes the value be computed anew."""
    ttl: Annotated[float, Field(gt=0)] = 86_400.0
    """Seconds that a value is remembered."""
    shared: bool = False
    """One value for all clients of all swarms; it may depend on shared states only."""
    middlewares: _Callbacks = ()
    """Functions `(value, client_id, compute_name)`, in order, that may replace the value."""
    callbacks: ComputeCallbacks | None = None
    """Functions that are told of computations."""
    doc_description: str | None = None
    """What it is for, in the generated documentation."""


COMPUTES = Kind("compute", ComputeSpec, "compute_name")
EMBEDDINGS = Kind("embedding", EmbeddingSpec, "embedding_name")
STATES = Kind("state", StateSpec, "state_name")
STORAGES = Kind("storage", StorageSpec, "storage_name")
