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
from contextlib import contextmanager
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

    def run(self, shards: Sequence[Shard]) -> Iterator[tuple[Shard, Counts]]:
        """Yield each shard with what it gave, as they are done.

        Raises:
            WorkerError: A worker ended.
        """
        ...


class LocalPool:
    """Works in this process."""

    def __init__(self, pipeline: Pipeline, folder: Path) -> None:
        self._worker = Worker(pipeline, folder)

    def run(self, shards: Sequence[Shard]) -> Iterator[tuple[Shard, Counts]]:
        """Work on one after the other."""
        for shard in shards:
            yield shard, self._worker.work(shard)


class ChildPool:
    """Works in a number of child processes."""

    def __init__(self, pipeline: Pipeline, folder: Path, workers: int) -> None:
        # Made here once, so that a missing package is an error before anything is started.
        Worker(pipeline, folder)
        self._command = [sys.executable, "-m", "finetune.curate.child", str(folder)]
        self._pipeline = pipeline.encoded()
        self._workers = workers

    def run(self, shards: Sequence[Shard]) -> Iterator[tuple[Shard, Counts]]:
        """Give each child its next shard when it is done with the last one."""
        waiting: queue.SimpleQueue[Shard] = queue.SimpleQueue()
        for shard in shards:
            waiting.put(shard)
        done: queue.SimpleQueue[tuple[Shard, Counts] | WorkerError] = queue.SimpleQueue()
        with self._children(min(self._workers, len(shards))) as children:
            threads = [
                threading.Thread(target=_feed, args=(child, waiting, done), daemon=True)
                for child in children
            ]
            for thread in threads:
                thread.start()
            for _ in shards:
                result = done.get()
                if isinstance(result, WorkerError):
                    raise result
                yield result

    @contextmanager
    def _children(self, count: int) -> "Generator[list[subprocess.Popen[bytes]]]":
        children: list[subprocess.Popen[bytes]] = []
        try:
            for _ in range(count):
                child = subprocess.Popen(
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment()
                )
                children.append(child)
                _send(child.stdin, self._pipeline)
            yield children
        finally:
            for child in children:
                child.kill()
            for child in children:
                child.communicate()


def _feed(
    child: "subprocess.Popen[bytes]",
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
            _send(child.stdin, json.dumps(shard._asdict()))
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


def serve(folder: Path, reading: IO[bytes], writing: IO[bytes]) -> None:
    """Work on the shards that a pool sends, until it sends no more."""
    worker = Worker(Pipeline.decoded(reading.readline().decode()), folder)
    for line in reading:
        counts = worker.work(Shard(**json.loads(line)))
        writing.write(json.dumps(counts._asdict()).encode() + b"\n")
        writing.flush()


def _send(stream: IO[bytes] | None, text: str) -> None:
    if stream is not None:
        stream.write(text.encode() + b"\n")
        stream.flush()


def _environment() -> dict[str, str]:
    # One thread each: the children share the cores among themselves.
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
