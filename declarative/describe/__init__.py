"""Documentation made from declarations: Markdown, Mermaid graphs, the JSON Schema of documents.

It reads a catalog and asks no model; it shows no key and no place of a server.
"""

from declarative.describe.formats import Format, describe, dump_agent, dump_docs, dump_swarm

__all__ = ["Format", "describe", "dump_agent", "dump_docs", "dump_swarm"]
