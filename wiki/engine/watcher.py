"""The process between us and a `llama-server` of the system: starts it, waits, ends it with us.

It is a program, started by `wiki.engine.process` like `wiki.engine.child` and with the same
lines on its standard input and output. `llama-server` itself would outlive the process that
started it.
"""

import contextlib
import http.client
import json
import os
import select
import socket
import subprocess
import sys
from typing import Any

__all__ = ["arguments", "main"]

_POLL_SECONDS = 0.1
_STOP_SECONDS = 2


def main() -> None:
    """Run the server until it or the standard input ends."""
    report = os.dup(1)
    os.dup2(2, 1)
    with os.fdopen(os.dup(0), "rb", buffering=0) as stream:
        settings: dict[str, Any] = json.loads(stream.readline())
    port: int = settings["port"] or _free_port()
    environment = dict(os.environ)
    if settings["api_key"]:
        # Arguments are shown to every user of the machine.
        environment["LLAMA_API_KEY"] = settings["api_key"]
    server = subprocess.Popen(arguments(settings, port), stdin=subprocess.DEVNULL, env=environment)
    is_ready = False
    try:
        while server.poll() is None:
            if select.select([0], [], [], _POLL_SECONDS)[0] and not os.read(0, 4096):
                return
            if not is_ready and _is_healthy(port):
                is_ready = True
                with contextlib.suppress(BrokenPipeError):
                    os.write(report, json.dumps({"port": port}).encode() + b"\n")
    finally:
        server.terminate()
        try:
            server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    sys.exit(server.returncode if server.returncode > 0 else 1)


def arguments(settings: dict[str, Any], port: int) -> list[str]:
    """Return the command line of the server."""
    return [
        settings["program"],
        *("-m", settings["path"]),
        *("--host", "127.0.0.1"),
        *("--port", str(port)),
        *("--alias", settings["model"]),
        *("--ctx-size", str(settings["context"] * settings["parallel"])),
        *("--parallel", str(settings["parallel"])),
        *("--threads", str(settings["threads"])),
        *("--temp", "0"),
        *("--seed", str(settings["seed"])),
        "--offline",
    ]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    main()
