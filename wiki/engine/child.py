"""The process that holds a model: loads one GGUF file and serves it on the loopback interface.

It is a program, started by `wiki.engine.process`, and nothing imports it for its functions. It
reads one JSON line with its settings, and the key, from its standard input; writes one JSON line
when it is ready or has failed; and ends when its standard input closes, which is what happens
when the process that started it is gone, however it went. It imports nothing of this project, so
that it starts fast and can run without the project on the path.
"""

import contextlib
import importlib
import json
import os
import select
import sys
from typing import TypedDict

__all__ = ["Settings", "main"]

_FILE_LIMIT = 64 * 2**20
_WARNINGS = 2
_PROMPT_CACHE_MIB = 256


class Settings(TypedDict):
    """What the line on the standard input holds."""

    path: str
    model: str
    """The name that clients see."""
    api_key: str
    """Empty where everybody on the machine may ask."""
    port: int
    """0 takes any that is free."""
    program: str
    """A server of the system that `wiki.engine.watcher` runs; empty for the one in here."""
    context: int
    """Tokens of one conversation."""
    parallel: int
    threads: int
    seed: int


def main() -> None:
    """Serve until the standard input closes."""
    report = _claim_stdout()
    _limit_resources()
    settings: Settings = json.loads(_read_line(0))
    _end_with(0)
    try:
        server, port = _serve(settings)
    except ModuleNotFoundError as missing:
        _report(report, {"error": "missing", "package": missing.name})
        sys.exit(1)
    except Exception as error:
        _report(report, {"error": f"{type(error).__name__}: {error}"})
        sys.exit(1)
    _report(report, {"port": port})
    while os.read(0, 4096):
        pass
    # Not a return, which would wait for the answers that are half way.
    os._exit(0 if server else 1)


def _serve(settings: Settings) -> tuple[object, int]:
    """Load the model and return the listening server with its port."""
    # Not an import statement: the module has no types, and its names are made when it loads.
    xllamacpp = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.model_alias = {settings["model"]}
    params.api_keys = [settings["api_key"]] if settings["api_key"] else []
    params.hostnames = ["127.0.0.1"]
    params.port = settings["port"]
    params.n_parallel = settings["parallel"]
    params.n_ctx = settings["context"] * settings["parallel"]
    params.cpuparams.n_threads = settings["threads"]
    params.cpuparams_batch.n_threads = settings["threads"]
    # A request may say otherwise; a wiki that is asked the same twice should answer the same.
    params.sampling.temp = 0.0
    params.sampling.seed = settings["seed"]
    # The engine's own default would let the cache of prompts grow to 8 GiB.
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    params.verbosity = _WARNINGS
    # Neither a page, nor what other clients ask, nor a door for the pages of a browser.
    params.ui = False
    params.endpoint_slots = False
    params.cors_origins = ""
    params.offline = True
    server = xllamacpp.Server(params)
    return server, int(server.listening_address.rsplit(":", 1)[1])


def _claim_stdout() -> int:
    """Return a descriptor for our reports; whatever native code prints goes to the log."""
    sys.stdout.flush()
    report = os.dup(1)
    os.dup2(2, 1)
    return report


def _report(descriptor: int, line: dict[str, object]) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(descriptor, json.dumps(line).encode() + b"\n")


def _read_line(descriptor: int) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        piece = os.read(descriptor, 1)
        if not piece:
            sys.exit(0)
        line += piece
    return bytes(line)


def _end_with(descriptor: int) -> None:
    """Let the system end this process when the other end of the descriptor closes.

    Native code holds the interpreter while it loads a model, which may take minutes, so no
    thread could watch. Windows has no such signal; there it ends once the model is loaded.
    """
    if sys.platform == "win32":
        return
    import fcntl

    fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_ASYNC)
    # It may have closed a moment before the signal was asked for.
    if select.select([descriptor], [], [], 0)[0]:
        os._exit(0)


def _limit_resources() -> None:
    """No core dump with what users said in it, and no file, the log included, without end."""
    if sys.platform == "win32":
        return
    import resource
    import signal

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_LIMIT, _FILE_LIMIT))
    # Beyond the limit a write fails; the signal would end the process.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


if __name__ == "__main__":
    main()
