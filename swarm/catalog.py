"""A catalog: one registry per kind, and which catalog is the current one.

Programs write to the current catalog through `add_*` and stay short; tests and servers make
their own and pass it or `use` it.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from swarm.bus import Bus
from swarm.registry import Kind, Registry
from swarm.specs import AgentSpec, CompletionSpec, Spec, SwarmSpec, ToolSpec

__all__ = [
    "AGENTS",
    "COMPLETIONS",
    "SWARMS",
    "TOOLS",
    "Catalog",
    "current_catalog",
    "use_catalog",
]

SpecT = TypeVar("SpecT", bound=Spec)

AGENTS = Kind("agent", AgentSpec, "agent_name")
COMPLETIONS = Kind("completion", CompletionSpec, "completion_name")
SWARMS = Kind("swarm", SwarmSpec, "swarm_name")
TOOLS = Kind("tool", ToolSpec, "tool_name")


class Catalog:
    """Everything that a program declared."""

    def __init__(self, *, origin: "Catalog | None" = None) -> None:
        self._registries: dict[str, Registry[Any]] = {}
        self.origin = origin
        """The catalog that this one was copied from, by `copy`."""
        self.bus: Bus = Bus() if origin is None else origin.bus
        """What happens in the sessions of this catalog and of its copies."""

    def copy(self) -> "Catalog":
        """Return a catalog with the same declarations, to be changed on its own.

        Sessions that open while it is the current one use it, also in a host of its origin.
        """
        other = Catalog(origin=self)
        other._registries = {name: kept.copy() for name, kept in self._registries.items()}
        return other

    def descends_from(self, other: "Catalog") -> bool:
        """Whether this is the other catalog, or a copy of it, or a copy of a copy."""
        found: Catalog | None = self
        while found is not None and found is not other:
            found = found.origin
        return found is not None

    @property
    def version(self) -> int:
        """Grows with each change of a declaration."""
        return sum(registry.version for registry in self._registries.values())

    @property
    def kinds(self) -> list[Kind[Any]]:
        """The kinds that something was declared of, or looked up in."""
        return [registry.kind for registry in self._registries.values()]

    def registry(self, kind: Kind[SpecT]) -> Registry[SpecT]:
        """Return the registry of a kind; upper rooms bring kinds of their own."""
        found = self._registries.get(kind.name)
        if found is None:
            found = self._registries[kind.name] = Registry(kind)
        # A kind's name is used by one Kind only, so the registry holds exactly its specs.
        return cast("Registry[SpecT]", found)

    def names(self, kind_name: str) -> list[str]:
        """Return the declared names of a kind, also of one that an upper room may bring."""
        found = self._registries.get(kind_name)
        return [] if found is None else found.names

    def has(self, kind_name: str, name: str) -> bool:
        """Whether something of a kind is declared by that name; see `names`."""
        return kind_name in self._registries and name in self._registries[kind_name]

    @property
    def agents(self) -> Registry[AgentSpec]:
        """The declared agents."""
        return self.registry(AGENTS)

    @property
    def completions(self) -> Registry[CompletionSpec]:
        """The declared completions."""
        return self.registry(COMPLETIONS)

    @property
    def swarms(self) -> Registry[SwarmSpec]:
        """The declared swarms."""
        return self.registry(SWARMS)

    @property
    def tools(self) -> Registry[ToolSpec]:
        """The declared tools."""
        return self.registry(TOOLS)


_process_catalog = Catalog()
_current: ContextVar[Catalog] = ContextVar("wikiswarm_catalog", default=_process_catalog)


def current_catalog() -> Catalog:
    """Return the catalog that `add_*` write to."""
    return _current.get()


@contextmanager
def use_catalog(catalog: Catalog) -> Generator[Catalog]:
    """Make a catalog the current one inside a `with` block."""
    token = _current.set(catalog)
    try:
        yield catalog
    finally:
        _current.reset(token)
