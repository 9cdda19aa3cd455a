"""Child processes that report JSON lines: how training and evaluation are kept out of the core.

The parent side starts `python -m MODULE FOLDER`, hands each report to a callback, and kills the
child when it is cancelled. The child side keeps stdout for reports: whatever libraries print goes
to the log file. A child whose parent is gone ends itself.
"""

import importlib.util
import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, TextIO

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import JsonValue

from swarm.errors import MissingExtraError, SwarmError

__all__ = ["ChildError", "Reporter", "check_installed", "child_main", "run_child"]

_ROOT = Path(__file__).resolve().parents[2]
_TAIL_LINES = 12
_MAX_REPORT = 1 << 20

# The same on every machine and offline: a hub call or a second thread pool would change results
# or stall, and hashes of text must not depend on the process.
_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    # glibc gives freed tensors back to the system and asks for them again at each step: a third of
    # the CPU time of a small model went there.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "2147483648",
    "MALLOC_TOP_PAD_": "67108864",
}

_RANKS = ("RANK", "LOCAL_RANK", "WORLD_SIZE")


class ChildError(SwarmError):
    """A child process ended without finishing its work."""

    code = "child_error"
    rpc_code = -32070

    what: ClassVar[str] = "the child process"
    """The work, in the message."""

    def __init__(self, reason: str, log: Path) -> None:
        self.log = log
        self.reason = reason
        self.tail = _tail(log)
        shown = "".join(f"\n  | {line}" for line in self.tail)
        self.hint = f"see {log}"
        super().__init__(f"{self.what} failed: {reason}; last lines of {log}:{shown}")


def check_installed(*packages: str, extra: str = "train") -> None:
    """Make sure, without importing them, that the libraries of a child are there.

    Raises:
        MissingExtraError: One is not installed.
    """
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, extra)


async def run_child(
    module: str,
    folder: Path,
    *,
    log: Path,
    threads: int,
    on_report: Callable[[dict[str, JsonValue]], None],
    error: type[ChildError],
    launcher: Sequence[str] = ("-m",),
) -> dict[str, JsonValue]:
    """Run `python -m MODULE FOLDER` and return its last report, of kind `done`.

    Args:
        module: The module to run; it calls `child_main`.
        folder: Its only argument.
        log: Takes everything that libraries print.
        threads: CPU threads the child may use.
        on_report: Called with every report but the last.
        error: What to raise when the child fails.
        launcher: Python's arguments before the module's name.

    Raises:
        ChildError: (as `error`) The child refused its work or died.
    """
    environment = {
        **os.environ,
        **_ENVIRONMENT,
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        # A checkout that is not installed works too; -P keeps the current folder out of imports.
        "PYTHONPATH": os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")])),
    }
    for name in _RANKS:  # of a launcher that started this process; they are not the child's
        environment.pop(name, None)
    done: dict[str, JsonValue] | None = None
    refused: str | None = None
    with log.open("ab") as stream:
        process = await anyio.open_process(
            [sys.executable, "-P", *launcher, module, str(folder)],
            stderr=stream,
            env=environment,
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            lines = BufferedByteReceiveStream(process.stdout)
            while True:
                try:
                    line = await lines.receive_until(b"\n", _MAX_REPORT)
                except (anyio.EndOfStream, anyio.IncompleteRead):
                    break
                report: dict[str, JsonValue] = json.loads(line)
                kind = report.pop("kind")
                if kind == "done":
                    done = report
                elif kind == "refused":
                    refused = str(report.get("message"))
                else:
                    on_report(report)
            await process.wait()
        finally:
            with anyio.CancelScope(shield=True):
                if process.returncode is None:
                    process.kill()
                    await process.wait()
                await process.aclose()
    if done is None or process.returncode != 0:
        raise error(refused or f"the process ended with code {process.returncode}", log)
    return done


class Reporter:
    """The child's side of stdout."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def send(self, *, kind: str, **values: JsonValue) -> None:
        """Send one report; `done` is the last."""
        self._stream.write(json.dumps({"kind": kind, **values}) + "\n")
        self._stream.flush()


def child_main(work: Callable[[Path, Reporter], None]) -> None:
    """Run the child's work on the folder that the command line names, then end the process."""
    # Reports keep the real stdout; file descriptor 1 becomes the log, also for native code.
    # Of several training processes only the first one reports.
    target = os.devnull if os.environ.get("RANK", "0") != "0" else os.dup(1)
    reporter = Reporter(open(target, "w", encoding="utf-8"))  # noqa: SIM115 - open to the end
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        work(Path(sys.argv[1]).resolve(), reporter)
    except (SwarmError, OSError) as error:
        reporter.send(kind="refused", message=str(error))
        raise


def _end_with_parent() -> None:
    # The parent holds the other end of stdin for as long as it lives.
    while os.read(0, 4096):
        pass
    os._exit(70)


def _tail(log: Path) -> tuple[str, ...]:
    try:
        text = log.read_bytes()[-16384:].decode("utf-8", "replace")
    except OSError:
        return ()
    return tuple(text.splitlines()[-_TAIL_LINES:])
