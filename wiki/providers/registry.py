"""The references `registry/NAME@ALIAS`: a version of the model registry.

The alias is looked up at each question, so a promotion takes effect with the next one, and a
question that is under way finishes on the version it started with.
"""

import dataclasses
from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
import anyio.to_thread

from swarm import Completion, CompletionRequest, CompletionResult, CompletionSpec
from swarm.errors import DeclarationError
from swarm.extension import Services, model_provider
from swarm.reference import ModelReference, parse_reference
from wiki.providers.gguf import GgufCompletion
from wiki.registry import ModelRegistry, ModelVersion

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
        # Invariant: a version is verified and opened once.
        self._opening = anyio.Lock()

    @property
    def model(self) -> str:
        """The model's reference, with the alias as it was written."""
        return str(self._reference)

    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Return the whole answer; see `Completion.complete`."""
        version, completion = await self._current()
        return _named(await completion.complete(request), version)

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield text, then the whole answer; see `Completion.stream`."""
        version, completion = await self._current()
        async with aclosing(completion.stream(request)) as items:
            async for item in items:
                yield _named(item, version) if isinstance(item, CompletionResult) else item

    async def resolve(self) -> ModelVersion:
        """Return the version that the reference names now.

        Raises:
            UnknownNameError: There is no such model, version or alias.
            NotPromotedError: No version is live.
        """
        return await anyio.to_thread.run_sync(self._registry.get, self._reference.name)

    async def _current(self) -> tuple[ModelVersion, Completion]:
        version = await self.resolve()
        async with self._opening:
            completion = self._opened.get(version.version)
            if completion is None:
                completion = self._opened[version.version] = await self._open(version)
        return version, completion

    async def _open(self, version: ModelVersion) -> Completion:
        if version.remote is not None:
            reference = parse_reference(version.remote)
            provider = model_provider(reference.provider)
            return await provider(reference, _at_its_host(self._spec, version), self._services)
        # Weights that changed since they were registered are never loaded.
        await anyio.to_thread.run_sync(self._registry.verify, version.name, version.version)
        if version.weights is None:
            raise DeclarationError(f"{self._reference}: the version has no weights")
        reference = ModelReference("registry", str(version))
        return await GgufCompletion.shared(version.weights, reference, self._spec, self._services)


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
