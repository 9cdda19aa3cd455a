"""A registry: the declarations of one kind, by name, in the order they came."""

from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

from swarm.errors import DuplicateNameError, UnknownNameError
from swarm.specs import Spec

__all__ = ["Kind", "Registry"]

SpecT = TypeVar("SpecT", bound=Spec)


class Kind(NamedTuple, Generic[SpecT]):
    """A kind of declaration: what it is called, its model, and the field with its name."""

    name: str
    """As messages say it: `agent`."""
    spec: type[SpecT]
    key: str
    """The field that holds the name: `agent_name`."""
    plural: str = ""
    """What several are called, where that is not the name with an `s`."""

    @property
    def section(self) -> str:
        """Where messages say that a declaration stands: `agents`."""
        return self.plural or f"{self.name}s"


class Registry(Generic[SpecT]):
    """The declarations of one kind."""

    def __init__(self, kind: Kind[SpecT]) -> None:
        self.kind = kind
        self._specs: dict[str, SpecT] = {}
        self.version = 0
        """Grows with each change, so that what was made of the declarations is made anew."""

    def add(self, spec: SpecT) -> str:
        """Keep a declaration and return its name.

        Raises:
            DuplicateNameError: The name is taken.
        """
        name: str = getattr(spec, self.kind.key)
        if name in self._specs:
            raise DuplicateNameError(self.kind.name, name)
        self._specs[name] = spec
        self.version += 1
        return name

    def replace(self, spec: SpecT) -> SpecT:
        """Put a declaration in the place of that of the same name, and return the old one.

        Raises:
            UnknownNameError: Nothing declares the name.
        """
        name: str = getattr(spec, self.kind.key)
        old = self.get(name)
        self._specs[name] = spec
        self.version += 1
        return old

    def remove(self, name: str) -> SpecT:
        """Take a declaration out and return it; sessions that are open keep what they have.

        Raises:
            UnknownNameError: Nothing declares the name.
        """
        old = self.get(name)
        del self._specs[name]
        self.version += 1
        return old

    def copy(self) -> "Registry[SpecT]":
        """Return a registry with the same declarations, to be changed on its own."""
        other = Registry(self.kind)
        other._specs = dict(self._specs)
        other.version = self.version
        return other

    def get(self, name: str) -> SpecT:
        """Return the declaration of that name.

        Raises:
            UnknownNameError: Nothing declares it; the message offers the nearest name.
        """
        try:
            return self._specs[name]
        except (KeyError, TypeError):  # what cannot be hashed is no name either
            raise UnknownNameError(self.kind.name, name, list(self._specs)) from None

    def __contains__(self, name: object) -> bool:
        return name in self._specs

    def __iter__(self) -> Iterator[SpecT]:
        return iter(list(self._specs.values()))

    def __len__(self) -> int:
        return len(self._specs)

    @property
    def names(self) -> list[str]:
        """All names, in the order of their declaration."""
        return list(self._specs)
