"""`describe`: one function for every format of documentation."""

import json
import os
from typing import Literal, TypeAlias

from declarative.describe.markdown import markdown
from declarative.describe.mermaid import mermaid
from declarative.describe.schema import document_schema
from declarative.modules import public_name
from declarative.secrets import remembered
from swarm import Catalog
from swarm.secrets import hide, secrets_of

__all__ = ["Format", "describe"]

Format: TypeAlias = Literal["markdown", "mermaid", "schema"]
"""Text for people, a graph, or the JSON Schema of YAML documents."""


def describe(catalog: Catalog, format: Format = "markdown") -> str:
    """Return the documentation of a catalog.

    Args:
        catalog: What was declared.
        format: `markdown` describes every swarm, agent, tool and wiki; `mermaid` draws who uses
            what; `schema` is the JSON Schema of YAML documents, the same for every catalog.

    Raises:
        ValueError: There is no such format.
    """
    if format == "schema":
        return json.dumps(document_schema(), indent=2, ensure_ascii=False) + "\n"
    if format == "markdown":
        text = markdown(catalog)
    elif format == "mermaid":
        text = mermaid(catalog)
    else:
        raise ValueError(f"no format {format!r}; known: markdown, mermaid, schema")
    return hide(public_name(text), {**secrets_of(os.environ), **remembered(catalog)})
