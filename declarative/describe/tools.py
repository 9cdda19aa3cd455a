"""A tool for readers: what it does, when it is called, what it is told, and who has to agree."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from declarative.describe.shape import fields_table
from declarative.describe.words import by_function, seconds
from declarative.describe.writer import Writer
from swarm import ToolSpec
from swarm.catalog import AGENTS
from swarm.extension import tool_source
from swarm.schema import read_signature
from wiki.spec import WIKIS

__all__ = ["tool_blocks"]


def tool_blocks(writer: Writer, spec: ToolSpec) -> Iterator[str]:
    """Yield the blocks about a tool."""
    yield writer.title("Tool", spec.tool_name)
    resolved = _resolved(writer, spec)
    if spec.doc_note:
        yield writer.text(spec.doc_note)
    if resolved.description:
        yield f"The model is told: {writer.quote(resolved.description)}"
    facts = [*_does(writer, spec, resolved), *_asks(writer, spec)]
    if facts:
        yield "\n".join(f"- {fact}" for fact in facts)
    shown = fields_table(writer, _parameters(resolved), "Parameter")
    if shown:
        yield shown
    elif spec.get_function is None:
        yield "It takes no parameters."


def _does(writer: Writer, spec: ToolSpec, resolved: ToolSpec) -> Iterator[str]:
    if spec.wiki is not None:
        yield f"Asks the wiki {writer.link(WIKIS, spec.wiki)}."
    if spec.navigate_to is not None:
        yield f"Hands over to {writer.link(AGENTS, spec.navigate_to)}."
    if spec.read_only:
        yield "Only looks things up; it changes nothing."
    if spec.function_name != spec.tool_name:
        yield f"The model knows it as {writer.code(spec.function_name)}."
    if spec.get_function is not None:
        yield f"Described to the model anew each time by {by_function(writer, spec.get_function)}"
    if spec.examples:
        yield f"Right for messages such as {', '.join(map(writer.quote, spec.examples))}."
    if "timeout" in spec.model_fields_set:
        yield f"Given up after {seconds(resolved.timeout)}."


def _asks(writer: Writer, spec: ToolSpec) -> Iterator[str]:
    if spec.is_available is not None:
        yield f"Offered only when allowed by {by_function(writer, spec.is_available)}"
    if spec.validate_params is not None:
        yield f"What it is given is checked by {by_function(writer, spec.validate_params)}"
    if spec.needs_approval is False:
        return
    if spec.needs_approval is True:
        yield "**A person has to agree to each call.**"
    else:
        who = by_function(writer, spec.needs_approval)
        yield f"**A person has to agree to some calls**, chosen by {who}"
    if spec.approval_wait:
        yield f"The conversation waits {seconds(spec.approval_wait)} for that person."


def _resolved(writer: Writer, spec: ToolSpec) -> ToolSpec:
    """Return a wiki's tool with the function that the wiki gives it, when there is that wiki."""
    if spec.wiki not in writer.catalog.registry(WIKIS):
        return spec
    return tool_source("wiki")(spec, writer.catalog)


def _parameters(spec: ToolSpec) -> Mapping[str, JsonValue]:
    if spec.parameters is not None:
        return spec.parameters
    return read_signature(spec.call).parameters if spec.call is not None else {}
