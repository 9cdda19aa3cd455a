"""Where a wiki's answers come from: GGUF files and versions of the model registry.

Hosted models and callbacks need nothing here; the core's completions serve them.
"""

from wiki.providers.gguf import open_gguf
from wiki.providers.registry import open_registry

__all__ = ["open_gguf", "open_registry"]
