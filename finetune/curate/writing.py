"""The last pass: the results are written in the order of the sources, each file in one step."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from finetune.curate.compare import Comparison, Removal
from finetune.curate.work import ShardFiles
from finetune.dataset.write import WrittenFile
from swarm.files import replacing

__all__ = ["write_results"]

_KINDS = ("sft", "dpo")
_TOGETHER = 256 * 1024
"""Bytes that are written and hashed at once; a call for each line takes longer than its work."""


def write_results(
    folder: Path, work: Path, shards: int, comparison: Comparison, steps: Sequence[str]
) -> list[WrittenFile]:
    """Write the files of a curation, and return what was written.

    Args:
        folder: Where they go.
        work: What the workers left.
        shards: How many shards there were.
        comparison: What the comparing steps decided.
        steps: The comparing steps in order.

    Raises:
        OSError: A file cannot be written; what stood there stays.
    """
    twins = _places_of_twins(work, shards, comparison)
    names = [f"{kind}{suffix}" for kind in _KINDS for suffix in (".jsonl", ".provenance.jsonl")]
    with ExitStack() as stack:
        files = {
            name: _Counted(folder / name, stack.enter_context(replacing(folder / name)))
            for name in (*names, "removed.jsonl", "changed.jsonl")
        }
        pairs = {k: (files[f"{k}.jsonl"], files[f"{k}.provenance.jsonl"]) for k in _KINDS}
        for number in range(shards):
            shard = ShardFiles(work, number)
            files["removed.jsonl"].copy(shard.removed)
            files["changed.jsonl"].copy(shard.changed)
            index = comparison.offsets[number]
            for kind, origin, row in _kept(shard.rows):
                removal = comparison.removals.get(index)
                index += 1
                if removal is None:
                    rows, origins = pairs[kind]
                    rows.write(row)
                    origins.write(origin + b"\n")
                else:
                    files["removed.jsonl"].write(_reason(origin, removal, twins))
        written = [file.written() for file in files.values()]
    for file in written:
        if not file.rows and file.path.name in names:
            file.path.unlink()  # a training file without rows is an error to most trainers
    return [
        # Named within the folder, so that the report does not tell where that is.
        file.model_copy(update={"path": Path(file.path.name)})
        for file in written
        if file.rows or file.path.name not in names
    ]


class _Counted:
    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._hash = hashlib.sha256()
        self._lines = self._bytes = 0
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    def write(self, line: bytes) -> None:
        self._waiting.append(line)
        self._waiting_bytes += len(line)
        if self._waiting_bytes >= _TOGETHER:
            self._write_waiting()

    def copy(self, path: Path) -> None:
        self._write_waiting()
        with path.open("rb") as file:
            while block := file.read(1024 * 1024):
                self._add(block, block.count(b"\n"))

    def written(self) -> WrittenFile:
        self._write_waiting()
        return WrittenFile(
            path=self._path, rows=self._lines, bytes=self._bytes, sha256=self._hash.hexdigest()
        )

    def _write_waiting(self) -> None:
        self._add(b"".join(self._waiting), len(self._waiting))
        self._waiting.clear()
        self._waiting_bytes = 0

    def _add(self, data: bytes, lines: int) -> None:
        self._file.write(data)
        self._hash.update(data)
        self._lines += lines
        self._bytes += len(data)


def _kept(path: Path) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield kind, provenance and row, this with its newline, of the rows that a worker kept."""
    with path.open("rb") as file:
        for line in file:
            kind, origin, row = line.split(b"\t", 2)
            yield kind.decode(), origin, row


def _places_of_twins(work: Path, shards: int, comparison: Comparison) -> Mapping[int, str]:
    """Return how a person finds the rows that stay in the place of others."""
    wanted = {one.twin for one in comparison.removals.values() if one.twin is not None}
    places: dict[int, str] = {}
    for number in range(shards):
        index = comparison.offsets[number]
        if wanted.isdisjoint(range(index, comparison.offsets[number + 1])):
            continue
        for _, origin, _ in _kept(ShardFiles(work, number).rows):
            if index in wanted:
                places[index] = _place(json.loads(origin))
            index += 1
    return places


def _place(origin: Mapping[str, Any]) -> str:
    if run_id := origin.get("run_id"):
        return f"run {run_id}"
    return f"{origin.get('source', '?')}:{origin.get('line', 0)}"


def _reason(origin: bytes, removal: Removal, twins: Mapping[int, str]) -> bytes:
    where: dict[str, Any] = json.loads(origin)
    entry: dict[str, Any] = {"source": where.get("source", ""), "line": where.get("line", 0)}
    if run_id := where.get("run_id"):
        entry["run_id"] = run_id
    entry["step"], entry["code"] = removal.step, removal.note.code
    if removal.note.detail:
        entry["detail"] = removal.note.detail
    if removal.twin is not None:
        entry["twin"] = twins[removal.twin]
    return json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
