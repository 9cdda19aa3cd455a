"""What is remembered, for readers: states, storages, embeddings and computed values."""

import json
from collections.abc import Iterator

from declarative.describe.words import about_function, count, seconds
from declarative.describe.writer import Writer, heading, table
from swarm.catalog import AGENTS
from swarm.memory import (
    COMPUTES,
    EMBEDDINGS,
    STATES,
    STORAGES,
    EmbeddingSpec,
    StateSpec,
    StorageSpec,
)
from swarm.memory.specs import BUILT_IN
from wiki.spec import WIKIS

__all__ = ["memory_sections"]

_BUILT_IN = {"hash": "words and parts of words", "wordllama": "the meaning of English words"}


def memory_sections(writer: Writer) -> Iterator[str]:
    """Yield the blocks about everything that is remembered besides messages."""
    yield from _section(
        writer,
        "States",
        "Values that are remembered between messages.",
        ("State", "Description", "Belongs to", "At first", "Kept", "Changes pass", "Used by"),
        [_state(writer, spec) for spec in writer.catalog.registry(STATES)],
    )
    yield from _section(
        writer,
        "Storages",
        "Things that are kept and found again by what they mean.",
        ("Storage", "Description", "Belongs to", "At first", "Searched by", "Kept", "Used by"),
        [_storage(writer, spec) for spec in writer.catalog.registry(STORAGES)],
    )
    yield from _section(
        writer,
        "Embeddings",
        "How the meaning of texts is compared.",
        ("Embedding", "Description", "Made by", "Compared by", "Key", "Used by"),
        [_embedding(writer, spec) for spec in writer.catalog.registry(EMBEDDINGS)],
    )
    computes = writer.catalog.registry(COMPUTES)
    yield from _section(
        writer,
        "Computed values",
        "Values that are worked out when they are asked for, and then remembered for a while.",
        (
            "Value",
            "Description",
            "Belongs to",
            "Worked out by",
            "Remembered for",
            "Anew after changes of",
            "Passes",
        ),
        [
            (
                writer.code(spec.compute_name),
                writer.text(spec.doc_description or ""),
                _owner(shared=spec.shared),
                about_function(writer, spec.get),
                seconds(spec.ttl),
                writer.links(STATES, spec.depends_on),
                ", ".join(about_function(writer, each) for each in spec.middlewares),
            )
            for spec in computes
        ],
    )


def _section(
    writer: Writer, title: str, about: str, head: tuple[str, ...], rows: list[tuple[str, ...]]
) -> Iterator[str]:
    if rows:
        yield heading(writer.level, title)
        yield about
        yield table(head, rows)


def _state(writer: Writer, spec: StateSpec) -> tuple[str, ...]:
    if spec.get_default is not None:
        first = f"made by {about_function(writer, spec.get_default)}"
    elif spec.default is None:
        first = "nothing"
    else:
        first = writer.code(_shortened(json.dumps(spec.default, ensure_ascii=False)))
    users = [a.agent_name for a in writer.catalog.agents if spec.state_name in a.states]
    return (
        writer.code(spec.state_name),
        writer.text(spec.doc_description or ""),
        _owner(shared=spec.shared),
        first,
        _kept(has_own_store=spec.get_state is not None, persist=spec.persist),
        ", ".join(about_function(writer, each) for each in spec.middlewares),
        writer.links(AGENTS, users),
    )


def _storage(writer: Writer, spec: StorageSpec) -> tuple[str, ...]:
    if spec.get_default is not None:
        first = f"made by {about_function(writer, spec.get_default)}"
    else:
        first = count(len(spec.default), "item") if spec.default else "empty"
    if spec.embedding in BUILT_IN and spec.embedding not in writer.catalog.registry(EMBEDDINGS):
        search = _BUILT_IN[spec.embedding]
    else:
        search = writer.link(EMBEDDINGS, spec.embedding)
    if spec.vectors == "chroma":
        search += ", in Chroma"
    if spec.score > 0:
        search += f", at least {spec.score:.0%} alike"
    users = [a.agent_name for a in writer.catalog.agents if spec.storage_name in a.storages]
    return (
        writer.code(spec.storage_name),
        writer.text(spec.doc_description or ""),
        _owner(shared=spec.shared),
        first,
        search,
        _kept(has_own_store=spec.get_data is not None, persist=spec.persist),
        writer.links(AGENTS, users),
    )


def _embedding(writer: Writer, spec: EmbeddingSpec) -> tuple[str, ...]:
    if spec.create is not None:
        by = about_function(writer, spec.create)
    elif spec.model in BUILT_IN:
        by = _BUILT_IN[spec.model]
    else:
        by = writer.code(spec.model or "")
    compared = "" if spec.similarity == "cosine" else "the dot product"
    if spec.get_similarity is not None:
        compared = about_function(writer, spec.get_similarity)
    name = spec.embedding_name
    users = [s.storage_name for s in writer.catalog.registry(STORAGES) if s.embedding == name]
    wikis = [s.wiki_name for s in writer.catalog.registry(WIKIS) if s.embedding == name]
    used = [text for text in (writer.links(STORAGES, users), writer.links(WIKIS, wikis)) if text]
    return (
        writer.code(name),
        writer.text(spec.doc_description or ""),
        by,
        compared,
        writer.codes(spec.api_key_env or ()),
        ", ".join(used),
    )


def _owner(*, shared: bool) -> str:
    return "everybody" if shared else "each client"


def _kept(*, has_own_store: bool, persist: bool) -> str:
    if has_own_store:
        return "by the program itself"
    return "in the database" if persist else "until the program ends"


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
