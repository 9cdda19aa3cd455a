"""The sections of a YAML document, each with the kind of declaration it holds."""

from typing import Any

from swarm import Kind
from swarm.advisor import ADVISORS
from swarm.catalog import AGENTS, COMPLETIONS, SWARMS, TOOLS
from swarm.connect import PIPELINES
from swarm.mcp.spec import MCPS
from swarm.memory import COMPUTES, EMBEDDINGS, STATES, STORAGES
from swarm.outline import OUTLINES
from swarm.policy import POLICIES
from wiki.spec import WIKIS

__all__ = ["INCLUDE", "SECTIONS"]

SECTIONS: dict[str, Kind[Any]] = {
    "completions": COMPLETIONS,
    "wikis": WIKIS,
    "advisors": ADVISORS,
    "outlines": OUTLINES,
    "mcp": MCPS,
    "states": STATES,
    "embeddings": EMBEDDINGS,
    "storages": STORAGES,
    "computes": COMPUTES,
    "pipelines": PIPELINES,
    "tools": TOOLS,
    "agents": AGENTS,
    "policies": POLICIES,
    "swarms": SWARMS,
}
"""Section name to kind, in the order in which documents are best read."""

INCLUDE = "include"
"""The one other key of a document: further files."""
