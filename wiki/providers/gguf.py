"""The references `gguf/PATH`: a GGUF file, served by a child process of the host.

The child starts with the first question, is shared by everyone who asks the same file, and is
started again when it died.
"""

import dataclasses
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import anyio

from swarm import Completion, CompletionRequest, CompletionResult, CompletionSpec
from swarm.completions.openai_compatible import OpenAICompatible
from swarm.errors import DeclarationError, ProviderDownError
from swarm.extension import Services
from swarm.reference import ModelReference
from wiki.engine import Engine, EngineError, start_engine

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


class _Slot:
    """The engine of one file: none, running, or to be started again."""

    def __init__(self, path: Path, name: str, services: Services) -> None:
        self._path = path
        self._name = name
        self._services = services
        self._engine: Engine | None = None
        # Invariant: at most one child per file and host.
        self._starting = anyio.Lock()

    async def engine(self) -> Engine:
        """Return a running engine.

        Raises:
            GgufError: The file is no model that can be loaded.
            SetupError: The engine is not installed, or did not start.
        """
        async with self._starting:
            if self._engine is not None and not self._engine.alive:
                await self._engine.aclose()
                self._engine = None
            if self._engine is None:
                log = self._services.home / "logs" / f"engine-{self._name}.log"
                self._engine = await start_engine(self._path, model=self._name, log=log)
            return self._engine

    async def aclose(self) -> None:
        """Stop the child."""
        if self._engine is not None:
            await self._engine.aclose()


class GgufCompletion:
    """A completion by a GGUF file; see `Completion`."""

    def __init__(
        self, slot: _Slot, reference: ModelReference, spec: CompletionSpec, services: Services
    ) -> None:
        self._slot = slot
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
        cls, path: Path, reference: ModelReference, spec: CompletionSpec, services: Services
    ) -> "GgufCompletion":
        """Return a completion over the host's one engine for a file."""
        resolved = await anyio.Path(path).resolve()

        async def start() -> tuple[_Slot, Callable[[], Awaitable[None]]]:
            slot = _Slot(Path(resolved), _plain(reference.name), services)
            return slot, slot.aclose

        slot = await services.shared(f"gguf:{resolved}", start)
        return cls(slot, reference, spec, services)

    @property
    def model(self) -> str:
        """The model's reference."""
        return str(self._reference)

    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Return the whole answer; see `Completion.complete`."""
        return self._named(await (await self._open()).complete(request))

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield text, then the whole answer; see `Completion.stream`."""
        async with aclosing((await self._open()).stream(request)) as items:
            async for item in items:
                yield self._named(item) if isinstance(item, CompletionResult) else item

    async def _open(self) -> Completion:
        try:
            engine = await self._slot.engine()
        except EngineError as error:
            # To whoever asks, a child that does not start is a model that is down.
            raise ProviderDownError(str(error), provider=self.model) from error
        if self._client is None or self._client[0] is not engine:
            reference = ModelReference("llama-server", engine.model)
            client = OpenAICompatible(
                reference, self._spec, engine.base_url, engine.api_key, self._services
            )
            self._client = (engine, client)
        return self._client[1]

    def _named(self, result: CompletionResult) -> CompletionResult:
        return dataclasses.replace(result, model=self.model)


def _plain(name: str) -> str:
    """Return a reference's name as one that a file can have."""
    kept = "".join(c if c.isalnum() or c in "@._-" else "-" for c in name)
    return kept.strip("-.")[-80:] or "model"
