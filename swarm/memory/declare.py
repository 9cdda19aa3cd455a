"""Declarations of states, storages, embeddings and computes, and what `validate` says of them."""

from collections.abc import Iterable, Iterator

from swarm.catalog import Catalog
from swarm.declare import declarer, getter, override
from swarm.errors import DeclarationError, Problem, unknown_name
from swarm.extension import add_check
from swarm.memory.specs import (
    BUILT_IN,
    COMPUTES,
    EMBEDDINGS,
    STATES,
    STORAGES,
    ComputeSpec,
    EmbeddingSpec,
    StateSpec,
    StorageSpec,
)
from swarm.memory.values import as_item, encode_value, item_key

__all__ = [
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
]

add_compute = declarer(COMPUTES, ComputeSpec)
add_embedding = declarer(EMBEDDINGS, EmbeddingSpec)
add_state = declarer(STATES, StateSpec)
add_storage = declarer(STORAGES, StorageSpec)
get_compute = getter(COMPUTES)
get_embedding = getter(EMBEDDINGS)
get_state = getter(STATES)
get_storage = getter(STORAGES)
override_compute = override(COMPUTES)
override_embedding = override(EMBEDDINGS)
override_state = override(STATES)
override_storage = override(STORAGES)


def find_memory_problems(catalog: Catalog) -> Iterator[Problem]:
    """Find references from and to states, storages and embeddings that lead nowhere."""
    states, storages = catalog.registry(STATES), catalog.registry(STORAGES)
    for state in states:
        try:
            encode_value(state.default, "the value")
        except DeclarationError as wrong:
            yield Problem(str(wrong), f"states.{state.state_name}.default")
    for storage in storages:
        yield from _storage_problems(storage, catalog)
    for compute in catalog.registry(COMPUTES):
        yield from _compute_problems(compute, catalog)
    for agent in catalog.agents:
        where = f"agents.{agent.agent_name}"
        yield from _references(f"{where}.states", "state", agent.states, states.names)
        yield from _references(f"{where}.storages", "storage", agent.storages, storages.names)


def _storage_problems(spec: StorageSpec, catalog: Catalog) -> Iterator[Problem]:
    where = f"storages.{spec.storage_name}"
    embeddings = catalog.registry(EMBEDDINGS)
    known = [*embeddings.names, *BUILT_IN]
    if spec.embedding not in known:
        yield unknown_name(f"{where}.embedding", "embedding", spec.embedding, known)
    elif spec.vectors == "chroma" and any(
        embedding.embedding_name == spec.embedding and embedding.get_similarity is not None
        for embedding in embeddings
    ):
        message = f"Chroma cannot compare by `get_similarity` of {spec.embedding!r}"
        yield Problem(message, f"{where}.vectors", hint="use `vectors: exact`")
    seen: set[str] = set()
    for place, item in enumerate(spec.default):
        try:
            key = item_key(as_item(item, "this item").get("id"), "this item")
            encode_value(dict(item), "this item")
        except DeclarationError as wrong:
            yield Problem(str(wrong), f"{where}.default[{place}]")
            continue
        if key in seen:
            yield Problem(f"two items have the id {key}", f"{where}.default[{place}]")
        seen.add(key)


def _compute_problems(spec: ComputeSpec, catalog: Catalog) -> Iterator[Problem]:
    where, states = f"computes.{spec.compute_name}.depends_on", catalog.registry(STATES)
    yield from _references(where, "state", spec.depends_on, states.names)
    for place, name in enumerate(spec.depends_on):
        if spec.shared and name in states and not states.get(name).shared:
            message = f"a shared compute cannot depend on {name!r}, which belongs to clients"
            yield Problem(message, f"{where}[{place}]", hint=f"make state {name!r} shared too")


def _references(where: str, kind: str, names: Iterable[str], known: list[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name not in known:
            yield unknown_name(f"{where}[{place}]", kind, name, known)
        elif name in seen:
            yield Problem(f"{kind} {name!r} is listed twice", f"{where}[{place}]")
        seen.add(name)


add_check(find_memory_problems)
