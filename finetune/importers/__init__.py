"""Importers: what other tools recorded of conversations with models, as samples.

They read files that those tools export; nothing here asks a server.
"""

from finetune.importers.importing import Imported, Importer, SkipReason, import_traces

__all__ = ["Imported", "Importer", "SkipReason", "import_traces"]
