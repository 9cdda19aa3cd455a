"""An outline with a scripted model, as small as a test can have it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from swarm import (
    Catalog,
    CompletionRequest,
    Host,
    OutlineResult,
    add_completion,
    add_outline,
    json,
    use_catalog,
)
from swarm.testing import ScriptedCompletion

__all__ = ["ORDER", "Outlines", "reason_of"]

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "sku": {"type": "string"},
        "boxes": {"type": "integer", "minimum": 1},
    },
    "required": ["sku", "boxes"],
}
"""The format of the outline `order`, where a test gives no other."""


class Outlines:
    """A catalog with one outline, `order`, and a model that plays steps."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.catalog = Catalog()
        self.script = ScriptedCompletion([])

    def declare(self, steps: Sequence[Any] = (), **fields: Any) -> ScriptedCompletion:
        """Declare the outline and its model; returns the script."""
        model: dict[str, Any] = fields.pop("model", {})
        self.script = ScriptedCompletion(steps)
        completion: dict[str, Any] = {
            "completion_name": "model",
            "get_completion": self.script,
            "max_retries": 0,
        }
        outline: dict[str, Any] = {"outline_name": "order", "completion": "model", "format": ORDER}
        with use_catalog(self.catalog):
            add_completion(**(completion | model))
            add_outline(**(outline | fields))
        return self.script

    def host(self) -> Host:
        """Return a host of the catalog, to be opened."""
        return Host(catalog=self.catalog, home=self.home, environment={})

    async def fill(self, *params: object) -> OutlineResult[Any]:
        """Fill in the outline in a host of its own."""
        async with self.host() as host:
            return await json("order", *params, host=host)


def reason_of(request: CompletionRequest) -> str:
    """Return what the model was told about its last document."""
    return request.messages[-1].content
