"""A GGUF file served by a child process, so that a crash of native code takes nothing with it.

What runs in the child is `wiki.engine.child`. How to talk to it is the OpenAI-compatible client's
business; an `Engine` says where it listens and whether it is alive.
"""

import importlib.metadata
import json
import os
import re
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from typing import Annotated

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import BaseModel, Field, ValidationError

from swarm.errors import MissingExtraError
from wiki.engine import child, watcher
from wiki.engine.errors import EngineError, EngineTimeoutError, GgufError, UnsupportedModelError
from wiki.engine.gguf_header import check_header

__all__ = ["Engine", "start_engine"]

_PACKAGE, _EXTRA = "xllamacpp", "gguf"
_MINIMUM_BUILD = 10_253
"""The first llama.cpp build without the known holes in its readers of model files."""
_STOP_SECONDS = 3
_TAIL_LINES, _TAIL_BYTES = 8, 8192
# The child needs neither keys nor the addresses of databases.
_ENVIRONMENT_NAMES = {"HOME", "LANG", "PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "VIRTUAL_ENV"}
_ENVIRONMENT_STARTS = (
    "CUDA_",
    "DYLD_",
    "GGML_",
    "HIP_",
    "LC_",
    "LD_",
    "NVIDIA_",
    "OMP_",
    "PYTHON",
    "ROCR_",
    "VK_",
)


@dataclass(slots=True, eq=False)
class Engine:
    """A running child that serves one model; close it with `aclose`, or use it as a context."""

    base_url: str
    """Such as `http://127.0.0.1:41234/v1`."""
    api_key: str = field(repr=False)
    """Made for this child; it is in no log, argument or environment."""
    model: str
    """The name to ask for."""
    context: int
    """Tokens that one conversation may have."""
    log: Path
    _process: Process = field(repr=False)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while the child lives; negative when a signal ended it."""
        return self._process.returncode

    @property
    def alive(self) -> bool:
        """Whether the child still runs."""
        return self.returncode is None

    async def wait(self) -> int:
        """Wait until the child has ended and return its code."""
        return await self._process.wait()

    def death(self) -> EngineError:
        """Return the error that says how the child died, with the end of its log."""
        return EngineError(
            f"{self.model}: the engine {_ending(self.returncode)}", **_tail(self.log)
        )

    async def aclose(self) -> None:
        """End the child; it ends answers that are half way as well. Closing twice is harmless."""
        await _stop(self._process)

    async def __aenter__(self) -> "Engine":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


async def start_engine(
    path: Path,
    *,
    log: Path,
    model: str | None = None,
    context: int = 4096,
    parallel: int = 4,
    threads: int | None = None,
    seed: int = 0,
    load_timeout: float = 120.0,
    port: int = 0,
    api_key: str | None = None,
    program: Path | None = None,
) -> Engine:
    """Load a GGUF file in a child process and return it once it listens.

    Sampling is greedy where a request does not say otherwise.

    Args:
        path: The GGUF file.
        log: Where the child's output goes; the file is overwritten.
        model: The name that clients use; by default the file's name without its ending.
        context: Tokens of one conversation; never more than the model was made for.
        parallel: Conversations that are answered at the same time; further ones wait.
        threads: Threads that compute; by default half of the processor's.
        seed: For requests that do sample.
        load_timeout: Seconds until the model must be loaded.
        port: Where it listens; any free port for 0.
        api_key: What clients must send; a new one when absent, and with "" everybody on this
            machine may ask.
        program: A `llama-server` to run in place of the engine that is a Python package.

    Raises:
        GgufError: The file is not a sound GGUF file.
        UnsupportedModelError: The engine does not know the model's architecture.
        MissingExtraError: The engine is not installed.
        EngineTimeoutError: The model was not loaded in time.
        EngineError: The engine crashed or refused the file; the message has the end of its log.
    """
    header = await anyio.to_thread.run_sync(check_header, path)
    if program is None:
        _check_installed()
    settings = child.Settings(
        path=str(path),
        model=model or path.stem,
        api_key=secrets.token_urlsafe(32) if api_key is None else api_key,
        port=port,
        program=str(program or ""),
        context=min(context, header.context_length or context),
        parallel=parallel,
        threads=threads or max(1, (os.cpu_count() or 2) // 2),
        seed=seed,
    )
    process = await _spawn(log, child.__file__ if program is None else watcher.__file__)
    try:
        with anyio.fail_after(load_timeout):
            report = await _converse(process, settings)
            if report.port is None:
                # Its return code says more than a pipe that closed.
                await process.wait()
    except TimeoutError:
        await _stop(process)
        raise EngineTimeoutError(
            f"{path}: the model was not loaded within {load_timeout:g} s", **_tail(log)
        ) from None
    except BaseException:
        await _stop(process)
        raise
    if report.port is None:
        await _stop(process)
        raise _start_error(path, report, process.returncode, log)
    return Engine(
        base_url=f"http://127.0.0.1:{report.port}/v1",
        api_key=settings["api_key"],
        model=settings["model"],
        context=settings["context"],
        log=log,
        _process=process,
    )


async def _spawn(log: Path, file: str) -> Process:
    # By its path and without a search path of its own: a file in the working folder that is
    # named like one of the child's modules would be imported otherwise.
    command = [sys.executable, "-P", file]
    environment = {
        name: value
        for name, value in os.environ.items()
        if name.upper() in _ENVIRONMENT_NAMES or name.upper().startswith(_ENVIRONMENT_STARTS)
    }
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            # A session of its own: Ctrl-C in the terminal is for the core, which then ends it.
            return await anyio.open_process(
                command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=output,
                env=environment,
                start_new_session=True,
            )
    except OSError as error:
        raise EngineError(f"cannot start the engine: {error}") from error


class _Report(BaseModel):
    """The child's one line; empty when it died without one, or wrote something else."""

    port: Annotated[int, Field(gt=0, lt=65_536)] | None = None
    error: str | None = None
    package: str = _PACKAGE


async def _converse(process: Process, settings: child.Settings) -> _Report:
    """Send the settings and return what the child answers."""
    assert process.stdin is not None and process.stdout is not None
    try:
        await process.stdin.send(json.dumps(settings).encode() + b"\n")
        line = await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", 65_536)
        return _Report.model_validate_json(line)
    except (
        anyio.BrokenResourceError,
        anyio.DelimiterNotFound,
        anyio.EndOfStream,
        anyio.IncompleteRead,
        ValidationError,
    ):
        return _Report()


def _check_installed() -> None:
    """Raise unless the engine is there and new enough, without loading native code here."""
    try:
        version = importlib.metadata.version(_PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        raise MissingExtraError(_PACKAGE, _EXTRA) from None
    # Its version is the year, the month and the build of llama.cpp inside.
    build = re.match(r"\d+\.\d+\.(\d+)", version)
    if build is None or int(build[1]) < _MINIMUM_BUILD:
        raise EngineError(
            f"{_PACKAGE} {version} is too old to load files safely; "
            f"run: pip install --upgrade 'wikiswarm[{_EXTRA}]'"
        )


def _start_error(
    path: Path, report: _Report, returncode: int | None, log: Path
) -> EngineError | GgufError | MissingExtraError:
    if report.error == "missing":
        return MissingExtraError(report.package, _EXTRA)
    tail = _tail(log)
    if "unknown model architecture" in tail["log_tail"]:
        architecture = tail["log_tail"].partition("unknown model architecture")[2].split("'")[1]
        return UnsupportedModelError(f"the engine does not know {architecture!r} models", path)
    return EngineError(f"{path}: the engine {_ending(returncode)} while loading it", **tail)


def _ending(returncode: int | None) -> str:
    if returncode is None:
        return "still runs"
    if returncode < 0:
        return f"was ended by signal {-returncode}"
    return f"ended with code {returncode}"


def _tail(log: Path) -> dict[str, str]:
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = stream.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return {"log_tail": ""}
    return {"log_tail": "\n".join(lines[-_TAIL_LINES:])}


async def _stop(process: Process) -> None:
    with anyio.CancelScope(shield=True):
        if process.stdin is not None:
            await process.stdin.aclose()
        with anyio.move_on_after(_STOP_SECONDS):
            await process.wait()
        if process.returncode is None:
            process.kill()
        # Waits for its end and closes the pipes.
        await process.aclose()
