"""The last pass: the results are written in the order of the sources, each file in one step."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from finetune.curate.compare import Comparison, Removal
from finetune.curate.work import ShardFiles
from finetune.dataset.write import WrittenFile
from swarm.files import replacing

__all__ = ["write_results"]

_KINDS = ("sft", "dpo")


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
        for number in range(shards):
            shard = ShardFiles(work, number)
            files["removed.jsonl"].copy(shard.removed)
            files["changed.jsonl"].copy(shard.changed)
            # A shard's lines go out together, as a call for each takes longer than its work.
            left = {kind.encode(): _Left([], []) for kind in _KINDS}
            removed: list[bytes] = []
            for index, line in enumerate(_kept(shard.rows), comparison.offsets[number]):
                kind, origin, row = line
                if index in comparison.removals:
                    removed.append(_reason(origin, comparison.removals[index], twins))
                else:
                    rows, origins = left[kind]
                    rows.append(row)
                    origins.append(origin)
            files["removed.jsonl"].write(removed)
            for kind, (rows, origins) in left.items():
                files[f"{kind.decode()}.jsonl"].write(rows)
                files[f"{kind.decode()}.provenance.jsonl"].write([b"%b\n" % one for one in origins])
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


class _Left(NamedTuple):
    rows: list[bytes]
    origins: list[bytes]


class _Counted:
    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._hash = hashlib.sha256()
        self._lines = self._bytes = 0

    def write(self, lines: Sequence[bytes]) -> None:
        self._add(b"".join(lines), len(lines))

    def copy(self, path: Path) -> None:
        with path.open("rb") as file:
            while block := file.read(1024 * 1024):
                self._add(block, block.count(b"\n"))

    def written(self) -> WrittenFile:
        return WrittenFile(
            path=self._path, rows=self._lines, bytes=self._bytes, sha256=self._hash.hexdigest()
        )

    def _add(self, data: bytes, lines: int) -> None:
        self._file.write(data)
        self._hash.update(data)
        self._lines += lines
        self._bytes += len(data)


def _kept(path: Path) -> Iterator[list[bytes]]:
    """Yield kind, provenance and row, this with its newline, of the rows that a worker kept."""
    with path.open("rb") as file:
        for line in file:
            yield line.split(b"\t", 2)


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
