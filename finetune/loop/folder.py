"""The folder of a round: a manifest for each finished stage, written when its files are on disk.

    <home>/loops/<wiki>/20261125T021500Z/run.json       which round this is
                                         collect.json   manifest of a stage, and so on
                                         result.json    at the very end

A stage without a manifest is not finished, whatever else is there.
"""

import hashlib
import json
import os
import re
import socket
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from finetune.loop.errors import LoopRunningError
from finetune.loop.result import LoopResult, Outcome
from finetune.train.files import sha256_file
from swarm.errors import DataError, StoreError
from swarm.files import sync_folder, write_atomically
from swarm.locks import folder_lock

__all__ = [
    "RunFile",
    "RunFolder",
    "StageManifest",
    "digest",
    "one_round_at_a_time",
    "past_rounds",
    "store_errors",
    "unfinished_round",
]

_NAME = re.compile(r"\d{8}T\d{6}Z(-\d+)?")
_HOLDER = "running.json"

Model = TypeVar("Model", bound=BaseModel)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class StageManifest(_Record):
    """A finished stage: what went in, what came out, and what made it."""

    format: Literal[1] = 1
    stage: str
    inputs: dict[str, JsonValue]
    """Settings, hashes and seeds; equal ones give equal outputs."""
    outputs: dict[str, JsonValue]
    """Figures and names for the stages that follow."""
    files: dict[str, str]
    """SHA-256 of the files that it left, by their path in the run folder."""
    outcome: Outcome | None = None
    """Set where the round ends here."""
    reasons: tuple[str, ...] = ()
    code: str
    """The version of wikiswarm."""
    libraries: dict[str, str]
    """Versions of the libraries that may take part."""
    started_at: datetime
    seconds: float

    @property
    def digest(self) -> str:
        """Name what came out; the inputs of the next stage hold it."""
        return digest({"outputs": self.outputs, "files": dict(self.files)})


class RunFile(_Record):
    """Which round a folder is of."""

    format: Literal[1] = 1
    wiki: str
    name: str
    started_at: datetime
    """Rows that were captured later belong to the next round."""
    is_forced: bool = False
    """Whether it trains although there is nothing new, or the machine looks too small."""


