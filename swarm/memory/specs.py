"""The declarations of what a client's session remembers besides messages."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, model_validator

from swarm.errors import DeclarationError, suggest
from swarm.fields import Callback, Callbacks, Lines, Name, Names, Spec
from swarm.reference import parse_reference
from swarm.registry import Kind

__all__ = [
    "BUILT_IN",
    "COMPUTES",
    "EMBEDDINGS",
    "STATES",
    "STORAGES",
    "ComputeCallbacks",
    "ComputeSpec",
    "EmbeddingCallbacks",
    "EmbeddingSpec",
    "StateCallbacks",
    "StateSpec",
    "StorageCallbacks",
    "StorageSpec",
]


BUILT_IN = ("hash", "wordllama")
"""Embeddings that need no declaration; a declaration of the same name comes first."""

_PROVIDERS = ("openai", "azure", "ollama", "llama-server", "vllm", "cohere", "python")
"""Those that make vectors."""


def _as_model(text: str) -> str:
    """Return the model of an embedding as it was written.

    Raises:
        ValueError: No such model can be.
    """
    if text in BUILT_IN:
        return text
    try:
        provider = parse_reference(text).provider
    except DeclarationError as wrong:
        hint = suggest(text, BUILT_IN) or f"or one of {', '.join(BUILT_IN)}"
        raise ValueError(f"{wrong}; {hint}") from None
    if provider not in _PROVIDERS:
        hint = suggest(provider, _PROVIDERS) or f"known: {', '.join(_PROVIDERS)}"
        raise ValueError(f"no provider {provider!r} makes embeddings; {hint}")
    return text


class StateCallbacks(Spec):
    """Functions that hear of a state; one that raises is written to the log."""

    on_init: Callback | None = None
    """`(client_id, state_name)`, when a client's session uses it for the first time."""
    on_dispose: Callback | None = None
    """`(client_id, state_name)`, when that session closes."""
    on_load: Callback | None = None
    """`(value, client_id, state_name)`, after `on_init`, with the value as it was kept."""
    on_read: Callback | None = None
    """`(value, client_id, state_name)`, when a value is returned."""
    on_write: Callback | None = None
    """`(value, client_id, state_name)`, when a new value was kept."""


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
    get_state: Callback | None = None
    """A function `(client_id, state_name)` that reads the value from a store of your own, in place
    of the database; None where it holds nothing."""
    set_state: Callback | None = None
    """A function `(client_id, state_name, value)` that keeps a value there; None clears it."""
    middlewares: Callbacks = ()
    """Functions `(value, client_id, state_name)`, in order, that may replace a new value; one that
    raises refuses it."""
    callbacks: StateCallbacks | None = None
    """Functions that are told of reads and writes."""
    doc_description: str | None = None
    """What it is for, in the generated documentation."""

    @model_validator(mode="after")
    def _has_one_default(self) -> "StateSpec":
        if self.get_default is not None and "default" in self.model_fields_set:
            raise ValueError("give at most one of `default` and `get_default`")
        if (self.get_state is None) != (self.set_state is None):
            raise ValueError("`get_state` and `set_state` go together")
        return self


class StorageCallbacks(Spec):
    """Functions that hear of a storage; one that raises is written to the log."""

    on_init: Callback | None = None
    """`(client_id, storage_name)`, when a client's session uses it for the first time."""
    on_dispose: Callback | None = None
    """`(client_id, storage_name)`, when that session closes."""
    on_update: Callback | None = None
    """`(items, client_id, storage_name)`, when items were added, changed or removed; all of them
    as they are now."""
    on_search: Callback | None = None
    """`(search, items, client_id, storage_name)`, when items were found."""


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
    get_data: Callback | None = None
    """A function `(client_id, storage_name)` that reads all items from a store of your own, in
    place of the database; None where it holds nothing."""
    set_data: Callback | None = None
    """A function `(client_id, storage_name, items)` that keeps all items there."""
    vectors: Literal["exact", "chroma"] = "exact"
    """Where vectors are searched: all of them, in memory, or a Chroma collection in the home."""
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
        if (self.get_data is None) != (self.set_data is None):
            raise ValueError("`get_data` and `set_data` go together")
        if self.vectors == "chroma" and not self.persist:
            raise ValueError("`vectors: chroma` keeps files in the home; it needs `persist`")
        return self


