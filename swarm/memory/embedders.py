"""What turns texts into vectors: a function, a built-in model, or a provider's API."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

from swarm.completion import Completion
from swarm.completions.providers import load_function
from swarm.errors import require
from swarm.extension import Services
from swarm.memory.calling import ask
from swarm.memory.hashing import hash_texts
from swarm.memory.specs import EmbeddingSpec
from swarm.reference import ModelReference, parse_reference
from swarm.specs import CompletionSpec

__all__ = ["Embedder", "open_embedder"]

Embedder = Callable[[Sequence[str], bool], Awaitable[Any]]
"""Takes texts, and whether they are searched for; returns a vector for each."""


async def open_embedder(spec: EmbeddingSpec, services: Services) -> Embedder:
    """Return what makes the vectors of a declaration.

    Raises:
        MissingExtraError: A library is not installed.
        MissingKeyError: The provider needs a key and the environment has none.
        DeclarationError: The reference names no function, or a provider without an address.
    """
    if spec.create is not None:
        return _of_function(spec.create, spec)
    if spec.model == "hash":
        return _of_function(hash_texts, spec)
    if spec.model == "wordllama":
        return _of_function(_Wordllama(), spec)
    reference = parse_reference(spec.model or "")
    if reference.provider == "python":
        return _of_function(load_function(reference), spec)
    return await _of_provider(reference, spec, services)


def _of_function(function: Callable[..., Any], spec: EmbeddingSpec) -> Embedder:
    place = f"embedding {spec.embedding_name!r}"
    role = "create" if spec.create is not None else "model"

    async def embed(texts: Sequence[str], is_search: bool) -> Any:
        return await ask(function, list(texts), role=role, place=place, in_thread=True)

    return embed


async def _of_provider(
    reference: ModelReference, spec: EmbeddingSpec, services: Services
) -> Embedder:
    # The same keys and addresses as for a completion of this provider, by the same rules.
    like = CompletionSpec(
        completion_name=spec.embedding_name,
        model=spec.model,
        base_url=spec.base_url,
        api_key_env=spec.api_key_env,
        timeout=spec.timeout,
        extra_body=spec.extra_body,
    )
    from swarm.completions.retry import Candidate, ResilientCompletion

    if reference.provider == "cohere":
        client, ask = await _open_cohere(reference, like, services)
    else:
        client, ask = _open_server(reference, like, services)
    resilient = ResilientCompletion(
        [Candidate(client)], max_retries=spec.max_retries, timeout=spec.timeout
    )

    async def embed(texts: Sequence[str], is_search: bool) -> Any:
        # No API takes an empty text, and JSON no half characters.
        sent = [text.encode(errors="replace").decode() or " " for text in texts]
        return await resilient.ask(lambda _: ask(sent, is_search))

    return embed


async def _open_cohere(
    reference: ModelReference, spec: CompletionSpec, services: Services
) -> tuple[Completion, Embedder]:
    from swarm.completions.cohere import open_cohere

    client = await open_cohere(reference, spec, services)

    async def ask(texts: Sequence[str], is_search: bool) -> Any:
        return await client.embed(texts, is_search=is_search)

    return client, ask


def _open_server(
    reference: ModelReference, spec: CompletionSpec, services: Services
) -> tuple[Completion, Embedder]:
    from swarm.completions.openai_compatible import open_openai_compatible

    client = open_openai_compatible(reference, spec, services)

    async def ask(texts: Sequence[str], is_search: bool) -> Any:
        return await client.embed(texts)

    return client, ask


class _Wordllama:
    """Static vectors of English words; the first call loads the model."""

    __name__ = "wordllama"

    def __init__(self) -> None:
        self._model: Any = None

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        if self._model is None:
            library: Any = require("wordllama", extra="embeddings")
            # The library looks for the tokenizer that it brings along in this folder only.
            folder = Path(library.__file__).parent
            self._model = library.WordLlama.load(cache_dir=folder, disable_download=True)
        # Its types leave the array's element open.
        return cast("list[list[float]]", self._model.embed(list(texts)).tolist())
