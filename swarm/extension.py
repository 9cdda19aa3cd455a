"""The extension point: what upper rooms and plugins add to the core.

Three things can be added: a provider of models under a reference prefix (`registry/`), a source
of tools behind a field of `ToolSpec` (`wiki:`), and a check that `validate` runs.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from swarm.catalog import Catalog
from swarm.completion import Completion
from swarm.errors import DeclarationError, Problem, suggest
from swarm.reference import ModelReference
from swarm.specs import CompletionSpec, ToolSpec

if TYPE_CHECKING:
    import aiohttp

__all__ = [
    "Check",
    "ModelProvider",
    "Services",
    "ToolSource",
    "add_check",
    "add_model_provider",
    "add_tool_source",
    "checks",
    "model_provider",
    "model_provider_names",
    "tool_source",
]

Resource = TypeVar("Resource")


class Services(Protocol):
    """What a running host lends to a provider."""

    @property
    def home(self) -> Path:
        """The folder that holds the state: journal, models, runs."""
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment variables with those of `.env` beneath; keys are read here only."""
        ...

    def http(self) -> "aiohttp.ClientSession":
        """Return the shared HTTP client of this event loop."""
        ...

    async def shared(
        self,
        key: str,
        start: Callable[[], Awaitable[tuple[Resource, Callable[[], Awaitable[None]]]]],
    ) -> Resource:
        """Return a resource that is started once per host and stopped with it.

        Args:
            key: What identifies the resource, such as the path of a model file.
            start: Starts it; returns the resource and how to stop it.
        """
        ...


class ModelProvider(Protocol):
    """Makes a completion for a reference; called once per completion and host."""

    async def __call__(
        self, reference: ModelReference, spec: CompletionSpec, services: Services
    ) -> Completion:
        """Return the completion.

        Raises:
            SetupError: A key or an extra is missing.
            DeclarationError: The reference names nothing that exists.
        """
        ...


ToolSource = Callable[[ToolSpec, Catalog], ToolSpec]
"""Turns a spec that names something of an upper room into one with `call`."""

Check = Callable[[Catalog], Iterable[Problem]]
"""Finds problems in a catalog."""

_providers: dict[str, ModelProvider] = {}
_sources: dict[str, ToolSource] = {}
_checks: list[Check] = []


def add_model_provider(prefix: str, provider: ModelProvider) -> None:
    """Serve references that start with `prefix/`; a later provider replaces an earlier one."""
    _providers[prefix] = provider


def model_provider(prefix: str) -> ModelProvider:
    """Return the provider of a prefix.

    Raises:
        DeclarationError: There is none; the message lists those that exist.
    """
    try:
        return _providers[prefix]
    except KeyError:
        hint = suggest(prefix, list(_providers)) or f"known: {', '.join(sorted(_providers))}"
        raise DeclarationError(f"no model provider {prefix!r}; {hint}") from None


def model_provider_names() -> list[str]:
    """Return the known prefixes, sorted."""
    return sorted(_providers)


def add_tool_source(field: str, source: ToolSource) -> None:
    """Resolve tools whose spec has `field` set."""
    _sources[field] = source


def tool_source(field: str) -> ToolSource:
    """Return the source behind a field of `ToolSpec`.

    Raises:
        DeclarationError: The room that brings it was not imported.
    """
    try:
        return _sources[field]
    except KeyError:
        raise DeclarationError(
            f"tools with `{field}:` need the package that brings them: import {field}"
        ) from None


def add_check(check: Check) -> None:
    """Let `validate` run a further check."""
    if check not in _checks:
        _checks.append(check)


def checks() -> list[Check]:
    """Return the further checks."""
    return list(_checks)
