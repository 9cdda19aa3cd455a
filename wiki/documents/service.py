"""The documents of a declared wiki: its index is opened once per host and kept in step."""

from pathlib import Path
from typing import NamedTuple

import anyio.from_thread
import anyio.to_thread

from swarm import Catalog
from swarm.errors import DataError
from swarm.extension import Services
from swarm.host import Host, use_host
from swarm.memory import EMBEDDINGS, EmbeddingSpec
from swarm.memory.embedders import open_embedder
from wiki.answer import Citation
from wiki.documents.ground import cite
from wiki.documents.index import DocumentIndex, IndexReport
from wiki.spec import WIKIS, WikiSpec

__all__ = ["Retrieved", "index_documents", "retrieve"]


class Retrieved(NamedTuple):
    """What a wiki's documents say to a question."""

    citations: tuple[Citation, ...]
    """The best passages, numbered from 1; empty when none bears on the question."""
    retrieval: str
    """Which embedding and which back end found them."""


async def index_documents(wiki_name: str, *, host: Host | None = None) -> IndexReport:
    """Index what is new among the documents of a wiki, and return what was found.

    Questions do the same before they are answered; this does it ahead of them, and tells which
    files could not be read.

    Args:
        wiki_name: A declared wiki with `documents`.
        host: The host to use; the open one, or one of its own, when absent.

    Raises:
        UnknownNameError: No such wiki is declared.
        DataError: The wiki has no documents, or their folder is missing.
        StoreError: The index cannot be read or written.
        SetupError: A library is missing.
    """
    async with use_host(host) as used:
        spec = used.catalog.registry(WIKIS).get(wiki_name)
        if not spec.documents:
            raise DataError(f"wiki {wiki_name!r} has no documents")
        index = await _open(spec, used.catalog, used)
        return await _in_thread(index, is_patient=True)


async def retrieve(
    spec: WikiSpec, question: str, catalog: Catalog, services: Services
) -> Retrieved:
    """Return the passages of a wiki's documents that bear on a question.

    Raises:
        DataError: The folder of the documents is missing, or none of them can be read.
        StoreError: The index cannot be read or written.
        SetupError: A library is missing.
        ProviderError: The embedding failed.
    """
    index = await _open(spec, catalog, services)
    report = await _in_thread(index, is_patient=False)
    if not report.files:
        reasons = "; ".join(f"{path}: {reason}" for path, reason in report.skipped[:3])
        raise DataError(f"wiki {spec.wiki_name!r} has no document that can be read: {reasons}")
    hits = await anyio.to_thread.run_sync(index.search, question, spec.passages)
    return Retrieved(cite(hits), index.retrieval)


async def _in_thread(index: DocumentIndex, *, is_patient: bool) -> IndexReport:
    def refresh() -> IndexReport:
        # A question that is given up leaves whole files; the next one goes on behind them.
        return index.refresh(anyio.from_thread.check_cancelled, is_patient=is_patient)

    return await anyio.to_thread.run_sync(refresh)


async def _open(spec: WikiSpec, catalog: Catalog, services: Services) -> DocumentIndex:
    root = _root(spec)
    embeddings = catalog.registry(EMBEDDINGS)
    declared = None
    if spec.embedding is not None and spec.embedding in embeddings:
        declared = await _with_function(embeddings.get(spec.embedding), services)
    key = repr((spec.wiki_name, root, spec.documents, spec.embedding, spec.vectors))

    async def start() -> tuple[DocumentIndex, "_Stop"]:
        folder = services.home / "documents" / spec.wiki_name
        index = DocumentIndex(
            root,
            spec.documents,
            folder,
            embedding=spec.embedding,
            declared=declared,
            vectors=spec.vectors,
        )
        return index, _Stop(index)

    return await services.shared(f"documents:{key}", start)


async def _with_function(spec: EmbeddingSpec, services: Services) -> EmbeddingSpec:
    """Return an embedding with a function in place of a provider, which needs the host."""
    if not spec.is_remote:
        return spec
    embed = await open_embedder(spec, services)

    async def create(texts: list[str]) -> list[list[float]]:
        batches = range(0, len(texts), spec.batch_size)
        made = [await embed(texts[at : at + spec.batch_size], False) for at in batches]
        return [vector for vectors in made for vector in vectors]

    version = f"{spec.model} {spec.version}".strip()
    return spec.model_copy(update={"model": None, "create": create, "version": version})


def _root(spec: WikiSpec) -> Path:
    return Path(spec.documents_root or ".").absolute()


class _Stop:
    """Closes an index with its host."""

    def __init__(self, index: DocumentIndex) -> None:
        self._index = index

    async def __call__(self) -> None:
        await anyio.to_thread.run_sync(self._index.close)
