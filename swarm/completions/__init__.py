"""The completions that ship with the core, and the table of their reference prefixes.

Each module imports its own library, and only when a model of its kind is opened.
"""

from swarm.completions.providers import register_builtin_providers

__all__ = ["register_builtin_providers"]
