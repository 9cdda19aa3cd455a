"""Completions for readers: which model, what happens when it fails, and what it may cost."""

from collections.abc import Iterator
from typing import Any

from declarative.describe.words import bullets, completion_source, count, limits, seconds
from declarative.describe.writer import Writer, heading
from swarm import CompletionSpec, Kind
from swarm.advisor import ADVISORS
from swarm.catalog import AGENTS
from swarm.outline import OUTLINES
from wiki.spec import WIKIS

__all__ = ["model_section"]


def model_section(writer: Writer) -> Iterator[str]:
    """Yield the blocks about all completions."""
    if not len(writer.catalog.completions):
        return
    yield heading(writer.level, "Models")
    for spec in writer.catalog.completions:
        yield from _model(writer.below(), spec)


def _model(writer: Writer, spec: CompletionSpec) -> Iterator[str]:
    yield writer.title("Model", spec.completion_name)
    if spec.doc_description:
        yield writer.text(spec.doc_description)
    facts = [("Answers by", completion_source(writer, spec)), *_failing(spec)]
    facts += [*_saying(writer, spec), *_keys(writer, spec), *_users(writer, spec)]
    yield bullets(facts)


def _failing(spec: CompletionSpec) -> Iterator[tuple[str, str]]:
    yield "Time for one answer", f"at most {seconds(spec.timeout)}, further attempts included"
    again = f"at most {count(spec.max_retries, 'time')}" if spec.max_retries else "never"
    yield "Asked again after a failure that may pass", again
    if spec.breaker is not None and spec.breaker.failures:
        failures, pause = count(spec.breaker.failures, "failure"), seconds(spec.breaker.cooldown)
        yield "Left alone", f"for {pause} after {failures} in a row"
    elif spec.breaker is not None:
        yield "Left alone", "never, however often it fails"


def _saying(writer: Writer, spec: CompletionSpec) -> Iterator[tuple[str, str]]:
    if spec.json_mode is not None:
        yield "Used for", "documents only" if spec.json_mode else "conversations only"
    if spec.temperature is not None:
        yield "Freedom of words (temperature)", f"{spec.temperature:g}"
    if spec.top_p is not None:
        yield "Share of words to choose from (top_p)", f"{spec.top_p:g}"
    if spec.seed is not None:
        yield "Repeatable (seed)", f"{spec.seed}"
    if spec.max_tokens is not None:
        yield "Longest answer", count(spec.max_tokens, "token")
    if spec.flags:
        yield "Always told", writer.codes(spec.flags)
    if spec.max_concurrent is not None:
        yield "Answers at the same time", f"at most {spec.max_concurrent:,}"


def _keys(writer: Writer, spec: CompletionSpec) -> Iterator[tuple[str, str]]:
    names = spec.key_variables
    if names:
        if len(names) == 1:
            yield "Key", f"in the environment variable {writer.codes(names)}"
        else:
            yield "Keys", f"in the environment variables {writer.codes(names)}, which take turns"
    if spec.key_budget is not None:
        for limit in limits(spec.key_budget):
            yield "May use with each key", limit.removesuffix(" for a whole conversation")


def _users(writer: Writer, spec: CompletionSpec) -> Iterator[tuple[str, str]]:
    name, catalog = spec.completion_name, writer.catalog
    agents = [a.agent_name for a in catalog.agents if a.completion == name]
    said = [writer.links(AGENTS, agents)] if agents else []
    kinds: list[Kind[Any]] = [OUTLINES, WIKIS, ADVISORS]
    for kind in kinds:
        users = [getattr(s, kind.key) for s in catalog.registry(kind) if s.completion == name]
        said += [writer.links(kind, users)] if users else []
    yield "Used by", ", ".join(said) or "nothing yet"
