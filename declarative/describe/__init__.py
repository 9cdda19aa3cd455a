"""Documentation made from declarations: Markdown, a Mermaid graph, the JSON Schema of documents.

It reads a catalog and asks no model; it shows no key and no place of a server.
"""

from declarative.describe.formats import Format, describe

__all__ = ["Format", "describe"]
