"""The references `gguf/PATH`: a GGUF file, served by a child process of the host.

The child starts with the first question, is shared by everyone who asks the same file, is
started again when it died, and makes room for others when it is idle; see `EnginePool`.
"""

import dataclasses
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import anyio

from swarm import Completion, CompletionRequest, CompletionResult, CompletionSpec
from swarm.completions.openai_compatible import OpenAICompatible
from swarm.errors import DeclarationError, ProviderDownError
from swarm.extension import Services
from swarm.reference import ModelReference
from wiki.engine import Check, Engine, EngineError, EnginePool, memory_limit

__all__ = ["GgufCompletion", "open_gguf"]


async def open_gguf(
    reference: ModelReference, spec: CompletionSpec, services: Services
) -> "GgufCompletion":
    """Return the completion of a file; a relative path starts at the working folder.

    Raises:
        DeclarationError: There is no such file.
    """
    path = Path(reference.name)
    if not await anyio.Path(path).is_file():
        raise DeclarationError(f"{reference}: no such file: {path}")
    return await GgufCompletion.shared(path, reference, spec, services)


class GgufCompletion:
    """A completion by a GGUF file; see `Completion`."""

    def __init__(
        self,
        pool: EnginePool,
        path: Path,
        reference: ModelReference,
        spec: CompletionSpec,
        services: Services,
        check: Check | None = None,
    ) -> None:
        self._pool, self._path, self._check = pool, path, check
        self._reference = reference
        self._services = services
        # Answers of a wiki are facts, so the likeliest ones, and how sure the model is of them.
        self._spec = spec.model_copy(
            update={
                "temperature": 0.0 if spec.temperature is None else spec.temperature,
                "extra_body": {"logprobs": True, **spec.extra_body},
            }
        )
        self._client: tuple[Engine, OpenAICompatible] | None = None

    @classmethod
    async def shared(
        cls,
        path: Path,
        reference: ModelReference,
        spec: CompletionSpec,
        services: Services,
        check: Check | None = None,
    ) -> "GgufCompletion":
        """Return a completion over the host's one engine for a file; see `EnginePool.lease`."""
        resolved = await anyio.Path(path).resolve()

        async def start() -> tuple[EnginePool, Callable[[], Awaitable[None]]]:
            pool = EnginePool(services.home / "logs", memory_limit(services.environment))
            return pool, pool.aclose

        pool = await services.shared("gguf", start)
        return cls(pool, Path(resolved), reference, spec, services, check)

    def load_ahead(self) -> None:
        """Begin to load the file before anybody asks, if there is room; see `EnginePool`."""
        self._pool.load_ahead(self._path, _plain(self._reference.name), self._check)

    @property
    def model(self) -> str:
        """The model's reference."""
        return str(self._reference)

    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Return the whole answer; see `Completion.complete`."""
        async with self._open() as client:
            return self._named(await client.complete(request))

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield text, then the whole answer; see `Completion.stream`."""
        async with self._open() as client, aclosing(client.stream(request)) as items:
            async for item in items:
                yield self._named(item) if isinstance(item, CompletionResult) else item

    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[Completion]:
        name = _plain(self._reference.name)
        lease = self._pool.lease(self._path, name, check=self._check, failure=self._down)
        async with lease as engine:
            if self._client is None or self._client[0] is not engine:
                reference = ModelReference("llama-server", engine.model)
                client = OpenAICompatible(
                    reference, self._spec, engine.base_url, engine.api_key, self._services
                )
                self._client = (engine, client)
            yield self._client[1]

    def _down(self, error: EngineError) -> ProviderDownError:
        # To whoever asks, a child that does not start is a model that is down.
        return ProviderDownError(str(error), provider=self.model)

    def _named(self, result: CompletionResult) -> CompletionResult:
        return dataclasses.replace(result, model=self.model)


def _plain(name: str) -> str:
    """Return a reference's name as one that a file can have."""
    kept = "".join(c if c.isalnum() or c in "@._-" else "-" for c in name)
    return kept.strip("-.")[-80:] or "model"