class EmbeddingCallbacks(Spec):
    """Functions that hear of an embedding; one that raises is written to the log."""

    on_create: Callback | None = None
    """`(texts, vectors, embedding_name)`, when vectors were computed, a batch at a time."""
    on_compare: Callback | None = None
    """`(search, scores, embedding_name)`, after a search; the ids that it found with their
    similarity."""


class EmbeddingSpec(Spec):
    """How texts become vectors, and how two vectors are compared."""

    embedding_name: Name
    """What storages call it."""
    model: Annotated[str, AfterValidator(_as_model)] | None = None
    """`hash` counts words and parts of words, `wordllama` knows English; else a model reference
    such as `openai/text-embedding-3-small`, `ollama/nomic-embed-text`, `cohere/embed-v4.0` or
    `python:module:function`."""
    create: Callback | None = None
    """A function `(texts: list[str]) -> list[list[float]]`, one vector for each text."""
    base_url: Annotated[str | None, AfterValidator(lambda url: url or None)] = None
    """Where the provider's API is reached, if not at its usual place."""
    api_key_env: Lines | None = None
    """The environment variable with the key, if not the provider's usual one."""
    timeout: Annotated[float, Field(gt=0)] = 60.0
    """Seconds for one batch with all its retries."""
    max_retries: Annotated[int, Field(ge=0, le=10)] = 2
    """Further attempts after a failure that may pass: no connection, 429, 5xx."""
    extra_body: Mapping[str, JsonValue] = {}
    """Further fields of the provider's request, such as `dimensions`."""
    similarity: Literal["cosine", "dot"] = "cosine"
    """How two vectors are compared."""
    get_similarity: Callback | None = None
    """A function `(first, second) -> float` that compares instead; slow with many items."""
    batch_size: Annotated[int, Field(gt=0, le=10_000)] = 64
    """The most texts in one call."""
    persist: bool = True
    """Keep the vectors of items in the host's database, so that none is computed twice."""
    read_embedding_cache: Callback | None = None
    """A function `(hashes: list[str], embedding_name)` that returns the vectors it knows by the
    hash of their text, in place of the database."""
    write_embedding_cache: Callback | None = None
    """A function `(vectors, embedding_name)` that keeps vectors by the hash of their text."""
    version: str = ""
    """Change it when `create` or the model changes, so that vectors kept earlier are not used."""
    callbacks: EmbeddingCallbacks | None = None
    """Functions that are told of new vectors and of searches."""
    doc_description: str | None = None
    """What it is for, in the generated documentation."""

    @model_validator(mode="after")
    def _has_one_source(self) -> "EmbeddingSpec":
        if (self.model is None) == (self.create is None):
            raise ValueError("give exactly one of `model` and `create`")
        if (self.read_embedding_cache is None) != (self.write_embedding_cache is None):
            raise ValueError("`read_embedding_cache` and `write_embedding_cache` go together")
        return self

    @property
    def is_remote(self) -> bool:
        """Whether a provider makes the vectors, by its API."""
        return self.model not in (None, *BUILT_IN) and not str(self.model).startswith("python:")

    @property
    def source(self) -> str:
        """What tells vectors of one making from those of another."""
        parts = [self.model or self.embedding_name, self.version]
        if self.is_remote:
            parts += [self.base_url or "", repr(sorted(self.extra_body.items()))]
        return "\0".join(parts)


class ComputeCallbacks(Spec):
    """Functions that hear of a compute; one that raises is written to the log."""

    on_init: Callback | None = None
    """`(client_id, compute_name)`, when a client's session asks for it for the first time."""
    on_dispose: Callback | None = None
    """`(client_id, compute_name)`, when that session closes."""
    on_compute: Callback | None = None
    """`(value, client_id, compute_name)`, after each computation."""
    on_calculate: Callback | None = None
    """`(state_name, client_id, compute_name)`, when a change of that state makes it be computed
    anew."""
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
    middlewares: Callbacks = ()
    """Functions `(value, client_id, compute_name)`, in order, that may replace the value."""
    callbacks: ComputeCallbacks | None = None
    """Functions that are told of computations."""
    doc_description: str | None = None
    """What it is for, in the generated documentation."""


COMPUTES = Kind("compute", ComputeSpec, "compute_name")
EMBEDDINGS = Kind("embedding", EmbeddingSpec, "embedding_name")
STATES = Kind("state", StateSpec, "state_name")
STORAGES = Kind("storage", StorageSpec, "storage_name")