class RunFolder:
    """One round on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def begin(cls, home: Path, wiki: str, at: datetime) -> "RunFolder":
        """Make the folder of a new round, named by its time, after all that there are.

        Raises:
            StoreError: It cannot be made.
        """
        parent = home / "loops" / wiki
        stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        with store_errors(parent):
            parent.mkdir(parents=True, exist_ok=True)
            # Where the clock was set back, the newest round would else be taken for an older one.
            stamp = max([stamp, *(_order(run.path)[0] for run in past_rounds(home, wiki))])
            number = 1
            while True:
                name = stamp if number == 1 else f"{stamp}-{number}"
                try:
                    (parent / name).mkdir(mode=0o700)  # it will hold private conversations
                    break
                except FileExistsError:
                    number += 1
            found = cls(parent / name)
            run = RunFile(wiki=wiki, name=name, started_at=at)
            write_atomically(found.path / "run.json", run.model_dump_json(indent=1) + "\n")
            sync_folder(parent)
        return found

    def force(self) -> None:
        """Note that the round goes on whatever estimates say, also when it is called again.

        Raises:
            StoreError: It cannot be written.
        """
        known = self.read()
        if known is not None and not known.is_forced:
            forced = known.model_copy(update={"is_forced": True})
            with store_errors(self.path):
                write_atomically(self.path / "run.json", forced.model_dump_json(indent=1) + "\n")

    def read(self) -> RunFile | None:
        """Return what round this is, or None where the folder was never finished making."""
        return _read(RunFile, self.path / "run.json")

    def result(self) -> LoopResult | None:
        """Return how the round ended, or None while it has not."""
        return _read(LoopResult, self.path / "result.json")

    def finish(self, result: LoopResult) -> None:
        """Write the end of the round.

        Raises:
            StoreError: It cannot be written.
        """
        with store_errors(self.path):
            text = result.model_dump_json(indent=1) + "\n"
            write_atomically(self.path / "result.json", text)

    def manifest(self, stage: str) -> StageManifest | None:
        """Return the manifest of a stage, or None where it is not finished.

        Raises:
            DataError: It is damaged, or of another version.
        """
        return _read(StageManifest, self.path / f"{stage}.json")

    def is_whole(self, manifest: StageManifest) -> bool:
        """Return whether the files of a stage are still what it left."""
        return all(
            (self.path / name).is_file() and sha256_file(self.path / name) == known
            for name, known in manifest.files.items()
        )

    def mark(self, manifest: StageManifest) -> None:
        """Write the manifest of a stage, after its files have reached the disk.

        Raises:
            StoreError: It cannot be written.
        """
        with store_errors(self.path):
            folders = {self.path / name for name in manifest.files}
            for path in folders:
                with path.open("rb") as stream:
                    os.fsync(stream.fileno())
            for folder in {path.parent for path in folders}:
                sync_folder(folder)
            path = self.path / f"{manifest.stage}.json"
            write_atomically(path, manifest.model_dump_json(indent=1) + "\n")

    def hashes(self, files: Sequence[Path]) -> dict[str, str]:
        """Return the SHA-256 of files by their path in the folder."""
        return {file.relative_to(self.path).as_posix(): sha256_file(file) for file in files}


def past_rounds(home: Path, wiki: str) -> list[RunFolder]:
    """Return the rounds of a wiki, the newest first, the unfinished ones too."""
    parent = home / "loops" / wiki
    if not parent.is_dir():
        return []
    with store_errors(parent):
        named = [path for path in parent.iterdir() if _NAME.fullmatch(path.name)]
        # A link is no round of ours, and nothing is written to where it leads.
        found = [path for path in named if path.is_dir() and not path.is_symlink()]
    return [RunFolder(path) for path in sorted(found, key=_order, reverse=True)]


def unfinished_round(home: Path, wiki: str) -> RunFolder | None:
    """Return the newest round of a wiki where it has not ended.

    Raises:
        DataError: Its files are damaged, or of another version.
    """
    newest = next((run for run in past_rounds(home, wiki) if run.read() is not None), None)
    return newest if newest is not None and newest.result() is None else None


@contextmanager
def one_round_at_a_time(home: Path, wiki: str) -> Generator[None]:
    """Keep other processes from running a round of this wiki.

    The system frees the lock when its holder dies, so the next call takes it over.

    Raises:
        LoopRunningError: A round is running.
        StoreError: The folder cannot be written.
    """
    parent = home / "loops" / wiki
    with store_errors(parent):
        parent.mkdir(parents=True, exist_ok=True)
        try:
            lock = folder_lock(parent, wait=False)
            lock.__enter__()
        except BlockingIOError:
            raise LoopRunningError(wiki, _holder(parent / _HOLDER)) from None
    try:
        with store_errors(parent):
            holder = {"pid": os.getpid(), "host": socket.gethostname()}
            holder["since"] = datetime.now(UTC).isoformat(timespec="seconds")
            write_atomically(parent / _HOLDER, json.dumps(holder) + "\n")
        yield
    finally:
        with suppress(OSError):  # whatever it says, nobody holds the lock after the next line
            (parent / _HOLDER).unlink()
        lock.__exit__(None, None, None)


def digest(value: Mapping[str, JsonValue]) -> str:
    """Return the SHA-256 of a value as canonical JSON."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def store_errors(place: Path) -> Generator[None]:
    """Turn what the system says about a file into a `StoreError`."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{error.filename or place}: {error.strerror or error}") from error


def _holder(path: Path) -> str:
    try:
        known = json.loads(path.read_bytes())
        return f" (process {known['pid']} on {known['host']}, since {known['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _order(path: Path) -> tuple[str, int]:
    stamp, _, number = path.name.partition("-")
    return stamp, int(number or 1)


def _read(kind: type[Model], path: Path) -> Model | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
    try:
        return kind.model_validate_json(data)
    except ValidationError:
        pass
    if _format(data) not in (None, 1):
        raise DataError(
            f"{path} is of another version of wikiswarm; go on with that one, or begin anew with"
            " --fresh"
        )
    raise DataError(
        f"{path} is damaged; remove it, and its stage is done again, or begin anew with --fresh"
    )


def _format(data: bytes) -> object:
    """Return the version of the format that a file names."""
    try:
        return json.loads(data)["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
