"""The references `registry/NAME@ALIAS`: a version of the model registry.

The alias is looked up at each question, so a promotion takes effect with the next one, and a
question that is under way finishes on the version it started with.
"""

import dataclasses
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

import anyio
import anyio.to_thread

from swarm import Completion, CompletionRequest, CompletionResult, CompletionSpec
from swarm.errors import DeclarationError, SwarmError
from swarm.extension import Services, model_provider
from swarm.reference import ModelReference, parse_reference
from wiki.groups import check_groups
from wiki.providers.gguf import GgufCompletion
from wiki.registry import ModelRegistry, ModelVersion, parse_version_reference
from wiki.registry.reference import LIVE, PREVIOUS

__all__ = ["RegistryCompletion", "open_registry"]


async def open_registry(
    reference: ModelReference, spec: CompletionSpec, services: Services
) -> "RegistryCompletion":
    """Return the completion of a registered model.

    Raises:
        UnknownNameError: There is no such model, version or alias.
        NotPromotedError: No version is live.
    """
    completion = RegistryCompletion(reference, spec, services)
    await completion.resolve()
    return completion


class RegistryCompletion:
    """A completion by whatever version the reference names now; see `Completion`."""

    def __init__(self, reference: ModelReference, spec: CompletionSpec, services: Services) -> None:
        self._reference = reference
        self._spec = spec
        self._services = services
        self._registry = ModelRegistry(services.home / "models")
        self._opened: dict[int, Completion] = {}
        self._is_prepared = False
        # Invariant: a version is opened once.
        self._opening = anyio.Lock()

    @property
    def model(self) -> str:
        """The model's reference, with the alias as it was written."""
        return str(self._reference)

    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Return the whole answer; see `Completion.complete`."""
        version, completion = await self._current()
        result = _named(await completion.complete(request), version)
        await self._prepare_rollback()
        return result

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield text, then the whole answer; see `Completion.stream`."""
        version, completion = await self._current()
        async with aclosing(completion.stream(request)) as items:
            async for item in items:
                if isinstance(item, CompletionResult):
                    await self._prepare_rollback()
                    yield _named(item, version)
                else:
                    yield item

    async def resolve(self) -> ModelVersion:
        """Return the version that the reference names now.

        Raises:
            UnknownNameError: There is no such model, version or alias.
            NotPromotedError: No version is live.
        """
        return await anyio.to_thread.run_sync(self._registry.get, self._reference.name)

    async def _current(self) -> tuple[ModelVersion, Completion]:
        version = await self.resolve()
        return version, await self._completion(version)

    async def _completion(self, version: ModelVersion) -> Completion:
        async with self._opening:
            completion = self._opened.get(version.version)
            if completion is None:
                completion = self._opened[version.version] = await self._open(version)
        return completion

    async def _open(self, version: ModelVersion) -> Completion:
        check_groups(version.manifest.groups, self._services.environment, f"registry/{version}")
        if version.remote is not None:
            reference = parse_reference(version.remote)
            provider = model_provider(reference.provider)
            return await provider(reference, _at_its_host(self._spec, version), self._services)
        if version.weights is None:
            raise DeclarationError(f"{self._reference}: the version has no weights")
        reference = ModelReference("registry", str(version))
        # Weights that changed since they were registered are never loaded, the first time or later.
        return await GgufCompletion.shared(
            version.weights,
            reference,
            self._spec,
            self._services,
            check=partial(self._registry.verify, version.name, version.version),
        )

    async def _prepare_rollback(self) -> None:
        """Have the previous version loaded once the live one has answered, if there is room."""
        name, _, alias = parse_version_reference(self._reference.name)
        if self._is_prepared or alias != LIVE:
            return
        self._is_prepared = True
        try:
            previous = await anyio.to_thread.run_sync(self._registry.get, f"{name}@{PREVIOUS}")
            if previous.weights is None:
                return
            completion = await self._completion(previous)
        except (SwarmError, OSError):
            # There is none, or this process may not load it. A rollback would say so, and the
            # answer that was just given is worth more.
            return
        if isinstance(completion, GgufCompletion):
            completion.load_ahead()


def _at_its_host(spec: CompletionSpec, version: ModelVersion) -> CompletionSpec:
    """Return the declaration with the address where the version was trained, unless it has one."""
    told = version.manifest.training
    base_url, variable = told.get("base_url"), told.get("api_key_env")
    if spec.base_url is not None or not isinstance(base_url, str):
        return spec
    variables = spec.api_key_env or ((variable,) if isinstance(variable, str) else None)
    return spec.model_copy(update={"base_url": base_url, "api_key_env": variables})


def _named(result: CompletionResult, version: ModelVersion) -> CompletionResult:
    return dataclasses.replace(result, model=f"registry/{version}")
