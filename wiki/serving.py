"""Serving a model to other programs: `serve_model`, and a server that is started again.

Programs of this project need none of it, since `gguf/` and `registry/` start their own engine.
It is for those that speak to an OpenAI-compatible server; here, `llama-server/...` reaches it.
"""

import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import anyio
import anyio.to_thread

from swarm.environment import read_environment
from swarm.errors import DeclarationError, SetupError, SwarmError
from swarm.host import default_home
from swarm.reference import parse_reference
from wiki.discovery import CompletionArguments, providers
from wiki.engine import Engine, start_engine
from wiki.groups import check_groups
from wiki.registry import ModelRegistry

__all__ = ["Program", "ServedModel", "serve_model"]

Program = Literal["auto", "engine", "llama-server"]
"""What serves: `llama-server` of the system, the engine that is a Python package, or with `auto`
the first of them where it is installed and the second where not."""

_MOST_DEATHS = 5
_LONG_ENOUGH = 60.0
"""Seconds; what ran so long before it died may die as often again."""


class ServedModel:
    """A model that is being served; `serve_model` gives one."""

    def __init__(self, engine: Engine, start: Callable[[int], Awaitable[Engine]]) -> None:
        self._engine, self._start = engine, start
        self.restarts = 0
        """How often the server died and was started again."""
        self._failure: SwarmError | None = None
        self._changed = anyio.Event()

    @property
    def model(self) -> str:
        """The name that clients ask for."""
        return self._engine.model

    @property
    def base_url(self) -> str:
        """Where it listens, such as `http://127.0.0.1:8001/v1`; it stays when it is restarted."""
        return self._engine.base_url

    @property
    def pid(self) -> int:
        """The id of the process that serves now."""
        return self._engine.pid

    def completion(self) -> CompletionArguments:
        """Return the arguments of `add_completion` that reach it."""
        return providers.llama_server(self.model, self.base_url)

    async def wait(self, restarts: int | None = None) -> None:
        """Wait until it serves no more, or until it was started again so often.

        Raises:
            SwarmError: It died again and again, or did not start again; says how the last time.
        """
        while self._failure is None and (restarts is None or self.restarts < restarts):
            await self._changed.wait()
        if self._failure is not None:
            raise self._failure

    async def supervise(self) -> None:
        """Start the server again whenever it dies, until it dies too often."""
        port = int(self.base_url.removesuffix("/v1").rpartition(":")[2])
        deaths = 0
        while self._failure is None:
            started = anyio.current_time()
            await self._engine.wait()
            deaths = 1 if anyio.current_time() - started > _LONG_ENOUGH else deaths + 1
            failure = self._engine.death()
            await self._engine.aclose()
            try:
                if deaths > _MOST_DEATHS:
                    raise failure
                self._engine = await self._start(port)
                self.restarts += 1
            except SwarmError as error:
                self._failure = error
            changed, self._changed = self._changed, anyio.Event()
            changed.set()

    async def aclose(self) -> None:
        """Stop the server."""
        await self._engine.aclose()


@asynccontextmanager
async def serve_model(
    source: Path | str,
    *,
    model: str | None = None,
    port: int = 8001,
    program: Program = "auto",
    home: Path | None = None,
    context: int = 4096,
    parallel: int = 4,
    api_key: str = "",
) -> AsyncGenerator[ServedModel]:
    """Serve a model on this machine for the block, and start it again when it dies.

    Args:
        source: A GGUF file, or a reference such as `registry/pharma@live`.
        model: The name that clients ask for; by default the file's, or the model's in the registry.
        port: Where it listens, on the loopback interface; any free port for 0.
        program: What serves.
        home: The folder of the state, for the registry and the log.
        context: Tokens of one conversation.
        parallel: Conversations that are answered at the same time.
        api_key: What clients must send as their key; without one, everybody on this machine may
            ask.

    Raises:
        DeclarationError: The reference names no weights on this machine.
        SetupError: The program is missing, or it did not start.
        GgufError: The file is no model.
        CorruptedVersionError: The version in the registry was changed.
        OutsideGroupsError: The version is limited to groups that this process is not in.
    """
    state = home or default_home()
    path, name = await anyio.to_thread.run_sync(_weights, source, state / "models")
    binary = _binary(program)

    async def start(at: int) -> Engine:
        return await start_engine(
            path,
            log=state / "logs" / f"serve-{port}.log",
            model=model or name,
            context=context,
            parallel=parallel,
            port=at,
            api_key=api_key,
            program=binary,
        )

    served = ServedModel(await start(port), start)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(served.supervise)
            yield served
            group.cancel_scope.cancel()
    finally:
        await served.aclose()


def _weights(source: Path | str, models: Path) -> tuple[Path, str]:
    """Return the file behind a source, verified when it comes from the registry, and a name."""
    if isinstance(source, Path):
        return source, source.stem
    reference = parse_reference(source)
    if reference.provider == "gguf":
        return Path(reference.name), Path(reference.name).stem
    if reference.provider != "registry":
        raise DeclarationError(f"{source} is no model on this machine; give gguf/ or registry/")
    registry = ModelRegistry(models)
    version = registry.get(reference.name)
    weights = registry.path_of_weights(reference.name)
    check_groups(version.manifest.groups, read_environment(), source)
    registry.verify(version.name, version.version)
    return weights, version.name


def _binary(program: Program) -> Path | None:
    found = None if program == "engine" else shutil.which("llama-server")
    if program == "llama-server" and found is None:
        raise SetupError("there is no llama-server on the search path; use program='engine'")
    return Path(found) if found else None
