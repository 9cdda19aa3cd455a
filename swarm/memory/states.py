"""The states of a host: read, changed in order, cleared."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from swarm.errors import StoreError
from swarm.memory.calling import call_function, pass_through
from swarm.memory.cells import Cell, CellKey, Cells, MemoryCells
from swarm.memory.owner import EVERYBODY, Owner
from swarm.memory.queues import Queues
from swarm.memory.specs import STATES, StateSpec
from swarm.memory.values import decode_value, encode_value

if TYPE_CHECKING:
    from swarm.catalog import Catalog

__all__ = ["Change", "States"]

Change = Callable[[Any], Any]
"""A function of the old value, plain or async, that returns the new one."""

_ATTEMPTS = 20
"""How often a change is made anew because another process was faster."""


class States:
    """Every state of every client; the facades `State` and `SharedState` use it."""

    def __init__(self, catalog: "Catalog", kept: Cells, queues: Queues) -> None:
        self._catalog = catalog
        self._kept = kept
        self._fleeting = MemoryCells()
        self._queues = queues

    async def get(self, name: str, owner: Owner) -> JsonValue:
        """Return a copy of the value."""
        spec, key = self._find(name, owner)
        cell = await self._cells(spec).read(key)
        text = cell.text
        if text is None and spec.get_default is None:
            text = encode_value(spec.default, key.place)
        elif text is None:
            async with self._queues.turn(key):
                text, _ = await self._read(spec, key)
        await _tell(spec, "on_read", text, key)
        return decode_value(text)

    async def set(self, name: str, value: Change | object, owner: Owner) -> JsonValue:
        """Replace the value, or change it by a function of the old one; returns the new one."""
        spec, key = self._find(name, owner)
        async with self._queues.turn(key):
            for _ in range(_ATTEMPTS):
                new = value
                version = (await self._cells(spec).read(key)).version
                if callable(value):
                    old, version = await self._read(spec, key)
                    new = await _change(value, decode_value(old), key)
                # A copy, checked: middlewares may change it in place.
                new = decode_value(encode_value(new, key.place))
                new = await pass_through(
                    spec.middlewares, new, owner.client_id, name, place=key.place
                )
                text = encode_value(new, key.place)
                await _tell(spec, "on_write", text, key)
                if await self._cells(spec).write(key, text, version):
                    return decode_value(text)
        raise StoreError(f"{key.place}: other processes change it faster than this one")

    async def clear(self, name: str, owner: Owner) -> None:
        """Go back to the default."""
        spec, key = self._find(name, owner)
        async with self._queues.turn(key):
            for _ in range(_ATTEMPTS):
                cell = await self._cells(spec).read(key)
                if cell.text is None or await self._cells(spec).write(key, None, cell.version):
                    return
        raise StoreError(f"{key.place}: other processes change it faster than this one")

    async def version(self, name: str, owner: Owner) -> int:
        """Return a number that grows with each write."""
        spec, key = self._find(name, owner)
        cell = await self._cells(spec).read(key)
        if cell.text is None and spec.get_default is not None:
            # Whoever reads the value next would make the first one, which is a write.
            async with self._queues.turn(key):
                return (await self._read(spec, key))[1]
        return cell.version

    def _find(self, name: str, owner: Owner) -> tuple[StateSpec, CellKey]:
        spec = self._catalog.registry(STATES).get(name)
        return spec, (EVERYBODY if spec.shared else owner).key("state", name)

    def _cells(self, spec: StateSpec) -> Cells:
        return self._kept if spec.persist else self._fleeting

    async def _read(self, spec: StateSpec, key: CellKey) -> tuple[str, int]:
        """Return text and version, in the cell's turn; a default that is made is kept."""
        cell = await self._cells(spec).read(key)
        while cell.text is None:
            if spec.get_default is None:
                return encode_value(spec.default, key.place), cell.version
            made = await call_function(
                spec.get_default, key.client_id, spec.state_name, place=key.place
            )
            text = encode_value(made, key.place)
            if await self._cells(spec).write(key, text, cell.version):
                return text, cell.version + 1
            cell: Cell = await self._cells(spec).read(key)
        return cell.text, cell.version


async def _change(function: Any, old: JsonValue, key: CellKey) -> Any:
    """Return the new value; an error of the caller's own function passes as it is."""
    try:
        new = function(old)
        return await new if inspect.isawaitable(new) else new
    except Exception as error:
        error.add_note(f"in the function that was to change {key.place}; it has its old value")
        raise


async def _tell(spec: StateSpec, event: str, text: str, key: CellKey) -> None:
    function = getattr(spec.callbacks, event, None)
    if function is not None:
        value = decode_value(text)
        await call_function(function, value, key.client_id, spec.state_name, place=key.place)
