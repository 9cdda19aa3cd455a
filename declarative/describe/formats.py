"""`describe` and its like: documentation as a text, as a graph, or as a folder of pages."""

import json
import os
from pathlib import Path
from typing import Literal, TypeAlias

from declarative.describe.document import markdown
from declarative.describe.folder import pages, write_pages
from declarative.describe.mermaid import agent_graph, mermaid, swarm_graph
from declarative.describe.schema import document_schema
from declarative.describe.writer import Writer
from declarative.secrets import remembered
from swarm import Catalog, current_catalog
from swarm.secrets import secrets_of

__all__ = ["Format", "describe", "dump_agent", "dump_docs", "dump_swarm"]

Format: TypeAlias = Literal["markdown", "mermaid", "schema"]
"""Text for people, a graph, or the JSON Schema of YAML documents."""


def describe(catalog: Catalog, format: Format = "markdown") -> str:
    """Return the documentation of a catalog.

    Args:
        catalog: What was declared.
        format: `markdown` describes everything that was declared, in words for people who do not
            program; `mermaid` draws the swarms and their agents; `schema` is the JSON Schema of
            YAML documents, the same for every catalog.

    Raises:
        ValueError: There is no such format.
    """
    if format == "schema":
        return json.dumps(document_schema(), indent=2, ensure_ascii=False) + "\n"
    if format == "markdown":
        return markdown(Writer(catalog, secrets=_secrets(catalog)))
    if format == "mermaid":
        return mermaid(catalog, _secrets(catalog))
    raise ValueError(f"no format {format!r}; known: markdown, mermaid, schema")


def dump_docs(folder: str | Path, *, catalog: Catalog | None = None) -> list[Path]:
    """Write the documentation of a catalog as pages that lead to each other.

    There is a page for each swarm, agent and outline, and `index.md` with all the rest. Pages
    that an earlier call wrote for what is gone are removed; other files stay.

    Args:
        folder: Where the pages go; it is made if it is missing.
        catalog: What was declared; the current catalog when absent.

    Returns:
        The pages; the index is the last one.

    Raises:
        StoreError: A page cannot be written.
    """
    used = current_catalog() if catalog is None else catalog
    return write_pages(pages(used, _secrets(used)), Path(folder))


def dump_agent(agent_name: str, *, catalog: Catalog | None = None) -> str:
    """Return a Mermaid graph of an agent: what it uses, and who hands over to whom.

    Args:
        agent_name: A declared agent.
        catalog: What was declared; the current catalog when absent.

    Raises:
        UnknownNameError: Nothing declares the agent; the message offers the nearest name.
    """
    used = current_catalog() if catalog is None else catalog
    return agent_graph(used, agent_name, _secrets(used))


def dump_swarm(swarm_name: str, *, catalog: Catalog | None = None) -> str:
    """Return a Mermaid graph of a swarm: its policies, its agents, and who hands over to whom.

    Args:
        swarm_name: A declared swarm.
        catalog: What was declared; the current catalog when absent.

    Raises:
        UnknownNameError: Nothing declares the swarm; the message offers the nearest name.
    """
    used = current_catalog() if catalog is None else catalog
    return swarm_graph(used, swarm_name, _secrets(used))


def _secrets(catalog: Catalog) -> dict[str, str]:
    return {**secrets_of(os.environ), **remembered(catalog)}
