"""Who works on shards: this process, child processes of it, or Ray.

Children are started as programs of their own and told one shard at a time, so nothing of the
caller's is imported or copied into them.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol

from finetune.curate.pipeline import Pipeline
from finetune.curate.shards import Shard
from finetune.curate.work import Counts, Worker
from swarm.errors import DataError

__all__ = ["ChildPool", "LocalPool", "Pool", "WorkerError", "serve"]


class WorkerError(DataError):
    """A worker ended in the middle of its work; what is done is kept, and the same call goes on."""

    code = "worker_failed"
    rpc_code = -32039


class Pool(Protocol):
    """Works on shards, in any order."""

    def run(self, folder: Path, shards: Sequence[Shard]) -> Iterator[tuple[Shard, Counts]]:
        """Yield each shard with what it gave, as they are done.

        Args:
            folder: Where the files of the shards go.
            shards: The shards.

        Raises:
            WorkerError: A worker ended.
        """
        ...


class LocalPool:
    """Works in this process."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._worker = Worker(pipeline)

    def run(self, folder: Path, shards: Sequence[Shard]) -> Iterator[tuple[Shard, Counts]]:
        """Work on one after the other."""
        for shard in shards:
            yield shard, self._worker.work(folder, shard)


class ChildPool:
    """Works in a number of child processes."""

    def __init__(self, children: "Sequence[subprocess.Popen[bytes]]") -> None:
        self._children = children

    @classmethod
    @contextmanager
    def started(cls, pipeline: Pipeline, workers: int) -> "Generator[ChildPool]":
        """Give a pool whose children get ready while the caller does something else.

        Raises:
            SetupError: A step needs a package that is missing.
            WorkerError: A child cannot be started.
        """
        # Made here once, so that a missing package is an error before anything is started.
        Worker(pipeline)
        children: list[subprocess.Popen[bytes]] = []
        try:
            for _ in range(workers):
                children.append(_start(pipeline))  # noqa: PERF401 - to be ended if one fails
            yield cls(children)
        finally:
            for child in children:
                child.kill()
            for child in children:
                child.communicate()

    def run(self, folder: Path, shards: Sequence[Shard]) -> Iterator[tuple[Shard, Counts]]:
        """Give each child its next shard when it is done with the last one."""
        waiting: queue.SimpleQueue[Shard] = queue.SimpleQueue()
        for shard in shards:
            waiting.put(shard)
        done: queue.SimpleQueue[tuple[Shard, Counts] | WorkerError] = queue.SimpleQueue()
        for child in self._children:
            threading.Thread(target=_feed, args=(child, folder, waiting, done), daemon=True).start()
        for _ in shards:
            result = done.get()
            if isinstance(result, WorkerError):
                raise result
            yield result


def _start(pipeline: Pipeline) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "finetune.curate.child"]
    try:
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment()
        )
    except OSError as error:
        raise WorkerError(f"a worker cannot be started: {error.strerror or error}") from error
    with suppress(OSError):  # where it is gone already, its first shard tells
        _send(child.stdin, pipeline.encoded())
    return child


def _feed(
    child: "subprocess.Popen[bytes]",
    folder: Path,
    waiting: "queue.SimpleQueue[Shard]",
    done: "queue.SimpleQueue[tuple[Shard, Counts] | WorkerError]",
) -> None:
    while True:
        try:
            shard = waiting.get_nowait()
        except queue.Empty:
            return
        answer = b""
        try:
            _send(child.stdin, json.dumps([str(folder), shard._asdict()]))
            if child.stdout is not None:
                answer = child.stdout.readline()
        except OSError:
            pass  # it is gone; its exit status says more
        if not answer.endswith(b"\n"):
            status = child.wait()
            how = f"signal {-status}" if status < 0 else f"status {status}"
            text = f"a worker ended with {how} at line {shard.first_line} of {shard.path} or later"
            done.put(WorkerError(f"{text}; the same command goes on where it was"))
            return
        counts: dict[str, Any] = json.loads(answer)
        done.put((shard, Counts(**counts)))


def serve(reading: IO[bytes], writing: IO[bytes]) -> None:
    """Work on the shards that a pool sends, until it sends no more."""
    worker = Worker(Pipeline.decoded(reading.readline().decode()))
    for line in reading:
        folder, shard = json.loads(line)
        counts = worker.work(Path(folder), Shard(**shard))
        writing.write(json.dumps(counts._asdict()).encode() + b"\n")
        writing.flush()


def _send(stream: IO[bytes] | None, text: str) -> None:
    if stream is not None:
        stream.write(text.encode() + b"\n")
        stream.flush()


def _environment() -> dict[str, str]:
    # One thread each: the children share the cores among themselves.
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
