"""The documentation of a catalog as one Markdown text."""

from collections.abc import Iterable, Iterator
from typing import Any

from declarative.describe.agents import agent_blocks
from declarative.describe.knowledge import (
    advisor_section,
    pipeline_section,
    server_section,
    wiki_section,
)
from declarative.describe.memory import memory_sections
from declarative.describe.models import model_section
from declarative.describe.outlines import outline_blocks
from declarative.describe.places import Places
from declarative.describe.policies import policy_section
from declarative.describe.swarms import swarm_blocks
from declarative.describe.tools import tool_blocks
from declarative.describe.writer import Writer, heading
from swarm import Catalog, Kind, ToolSpec
from swarm.advisor import ADVISORS
from swarm.catalog import AGENTS, COMPLETIONS, SWARMS, TOOLS
from swarm.connect import PIPELINES
from swarm.mcp.spec import MCPS
from swarm.memory import COMPUTES, EMBEDDINGS, STATES, STORAGES
from swarm.outline import OUTLINES
from swarm.policy import POLICIES
from wiki.spec import WIKIS

__all__ = ["CONTENTS", "as_text", "markdown", "note_sections", "sections", "spare_tools"]

CONTENTS: dict[str, Kind[Any]] = {
    "Swarms": SWARMS,
    "Agents": AGENTS,
    "Outlines": OUTLINES,
    "Wikis": WIKIS,
    "Advisors": ADVISORS,
    "Pipelines": PIPELINES,
    "Policies": POLICIES,
    "States": STATES,
    "Storages": STORAGES,
    "Embeddings": EMBEDDINGS,
    "Computed values": COMPUTES,
    "Models": COMPLETIONS,
    "MCP servers": MCPS,
}
"""What a table of contents lists, in the order of the text."""
_HEADINGS: dict[str, Kind[Any]] = {
    "Wiki": WIKIS,
    "Advisor": ADVISORS,
    "Policy": POLICIES,
    "Model": COMPLETIONS,
}
"""Kinds with a heading for each name, in `sections`."""
_TABLES: dict[str, Kind[Any]] = {
    "Pipelines": PIPELINES,
    "States": STATES,
    "Storages": STORAGES,
    "Embeddings": EMBEDDINGS,
    "Computed values": COMPUTES,
    "MCP servers": MCPS,
}
"""Kinds with a row for each name in one table."""
_MANY_AGENTS = 6


def markdown(writer: Writer) -> str:
    """Return one Markdown text: swarms, agents with their tools, outlines, and what they use."""
    catalog = writer.catalog
    _note_places(catalog, writer.places)
    swarms, outlines = list(catalog.swarms), list(catalog.registry(OUTLINES))
    contents = None
    if len(swarms) > 1 or len(catalog.agents) > _MANY_AGENTS:
        contents = "\n".join(["**Contents**", "", *_contents(writer)])
    blocks: list[str] = []
    if len(swarms) == 1:
        blocks += swarm_blocks(writer, swarms[0], contents)
    else:
        blocks += ["# Documentation"] if not contents else ["# Documentation", contents]
        for swarm in swarms:
            blocks += swarm_blocks(writer.below(), swarm)
    below, seen = writer.below(), set[str]()
    for agent in catalog.agents:
        blocks += agent_blocks(below, agent, seen)
    for outline in outlines:
        blocks += outline_blocks(below, outline)
    blocks += sections(below)
    return as_text(blocks)


def sections(writer: Writer) -> Iterator[str]:
    """Yield the blocks about everything that has no page of its own."""
    spare = spare_tools(writer.catalog)
    if spare:
        yield heading(writer.level, "Tools that no agent uses")
        for tool in spare:
            yield from tool_blocks(writer.below(), tool)
    for section in (
        wiki_section,
        advisor_section,
        pipeline_section,
        policy_section,
        memory_sections,
        model_section,
        server_section,
    ):
        yield from section(writer)


def spare_tools(catalog: Catalog) -> list[ToolSpec]:
    """Return the tools that no agent lists."""
    used = {name for agent in catalog.agents for name in agent.tools}
    return [tool for tool in catalog.tools if tool.tool_name not in used]


def note_sections(catalog: Catalog, places: Places, page: str) -> None:
    """Note where `sections` describes each name."""
    for tool in spare_tools(catalog):
        places.add(TOOLS, tool.tool_name, page, f"Tool {tool.tool_name}")
    for title, kind in _HEADINGS.items():
        for name in catalog.registry(kind).names:
            places.add(kind, name, page, f"{title} {name}")
    for title, kind in _TABLES.items():
        places.add_section(kind, catalog.registry(kind).names, page, title)


def as_text(blocks: Iterable[str]) -> str:
    """Return blocks as a text, with a blank line between them."""
    return "\n\n".join(blocks) + "\n"


def _note_places(catalog: Catalog, places: Places) -> None:
    for name in catalog.swarms.names:
        places.add(SWARMS, name, "", f"Swarm {name}")
    seen = set[str]()
    for agent in catalog.agents:
        places.add(AGENTS, agent.agent_name, "", f"Agent {agent.agent_name}")
        for name in agent.tools:
            if name in catalog.tools and name not in seen:
                seen.add(name)
                places.add(TOOLS, name, "", f"Tool {name}")
    for name in catalog.registry(OUTLINES).names:
        places.add(OUTLINES, name, "", f"Outline {name}")
    note_sections(catalog, places, "")


def _contents(writer: Writer) -> Iterator[str]:
    for title, kind in CONTENTS.items():
        names = writer.catalog.registry(kind).names
        if names:
            yield f"- {title}: {writer.links(kind, names)}"
