"""Which examples a question is shown with: the most similar ones, within a number and a length."""

from array import array
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from operator import mul
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from swarm import Message
from swarm.errors import StoreError
from swarm.extension import Services
from swarm.host import Host
from swarm.runtime.tokens import estimate_tokens
from wiki.examples.store import Example, ExampleStore

if TYPE_CHECKING:
    from wiki.documents.embedding import Embedding
    from wiki.source import Source

__all__ = ["ExampleIndex", "show_examples"]

_LEAST_ALIKE = 0.35
"""A cosine below which a question is about something else."""


@dataclass(slots=True)
class _Known:
    version: tuple[object, ...] = ()
    examples: tuple[Example, ...] = ()
    vectors: list["array[float]"] = field(default_factory=list["array[float]"])


class ExampleIndex:
    """The examples of one host's wikis with their vectors, read anew when they have changed."""

    def __init__(self, store: ExampleStore, embedding: "Embedding") -> None:
        self._store, self._embedding = store, embedding
        self._known: dict[str, _Known] = {}
        # Invariant: what is known of a wiki is read by one task at a time.
        self._reading = anyio.Lock()

    async def similar(
        self, wiki_name: str, question: str, project: str, swarms: Sequence[str]
    ) -> list[tuple[float, Example]]:
        """Return the examples that are like a question with their cosines, the best first.

        Raises:
            StoreError: The database failed.
        """
        async with self._reading:
            await self._store.learn()
            known = self._known.setdefault(wiki_name, _Known())
            version = await self._store.version(wiki_name)
            if version != known.version:
                examples = await self._store.list(wiki_name)
                vectors = await anyio.to_thread.run_sync(
                    self._encode, [example.question for example in examples]
                )
                known = self._known[wiki_name] = _Known(version, examples, vectors)
        if not known.examples:
            return []
        return await anyio.to_thread.run_sync(
            self._rank, known, question, project, frozenset(swarms)
        )

    def _encode(self, texts: list[str]) -> list["array[float]"]:
        return [array("f", packed) for packed in self._embedding.encode(texts)]

    def _rank(
        self, known: _Known, question: str, project: str, swarms: frozenset[str]
    ) -> list[tuple[float, Example]]:
        [asked] = self._encode([question])
        least = max(self._embedding.floor, _LEAST_ALIKE)
        found = [
            (cosine, example)
            for example, vector in zip(known.examples, known.vectors, strict=True)
            if example.project == project
            and example.swarm_name in swarms
            and (cosine := sum(map(mul, asked, vector), 0.0)) >= least
        ]
        # Sorting is stable, so of two that are alike as much the newer one stays in front.
        return sorted(found, key=lambda pair: -pair[0])


async def show_examples(source: "Source", swarms: Sequence[str]) -> tuple[Message, ...]:
    """Return earlier questions and answers for a model to see, the most similar one last.

    Args:
        source: The question to a wiki with `auto_learn`.
        swarms: Whose conversations they may come from.
    """
    host = source.services
    if not isinstance(host, Host):
        return ()
    spec = source.spec
    index = await _index(host)
    try:
        found = await index.similar(spec.wiki_name, source.message, host.project or "", swarms)
    except StoreError:
        # A question can be answered without examples.
        return ()
    chosen: list[Example] = []
    left = spec.max_example_tokens
    for _, example in found:
        size = estimate_tokens(example.question) + estimate_tokens(example.answer)
        is_known = any(example.question == other.question for other in chosen)
        if is_known or size > left or len(chosen) >= spec.max_examples:
            continue
        chosen.append(example)
        left -= size
    return tuple(
        message
        for example in reversed(chosen)
        for message in (
            Message(role="user", content=example.question),
            Message(role="assistant", content=example.answer),
        )
    )


async def _index(host: Host) -> ExampleIndex:
    services: Services = host

    async def start() -> tuple[ExampleIndex, Callable[[], Awaitable[None]]]:
        from wiki.documents.embedding import open_embedding

        embedding = await anyio.to_thread.run_sync(open_embedding, None)
        return ExampleIndex(ExampleStore(host.database, host.environment), embedding), _nothing

    return await services.shared("wiki.examples", start)


async def _nothing() -> None:
    """Stop what holds nothing."""
