"""The states of a host: read, changed in order, cleared."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from swarm.errors import StoreError
from swarm.functions import call, observe
from swarm.memory.calling import ask, pass_through
from swarm.memory.cells import CellKey, Cells, OwnCells
from swarm.memory.lives import Lives
from swarm.memory.owner import EVERYBODY, Owner
from swarm.memory.queues import Queues
from swarm.memory.specs import STATES, StateSpec
from swarm.memory.telling import publish
from swarm.memory.values import decode_value, encode_value

if TYPE_CHECKING:
    from swarm.catalog import Catalog

__all__ = ["Change", "States"]

Change = Callable[[Any], Any]
"""A function of the old value, plain or async, that returns the new one."""

_ATTEMPTS = 20
"""How often a change is made anew because another process was faster."""
_SESSION_MEMORY = StateSpec.model_construct(state_name="memory")
"""What a client's session notes down without a declaration."""


class States:
    """Every state of every client; the facades `State` and `SharedState` use it."""

    def __init__(
        self, catalog: "Catalog", kept: Cells, fleeting: Cells, queues: Queues, lives: Lives
    ) -> None:
        self._catalog = catalog
        self._kept = kept
        self._fleeting = fleeting
        self._queues = queues
        self._lives = lives

    async def get(self, name: str, owner: Owner) -> JsonValue:
        """Return a copy of the value."""
        spec, key = await self._begin(name, owner)
        text = await self._get(spec, key)
        await _tell(spec, "on_read", text, key)
        if (bus := self._catalog.bus).is_watched:
            publish(bus, "get-state", key, None, {"state": decode_value(text)})
        return decode_value(text)

    async def set(self, name: str, value: Change | object, owner: Owner) -> JsonValue:
        """Replace the value, or change it by a function of the old one; returns the new one."""
        spec, key = await self._begin(name, owner)
        text = await self._set(spec, key, value, owner)
        await _tell(spec, "on_write", text, key)
        if (bus := self._catalog.bus).is_watched:
            publish(bus, "set-state", key, {"state": decode_value(text)})
        return decode_value(text)

    async def clear(self, name: str, owner: Owner) -> None:
        """Go back to the default."""
        spec, key = await self._begin(name, owner)
        await self._clear(spec, key)
        if (bus := self._catalog.bus).is_watched:
            publish(bus, "clear-state", key)

    async def read_session(self, owner: Owner) -> JsonValue:
        """Return what a session has noted down; None before the first time."""
        return decode_value(await self._get(_SESSION_MEMORY, owner.key("session", "memory")))

    async def write_session(self, value: Change | object, owner: Owner) -> None:
        """Replace what a session has noted down, or change it by a function."""
        await self._set(_SESSION_MEMORY, owner.key("session", "memory"), value, owner)

    async def version(self, name: str, owner: Owner) -> int:
        """Return a number that is another one after each write."""
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
        if spec.get_state is not None and spec.set_state is not None:
            return OwnCells(spec.get_state, spec.set_state)
        return self._kept if spec.persist else self._fleeting

    async def _begin(self, name: str, owner: Owner) -> tuple[StateSpec, CellKey]:
        """Find a state, and tell of its first use and of the value as it is then."""
        spec, key = self._find(name, owner)
        is_first = await self._lives.begin(key, spec.callbacks)
        if is_first and spec.callbacks is not None and spec.callbacks.on_load is not None:
            await _tell(spec, "on_load", await self._get(spec, key), key)
        return spec, key

    async def _get(self, spec: StateSpec, key: CellKey) -> str:
        text = (await self._cells(spec).read(key)).text
        if text is not None:
            return text
        if spec.get_default is None:
            return encode_value(spec.default, key.place)
        async with self._queues.turn(key):
            return (await self._read(spec, key))[0]

    async def _clear(self, spec: StateSpec, key: CellKey) -> None:
        async with self._queues.turn(key):
            for _ in range(_ATTEMPTS):
                cell = await self._cells(spec).read(key)
                if cell.text is None:
                    return
                if await self._cells(spec).write(key, None, cell.version) is not None:
                    return
        raise _too_slow(key)

    async def _read(self, spec: StateSpec, key: CellKey) -> tuple[str, int]:
        """Return text and version, in the cell's turn; a default that is made is kept."""
        cell = await self._cells(spec).read(key)
        while cell.text is None:
            if spec.get_default is None:
                return encode_value(spec.default, key.place), cell.version
            names = (key.client_id, spec.state_name)
            made = await ask(spec.get_default, *names, role="get_default", place=key.place)
            text = encode_value(made, key.place)
            version = await self._cells(spec).write(key, text, cell.version)
            if version is not None:
                return text, version
            cell = await self._cells(spec).read(key)
        return cell.text, cell.version

    async def _set(self, spec: StateSpec, key: CellKey, value: Change | object, by: Owner) -> str:
        """Write a new value and return its text."""
        async with self._queues.turn(key):
            for _ in range(_ATTEMPTS):
                new = value
                if callable(value):
                    old, version = await self._read(spec, key)
                    new = await _change(value, decode_value(old), key)
                else:
                    version = (await self._cells(spec).read(key)).version
                # A copy, checked: middlewares may change it in place.
                new = decode_value(encode_value(new, key.place))
                names = (by.client_id, spec.state_name)
                new = await pass_through(spec.middlewares, new, *names, place=key.place)
                text = encode_value(new, key.place)
                if await self._cells(spec).write(key, text, version) is not None:
                    return text
        raise _too_slow(key)


async def _change(function: Any, old: JsonValue, key: CellKey) -> Any:
    """Return the new value; an error of the caller's own function passes as it is."""
    try:
        return await call(function, old)
    except Exception as error:
        error.add_note(f"in the function that was to change {key.place}; it has its old value")
        raise


async def _tell(spec: StateSpec, event: str, text: str, key: CellKey) -> None:
    function = getattr(spec.callbacks, event, None)
    if function is not None:
        value = decode_value(text)
        await observe(function, value, key.client_id, spec.state_name, place=key.place)


def _too_slow(key: CellKey) -> StoreError:
    return StoreError(f"{key.place}: other processes change it faster than this one")
