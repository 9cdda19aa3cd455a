"""The computes of a host: one computation at a time for each value, remembered for a while."""

import time
from collections import OrderedDict
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
from pydantic import JsonValue

from swarm.errors import DeclarationError
from swarm.functions import observe
from swarm.memory.calling import ask, pass_through
from swarm.memory.cells import CellKey
from swarm.memory.lives import Lives
from swarm.memory.owner import EVERYBODY, Owner
from swarm.memory.specs import COMPUTES, ComputeSpec
from swarm.memory.states import States
from swarm.memory.telling import publish
from swarm.memory.values import decode_value, encode_value

if TYPE_CHECKING:
    from swarm.catalog import Catalog

__all__ = ["Computes"]

_MOST_VALUES = 10_000
"""Values that are remembered; the one that was asked for longest ago is dropped first."""

_Versions = tuple[int, ...]
"""Those of the states that a value depends on."""


@dataclass(slots=True, eq=False)
class _Run:
    """A computation under way."""

    spec: ComputeSpec
    key: CellKey
    versions: _Versions
    is_stale: bool = False
    """The value was discarded since it was begun."""
    text: str | None = None
    error: Exception | None = None
    done: anyio.Event = field(default_factory=anyio.Event)
    waits_for: "_Run | None" = None


@dataclass(frozen=True, slots=True)
class _Known:
    spec: ComputeSpec
    """What it was computed by; another declaration of the name computes anew."""
    text: str
    versions: _Versions
    until: float


_chain: ContextVar[tuple[_Run, ...]] = ContextVar("wikiswarm_computes", default=())
"""The computations that the code which is running serves."""


class Computes:
    """Every computed value of every client; `Compute` and `SharedCompute` use it."""

    def __init__(self, catalog: "Catalog", states: States, lives: Lives) -> None:
        self._catalog = catalog
        self._states = states
        self._lives = lives
        self._known: OrderedDict[CellKey, _Known] = OrderedDict()
        self._running: dict[CellKey, _Run] = {}

    async def get(self, name: str, owner: Owner) -> JsonValue:
        """Return the value, computed now if need be."""
        spec, key = self._find(name, owner)
        await self._lives.begin(key, spec.callbacks)
        value = decode_value(await self._get(spec, key, owner))
        if (bus := self._catalog.bus).is_watched:
            publish(bus, "emit-output", key, None, {"value": value})
        return value

    async def update(self, name: str, owner: Owner) -> None:
        """Discard the value, so that the next read computes it."""
        spec, key = self._find(name, owner)
        await self._lives.begin(key, spec.callbacks)
        self._known.pop(key, None)
        if key in self._running:
            self._running[key].is_stale = True
        if spec.callbacks is not None:
            await observe(spec.callbacks.on_update, key.client_id, name, place=key.place)

    def _find(self, name: str, owner: Owner) -> tuple[ComputeSpec, CellKey]:
        spec = self._catalog.registry(COMPUTES).get(name)
        return spec, (EVERYBODY if spec.shared else owner).key("compute", name)

    async def _get(self, spec: ComputeSpec, key: CellKey, owner: Owner) -> str:
        while True:
            versions = await self._versions(spec, owner)
            known = self._known.get(key)
            is_fresh = known is not None and time.monotonic() < known.until
            is_same = known is not None and known.spec is spec and known.versions == versions
            if known is not None and is_fresh and is_same:
                self._known.move_to_end(key)
                return known.text
            run = self._running.get(key)
            if run is None:
                return await self._calculate(spec, key, versions)
            await _wait(run)
            if run.spec is spec and run.versions == versions and not run.is_stale:
                if run.error is not None:
                    raise run.error
                if run.text is not None:  # else whoever computed it was cancelled
                    return run.text

    async def _versions(self, spec: ComputeSpec, owner: Owner) -> _Versions:
        return tuple([await self._states.version(name, owner) for name in spec.depends_on])

    async def _calculate(self, spec: ComputeSpec, key: CellKey, versions: _Versions) -> str:
        names = (key.client_id, spec.compute_name)
        run = self._running[key] = _Run(spec, key, versions)
        token = _chain.set((*_chain.get(), run))
        try:
            await self._tell_change(run)
            value = await ask(spec.get, *names, role="get", place=key.place, in_thread=True)
            value = decode_value(encode_value(value, key.place))
            value = await pass_through(spec.middlewares, value, *names, place=key.place)
            text = run.text = encode_value(value, key.place)
        except Exception as error:
            run.error = error  # for those that wait for this run; the next one computes anew
            raise
        finally:
            _chain.reset(token)
            del self._running[key]
            run.done.set()
        if not run.is_stale:
            self._remember(run, text)
        if spec.callbacks is not None and spec.callbacks.on_compute is not None:
            await observe(spec.callbacks.on_compute, decode_value(text), *names, place=key.place)
        return text

    async def _tell_change(self, run: _Run) -> None:
        """Tell which states have changed since the value that is known was computed."""
        known, callbacks = self._known.get(run.key), run.spec.callbacks
        if known is None or known.spec is not run.spec or callbacks is None:
            return
        for name, old, new in zip(run.spec.depends_on, known.versions, run.versions, strict=True):
            if old != new:
                told = (name, run.key.client_id, run.key.name)
                await observe(callbacks.on_calculate, *told, place=run.key.place)

    def _remember(self, run: _Run, text: str) -> None:
        until = time.monotonic() + run.spec.ttl
        self._known[run.key] = _Known(run.spec, text, run.versions, until)
        self._known.move_to_end(run.key)
        if len(self._known) > _MOST_VALUES:
            self._known.popitem(last=False)


async def _wait(run: _Run) -> None:
    """Wait for a computation that another caller has started.

    Raises:
        DeclarationError: It waits for this one.
    """
    chain = _chain.get()
    after: _Run | None = run
    path = [*chain[-1:]]
    while after is not None:
        path.append(after)
        if after in chain:
            names = " -> ".join(repr(step.key.name) for step in path)
            raise DeclarationError(f"computes wait for each other: {names}")
        after = after.waits_for
    if not chain:
        await run.done.wait()
        return
    chain[-1].waits_for = run
    try:
        await run.done.wait()
    finally:
        chain[-1].waits_for = None
