"""Which states, storages and computes a client uses, to tell `on_init` and `on_dispose`.

Only what declares one of the two is remembered.
"""

from collections.abc import Callable
from typing import Any, Protocol

from swarm.functions import observe
from swarm.memory.cells import CellKey
from swarm.memory.owner import Owner

__all__ = ["Lifecycle", "Lives"]


class Lifecycle(Protocol):
    """The callbacks that every kind has."""

    @property
    def on_init(self) -> Callable[..., Any] | None:
        """Told of the first use."""
        ...

    @property
    def on_dispose(self) -> Callable[..., Any] | None:
        """Told of the end."""
        ...


class Lives:
    """What is in use, by owner."""

    def __init__(self) -> None:
        self._used: dict[Owner, dict[CellKey, Callable[..., Any] | None]] = {}

    async def begin(self, key: CellKey, callbacks: Lifecycle | None) -> bool:
        """Tell `on_init` at the first use; return whether this is the first.

        Without callbacks nobody asks, so nothing is remembered and no use is the first.
        """
        if callbacks is None:
            return False
        used = self._used.setdefault(Owner(key.swarm_name, key.client_id), {})
        if key in used:
            return False
        used[key] = callbacks.on_dispose
        await observe(callbacks.on_init, key.client_id, key.name, place=key.place)
        return True

    async def end(self, owner: Owner) -> None:
        """Tell `on_dispose` of everything that an owner has used."""
        for key, on_dispose in self._used.pop(owner, {}).items():
            await observe(on_dispose, key.client_id, key.name, place=key.place)

    async def end_all(self) -> None:
        """Tell `on_dispose` of what is left."""
        for owner in list(self._used):
            await self.end(owner)
