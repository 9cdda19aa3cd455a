"""Outlines: JSON documents that models fill in, checked against a schema, asked again until valid.

`add_outline` declares one and `json` fills it in. It is no conversation: nothing is kept of it
but a note in the journal, when a turn asked for it.
"""

from swarm.outline.declare import (
    add_outline,
    find_outline_problems,
    get_outline,
    override_outline,
)
from swarm.outline.errors import OutlineCallbackError
from swarm.outline.result import OutlineContext, OutlineResult
from swarm.outline.run import json
from swarm.outline.spec import OUTLINES, OutlineCallbacks, OutlineSpec

__all__ = [
    "OUTLINES",
    "OutlineCallbackError",
    "OutlineCallbacks",
    "OutlineContext",
    "OutlineResult",
    "OutlineSpec",
    "add_outline",
    "find_outline_problems",
    "get_outline",
    "json",
    "override_outline",
]
