"""One door to declare everything: `add_*` in Python, and the same as a YAML document.

`load` reads a document into a catalog, `check` says everything that is wrong with one, `describe`
makes documentation of a catalog. Nothing here runs an agent; that is `swarm`.
"""

from declarative.build import Report, check, load
from declarative.describe import describe, dump_agent, dump_docs, dump_swarm
from swarm import add_agent, add_completion, add_mcp, add_swarm, add_tool
from swarm.advisor import add_advisor
from swarm.connect import add_pipeline
from swarm.declare import get_mcp, override_mcp
from swarm.memory import (
    add_compute,
    add_embedding,
    add_state,
    add_storage,
    get_compute,
    get_embedding,
    get_state,
    get_storage,
    override_compute,
    override_embedding,
    override_state,
    override_storage,
)
from swarm.outline import add_outline
from swarm.policy import add_policy
from wiki import add_wiki

__all__ = [
    "Report",
    "add_advisor",
    "add_agent",
    "add_completion",
    "add_compute",
    "add_embedding",
    "add_mcp",
    "add_outline",
    "add_pipeline",
    "add_policy",
    "add_state",
    "add_storage",
    "add_swarm",
    "add_tool",
    "add_wiki",
    "check",
    "describe",
    "dump_agent",
    "dump_docs",
    "dump_swarm",
    "get_compute",
    "get_embedding",
    "get_mcp",
    "get_state",
    "get_storage",
    "load",
    "override_compute",
    "override_embedding",
    "override_mcp",
    "override_state",
    "override_storage",
]
