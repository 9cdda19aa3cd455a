"""The embeddings of a host: texts to vectors, in batches, nothing computed twice."""

import hashlib
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from swarm.errors import ProviderOutputError, UnknownNameError
from swarm.extension import Services
from swarm.functions import observe
from swarm.memory.calling import ask, failure_of
from swarm.memory.embedders import Embedder, open_embedder
from swarm.memory.specs import BUILT_IN, EMBEDDINGS, EmbeddingSpec
from swarm.memory.vectors import VectorCache, pack_vector

if TYPE_CHECKING:
    from swarm.catalog import Catalog

__all__ = ["Embeddings"]

_MOST_OPEN = 256
"""Embeddings that are kept open; scopes make some that nobody needs again."""


class Embeddings:
    """Embeds texts for the storages of a host."""

    def __init__(self, catalog: "Catalog", cache: VectorCache, services: Services) -> None:
        self._catalog = catalog
        self._cache = cache
        self._services = services
        self._open: dict[str, Embedder] = {}

    def spec(self, name: str) -> EmbeddingSpec:
        """Return a declared or a built-in embedding.

        Raises:
            UnknownNameError: There is none; names the nearest.
        """
        registry = self._catalog.registry(EMBEDDINGS)
        if name in registry:
            return registry.get(name)
        if name in BUILT_IN:
            return EmbeddingSpec(embedding_name=name, model=name)
        raise UnknownNameError("embedding", name, [*registry.names, *BUILT_IN])

    async def embed(
        self, name: str, texts: Sequence[str], *, is_search: bool
    ) -> "list[array[float]]":
        """Return a vector for each text.

        Args:
            name: The embedding.
            texts: Any number; each different one is embedded once.
            is_search: They are searched for: searches come and go, so they are not remembered.

        Raises:
            MemoryCallbackError: A function failed, or its result is no list of vectors.
            ProviderError: The provider failed.
            SetupError: A library or a key is missing.
        """
        spec = self.spec(name)
        hashes = {text: _hash(spec, text, is_search) for text in dict.fromkeys(texts)}
        known = await self._read(spec, list(hashes.values()))
        missing = [text for text, key in hashes.items() if key not in known]
        for start in range(0, len(missing), spec.batch_size):
            batch = missing[start : start + spec.batch_size]
            vectors = await self._create(spec, batch, is_search)
            made = dict(zip([hashes[text] for text in batch], vectors, strict=True))
            known |= made
            if not is_search:
                await self._write(spec, made)
        return [known[hashes[text]] for text in texts]

    async def compared(self, name: str, search: str, scores: Mapping[str | int, float]) -> None:
        """Tell the embedding's observer how near the items were that a search found."""
        spec = self.spec(name)
        if spec.callbacks is not None:
            told = (search, dict(scores), spec.embedding_name)
            await observe(spec.callbacks.on_compare, *told, place=_place(spec))

    async def _create(
        self, spec: EmbeddingSpec, texts: list[str], is_search: bool
    ) -> "list[array[float]]":
        rows: Any = await (await self._embedder(spec))(texts, is_search)
        try:
            vectors = [pack_vector(row) for row in rows]
            if len(vectors) != len(texts):
                raise ValueError(f"{len(vectors)} vectors for {len(texts)} texts")
            if len({len(vector) for vector in vectors}) != 1:
                raise ValueError("the vectors differ in length")
        except (TypeError, ValueError, OverflowError) as wrong:
            raise _no_vectors(spec, str(wrong)) from wrong
        if spec.callbacks is not None and spec.callbacks.on_create is not None:
            told = (list(texts), [vector.tolist() for vector in vectors], spec.embedding_name)
            await observe(spec.callbacks.on_create, *told, place=_place(spec))
        return vectors

    async def _embedder(self, spec: EmbeddingSpec) -> Embedder:
        key = repr(spec)
        if key not in self._open:
            opened = await open_embedder(spec, self._services)
            if len(self._open) >= _MOST_OPEN:
                self._open.clear()
            self._open[key] = opened
        return self._open[key]

    async def _read(self, spec: EmbeddingSpec, hashes: list[str]) -> "dict[str, array[float]]":
        """Return the vectors that are remembered."""
        function = spec.read_embedding_cache
        if function is not None:
            role, told = "read_embedding_cache", (list(hashes), spec.embedding_name)
            rows = await ask(function, *told, role=role, place=_place(spec), in_thread=True)
            return _checked_rows(
                rows, hashes, lambda reason: failure_of(function, role, _place(spec), reason)
            )
        if not _is_cached(spec):
            return {}
        return await self._cache.read(hashes)

    async def _write(self, spec: EmbeddingSpec, made: "dict[str, array[float]]") -> None:
        function = spec.write_embedding_cache
        if function is not None:
            rows = {key: vector.tolist() for key, vector in made.items()}
            role, told = "write_embedding_cache", (rows, spec.embedding_name)
            await ask(function, *told, role=role, place=_place(spec), in_thread=True)
        elif _is_cached(spec):
            await self._cache.write(made)


def _checked_rows(
    rows: Any, hashes: Sequence[str], failure: Callable[[str], Exception]
) -> "dict[str, array[float]]":
    """Return the vectors that a program's own cache gave."""
    if rows is None:
        return {}
    if not isinstance(rows, Mapping):
        raise failure("it returns no mapping of vectors")
    asked = set(hashes)
    try:
        found = cast("Mapping[str, Any]", rows)
        return {key: pack_vector(row) for key, row in found.items() if key in asked}
    except (TypeError, ValueError, OverflowError) as wrong:
        raise failure(f"it returns what is no vector: {wrong}") from wrong


def _no_vectors(spec: EmbeddingSpec, reason: str) -> Exception:
    text = f"no list of one vector for each text: {reason}"
    if spec.create is not None:
        return failure_of(spec.create, "create", _place(spec), text)
    return ProviderOutputError(text, provider=spec.model or "")


def _is_cached(spec: EmbeddingSpec) -> bool:
    return spec.persist and spec.model != "hash"  # counting is faster than reading


def _place(spec: EmbeddingSpec) -> str:
    return f"embedding {spec.embedding_name!r}"


def _hash(spec: EmbeddingSpec, text: str, is_search: bool) -> str:
    # These models make other vectors of what is searched for than of what is found.
    differs = is_search and (spec.model or "").startswith("cohere/")
    source = f"{spec.source}\0search" if differs else spec.source
    return hashlib.sha256(f"{source}\0{text}".encode(errors="surrogatepass")).hexdigest()
