"""The embeddings of a host: texts to vectors, in batches, nothing computed twice."""

import hashlib
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from swarm.errors import require
from swarm.memory.calling import call_in_thread, function_name
from swarm.memory.errors import MemoryCallbackError
from swarm.memory.hashing import hash_texts
from swarm.memory.specs import EMBEDDINGS, EmbeddingSpec
from swarm.memory.vectors import VectorCache, pack_vector

if TYPE_CHECKING:
    from swarm.catalog import Catalog

__all__ = ["BUILT_IN", "Embeddings"]

BUILT_IN = ("hash", "wordllama")
"""What storages may name without a declaration; a declaration of the same name comes first."""


class Embeddings:
    """Embeds texts for the storages of a host."""

    def __init__(self, catalog: "Catalog", cache: VectorCache) -> None:
        self._catalog = catalog
        self._cache = cache
        self._wordllama: Any = None

    def spec(self, name: str) -> EmbeddingSpec:
        """Return a declared or a built-in embedding.

        Raises:
            UnknownNameError: There is none.
        """
        registry = self._catalog.registry(EMBEDDINGS)
        if name not in registry and name in BUILT_IN:
            return EmbeddingSpec.model_validate({"embedding_name": name, "model": name})
        return registry.get(name)

    async def embed(
        self, name: str, texts: Sequence[str], *, remember: bool
    ) -> "list[array[float]]":
        """Return a vector for each text.

        Args:
            name: The embedding.
            texts: Any number; each different one is embedded once.
            remember: Keep the vectors; searches come and go, items stay.

        Raises:
            MemoryCallbackError: `create` failed, or its result is no list of vectors.
            MissingExtraError: The library of the built-in embedding is not installed.
        """
        spec = self.spec(name)
        hashes = {text: _hash(spec, text) for text in dict.fromkeys(texts)}
        uses_cache = spec.persist and spec.model != "hash"  # counting is faster than reading
        known = await self._cache.read(list(hashes.values())) if uses_cache else {}
        missing = [text for text, key in hashes.items() if key not in known]
        for start in range(0, len(missing), spec.batch_size):
            batch = missing[start : start + spec.batch_size]
            made = dict(
                zip([hashes[t] for t in batch], await self._create(spec, batch), strict=True)
            )
            known |= made
            if uses_cache and remember:
                await self._cache.write(made)
        return [known[hashes[text]] for text in texts]

    async def _create(self, spec: EmbeddingSpec, texts: list[str]) -> "list[array[float]]":
        place = f"embedding {spec.embedding_name!r}"
        function = spec.create or self._built_in(spec)
        rows: Any = await call_in_thread(function, list(texts), place=place)
        try:
            vectors = [pack_vector(row) for row in rows]
            if len(vectors) != len(texts):
                raise ValueError(f"{len(vectors)} vectors for {len(texts)} texts")
            if len({len(vector) for vector in vectors}) != 1:
                raise ValueError("the vectors differ in length")
        except (TypeError, ValueError, OverflowError) as wrong:
            reason = f"no list of one vector for each text: {wrong}"
            raise MemoryCallbackError(function_name(function), place, reason) from wrong
        return vectors

    def _built_in(self, spec: EmbeddingSpec) -> Callable[[Sequence[str]], list[list[float]]]:
        return hash_texts if spec.model == "hash" else self._embed_by_wordllama

    def _embed_by_wordllama(self, texts: Sequence[str]) -> list[list[float]]:
        """Embed in a thread; the first call loads the model."""
        if self._wordllama is None:
            library: Any = require("wordllama", extra="embeddings")
            # The library looks for the tokenizer that it brings along in this folder only.
            folder = Path(library.__file__).parent
            self._wordllama = library.WordLlama.load(cache_dir=folder, disable_download=True)
        # Its types leave the array's element open.
        return cast("list[list[float]]", self._wordllama.embed(list(texts)).tolist())


def _hash(spec: EmbeddingSpec, text: str) -> str:
    source = spec.model or f"{spec.embedding_name}\0{spec.version}"
    return hashlib.sha256(f"{source}\0{text}".encode(errors="surrogatepass")).hexdigest()
